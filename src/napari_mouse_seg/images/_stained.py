"""Does an image show a stained section, dark on bright, or something bright on dark? The pixels tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.errors import ImageError
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_mouse_seg.images._image import MultiscaleImage

_PATCH_PX = 256
_PATCHES_PER_SIDE = 5

# Percentiles of the brightest and of the darkest of the three colours, and what they are at least in a section, also a
# dim one without white ground. Of 107 stained images of DSB2018 the least are 125, 193 and 159; of 532 of fluorescence
# the most are 25 and 44 (and 253, where images are saturated).
_BRIGHTEST = ((5, 60), (50, 100))
_DARKEST = ((99, 110),)
_LEAST_CORRELATION = 0.5  # Of two of the colours, which show the same tissue; of noise it is 0.


def looks_stained(image: MultiscaleImage) -> bool:
    """Return whether three colours, RGB or channels, are bright as a stained section is.

    Small patches all over one of its planes are read, of the coarsest stored level that is as large as one.

    Parameters
    ----------
    image
        In RGB, or with three channels.

    Raises
    ------
    ImageError
        If none of the patches can be read.
    """
    # Of a level of a few pixels nothing can be said.
    large = [at for at in range(image.n_stored_levels) if min(image.level_shapes[at]) >= _PATCH_PX]
    number = large[-1] if large else 0
    rows, columns = image.level_shapes[number]
    bounds = Box(0, 0, rows, columns)
    shares = [(2 * i + 1) / (2 * _PATCHES_PER_SIDE) for i in range(_PATCHES_PER_SIDE)]
    half = _PATCH_PX // 2
    centre = Box(-half, -half, half, half)
    patches = {centre.shift(int(y * rows), int(x * columns)).intersect(bounds) for y in shares for x in shares}
    colours = _read(image, number, sorted(patches))
    colours = colours[:, colours.any(0) & np.isfinite(colours).all(0)]  # Where a scanner has not been, all is 0.
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
    """Return (3, pixels) from 0 to 255 of those patches that can be read: damage must not change what an image is."""
    planes = [image.plane(each, image.n_t // 2, image.n_z // 2) for each in range(image.n_channels)]
    read, trouble = [], None
    for patch in patches:
        try:
            pixels = np.stack([plane.read(number, patch) for plane in planes])
        except ImageError as error:
            trouble = error
            continue
        read.append(np.moveaxis(pixels[0], -1, 0).reshape(3, -1) if image.is_rgb else pixels.reshape(3, -1))
    if trouble is not None and not read:
        raise trouble
    colours = np.concatenate(read, 1).astype(np.float32)
    return colours * np.float32(255 / _white(colours, image.dtype))


def _white(colours: NDArray[np.float32], dtype: np.dtype[Any]) -> float:
    """Return the largest value that a colour may have; real numbers go up to 1, or as far as those of 8 or 16 bits."""
    if dtype.kind in "iu":
        return float(np.iinfo(dtype).max)
    largest = colours.max(where=np.isfinite(colours), initial=0)
    return next((white for white in (1.0, 255.0) if largest <= white), 65535.0)
