"""Which model is used when none is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_mouse_seg.images import looks_stained
from napari_mouse_seg.networks import DEFAULT_MODEL, RGB_MODEL, find_model

if TYPE_CHECKING:
    from napari_mouse_seg.images import MultiscaleImage
    from napari_mouse_seg.networks import Model


def usual_model(image: MultiscaleImage) -> Model:
    """Return the bundled model for stained sections if an image shows one in RGB, otherwise the default.

    Small patches of RGB images are read.

    Raises
    ------
    ImageError
        If none of them can be read.
    """
    return find_model(RGB_MODEL if image.is_rgb and looks_stained(image) else DEFAULT_MODEL)
