"""Sample data of the *File ▸ Open Sample* menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_mouse_seg.plugin._reader import get_reader

if TYPE_CHECKING:
    from napari.types import LayerData


def u2os_nuclei() -> list[LayerData]:
    """Return the CC0 field of U2OS nuclei that comes with the package."""
    from napari_mouse_seg.images import sample_path

    path = str(sample_path())
    reader = get_reader(path)
    return [] if reader is None else reader(path)
