"""Colour images whose red, green and blue a file keeps in channels, as OME-Zarr has to and some OME-TIFFs do.

Nothing in such a file tells a stained section from three fluorescence channels, so the pixels are asked.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.images._levels import Level
from napari_mouse_seg.images._stained import looks_stained

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_mouse_seg.images._image import MultiscaleImage
    from napari_mouse_seg.tiling import Box

# What programs call colours, or channels that nobody has named.
_COLOURS = r"r|g|b|red|green|blue|rgb|colou?r|bright ?field"
_NUMBERS = r"(channel|ch|c)?[ _:-]*\d+(:\d+)*|c:\d+/\d+( - .*)?"  # The latter from Bio-Formats in ImageJ.
_NO_STAIN = re.compile(rf"|{_COLOURS}|{_NUMBERS}", re.IGNORECASE)


class JoinedLevel(Level):
    """A level whose three channels are red, green and blue.

    Parameters
    ----------
    base
        With a leading axis of three channels.
    position
        Which leading axis.
    """

    def __init__(self, base: Level, position: int) -> None:
        shape = (*base.shape[:position], *base.shape[position + 1 :], 3)
        super().__init__(shape, base.dtype, is_rgb=True, name=base.name, chunks=base.chunks)
        self._base = base
        self._position = position

    def forget(self) -> None:
        """Give back the memory of the channels' pieces."""
        self._base.forget()

    def _read(self, leading: tuple[int, ...], box: Box) -> NDArray[Any]:
        before, after = leading[: self._position], leading[self._position :]
        return np.stack([self._base.plane((*before, colour, *after), box) for colour in range(3)], axis=-1)


def join_colours(image: MultiscaleImage) -> MultiscaleImage:
    """Return an image of three 8-bit channels as RGB if it is bright as a stained section is; others as they are.

    Small patches all over one of its planes are read, of the coarsest level that is stored. Channels that have names
    of their own stay channels.
    """
    if image.is_rgb or image.n_channels != 3 or image.dtype != np.uint8:
        return image
    if any(not _NO_STAIN.fullmatch(name.strip()) for name in image.channel_names):
        return image
    if not looks_stained(image):
        return image
    position = image.axes.index("C")
    levels = tuple(JoinedLevel(level, position) for level in image.levels)
    calibration = replace(image.calibration, channel_names=())
    return replace(image, axes=image.axes.replace("C", "") + "S", levels=levels, calibration=calibration)
