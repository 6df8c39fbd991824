"""Colour images whose red, green and blue a file keeps in channels, as OME-Zarr has to and some OME-TIFFs do.

Nothing in such a file tells a stained section from three fluorescence channels, so the pixels are asked.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.errors import ImageError
from napari_mouse_seg.images._levels import Level
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_mouse_seg.images._image import MultiscaleImage

# What programs call colours, or channels that nobody has named.
_COLOURS = r"r|g|b|red|green|blue|rgb|colou?r|bright ?field"
_NUMBERS = r"(channel|ch|c)?[ _:-]*\d+(:\d+)*|c:\d+/\d+( - .*)?"  # The latter from Bio-Formats in ImageJ.
_NO_STAIN = re.compile(rf"|{_COLOURS}|{_NUMBERS}", re.IGNORECASE)
_PATCH_PX = 256
_PATCHES_PER_SIDE = 5

# Percentiles of the brightest and of the darkest of the three colours, and what they are at least in a section, also a
# dim one without white ground. Of 107 stained images of DSB2018 the least are 125, 193 and 159; of 532 of fluorescence
# the most are 25 and 44 (and 253, where images are saturated).
_BRIGHTEST = ((5, 60), (50, 100))
_DARKEST = ((99, 110),)
_LEAST_CORRELATION = 0.5  # Of two of the colours, which show the same tissue; of noise it is 0.


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
    if not _is_bright(image):
        return image
    position = image.axes.index("C")
    levels = tuple(JoinedLevel(level, position) for level in image.levels)
    calibration = replace(image.calibration, channel_names=())
    return replace(image, axes=image.axes.replace("C", "") + "S", levels=levels, calibration=calibration)


def _is_bright(image: MultiscaleImage) -> bool:
    number = image.n_stored_levels - 1
    rows, columns = image.level_shapes[number]
    bounds = Box(0, 0, rows, columns)
    shares = [(2 * i + 1) / (2 * _PATCHES_PER_SIDE) for i in range(_PATCHES_PER_SIDE)]
    half = _PATCH_PX // 2
    centre = Box(-half, -half, half, half)
    patches = {centre.shift(int(y * rows), int(x * columns)).intersect(bounds) for y in shares for x in shares}
    colours = _read(image, number, sorted(patches))
    colours = colours[:, colours.any(0)]  # Where a scanner has not been, all is 0.
    if not colours.size:
        return False
    extremes = ((colours.max(0), _BRIGHTEST), (colours.min(0), _DARKEST))
    is_bright = all(
        np.percentile(values, percentile) >= least for values, limits in extremes for percentile, least in limits
    )
    if not is_bright or colours.std(1).min() == 0:
        return False
    correlations = np.asarray(np.corrcoef(colours))
    return bool(correlations[np.triu_indices(3, 1)].max() >= _LEAST_CORRELATION)


def _read(image: MultiscaleImage, number: int, patches: list[Box]) -> NDArray[np.float32]:
    """Return (3, pixels) of those patches whose colours can all be read: damage must not change what an image is."""
    planes = [image.plane(colour, image.n_t // 2, image.n_z // 2) for colour in range(3)]
    read, trouble = [], None
    for patch in patches:
        try:
            read.append(np.stack([plane.read(number, patch).ravel() for plane in planes]))
        except ImageError as error:
            trouble = error
    if trouble is not None and not read:
        raise trouble
    return np.concatenate(read, 1).astype(np.float32)
