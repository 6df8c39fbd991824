"""Coarser levels of an image that has none, computed on demand.

Each is the 2 x 2 mean of the one before, of labels every second pixel, computed in chunks that are cached. Reading a
coarse chunk goes down depth first, so memory stays bounded and every stored piece is decoded about once. Strided
sampling of intensities was rejected: it decodes the same pieces and aliases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.images._cache import ByteCache
from napari_mouse_seg.images._dtypes import LABEL_DTYPE
from napari_mouse_seg.images._levels import Level
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

COARSEST_MAX_PIXELS = 4_000_000
"""Levels are added until one has at most this many pixels."""

_CHUNK_PX = 512


class CoarseLevel(Level):
    """A level of half the size: pixel (i, j) is the mean of rows 2i, 2i + 1 and columns 2j, 2j + 1 of its base.

    An odd last row or column counts twice. Integers are rounded half up; NaN is left out unless all four are NaN.

    Parameters
    ----------
    base
        The next finer level.
    cache
        Shared by all coarse levels of an image.
    """

    def __init__(self, base: Level, cache: ByteCache) -> None:
        rows, columns = base.plane_shape
        halved = (-(-rows // 2), -(-columns // 2))
        samples = base.shape[-1:] if base.is_rgb else ()
        super().__init__(
            (*base.leading_shape, *halved, *samples),
            base.dtype,
            is_rgb=base.is_rgb,
            name=base.name,
            chunks=_chunk_shape(base, halved),
        )
        self._base = base
        self._cache = cache

    def forget(self) -> None:
        """Give back the memory of what was computed."""
        self._cache.clear()

    def _read(self, leading: tuple[int, ...], box: Box) -> NDArray[Any]:
        return self._read_chunks(self._cache, self._compute, leading, box)

    def _compute(self, leading: tuple[int, ...], chunk: Box) -> NDArray[Any]:
        """Average one chunk from the finer level."""
        fine = Box(*(2 * edge for edge in chunk)).intersect(Box(0, 0, *self._base.plane_shape))
        return halve(self._base.plane(leading, fine))


def add_coarse_levels(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    """Return the levels with computed ones appended, until the last has at most ``COARSEST_MAX_PIXELS``."""
    cache = ByteCache()
    extended = list(levels)
    while np.prod(extended[-1].plane_shape) > COARSEST_MAX_PIXELS:
        extended.append(CoarseLevel(extended[-1], cache))
    return tuple(extended)


def halve(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return the 2 x 2 means of (Y, X) or (Y, X, S) pixels in their own dtype; odd sizes are rounded up.

    Of labels, which have no mean, every second pixel is kept.
    """
    if pixels.dtype == LABEL_DTYPE:
        return pixels[::2, ::2].copy()
    rows, columns = pixels.shape[:2]
    if rows % 2 or columns % 2:
        pixels = np.pad(pixels, [(0, rows % 2), (0, columns % 2)] + [(0, 0)] * (pixels.ndim - 2), mode="edge")
    if pixels.dtype.kind == "f":
        return _mean_of_finite(pixels)
    total = pixels[::2, ::2].astype(np.int32)
    for y, x in ((0, 1), (1, 0), (1, 1)):
        total += pixels[y::2, x::2]
    return ((total + 2) >> 2).astype(pixels.dtype)


def _mean_of_finite(pixels: NDArray[Any]) -> NDArray[Any]:
    """2 x 2 means without NaN; NaN where there is nothing else."""
    corners = [pixels[y::2, x::2] for y in (0, 1) for x in (0, 1)]
    count = sum((~np.isnan(corner)).astype(np.float32) for corner in corners)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        total = sum(np.where(np.isnan(corner), 0, corner) for corner in corners)
        return np.asarray(total / count, pixels.dtype)


def _chunk_shape(base: Level, halved: tuple[int, int]) -> tuple[int, int]:
    """Squares for tiled storage; bands of whole rows where the base stores whole rows."""
    rows, columns = halved
    if base.chunks[1] < base.plane_shape[1]:
        return min(rows, _CHUNK_PX), min(columns, _CHUNK_PX)
    return min(rows, max(8, _CHUNK_PX * _CHUNK_PX // columns)), columns
