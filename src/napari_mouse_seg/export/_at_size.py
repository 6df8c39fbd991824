"""Labels from the network's grid at the image's size, computed when they are read: none is held whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_mouse_seg.export._source import LabelArray

_BAND_PIXELS = 4_000_000


class LabelView:
    """What views of labels have in common: two axes of uint32."""

    __slots__ = ()

    @property
    def dtype(self) -> np.dtype[np.uint32]:
        """Always uint32."""
        return np.dtype(np.uint32)

    @property
    def ndim(self) -> int:
        """Always 2."""
        return 2


@dataclass(frozen=True, slots=True)
class _ScaledLabels(LabelView):
    """Nearest-neighbour view; nothing is stored."""

    labels: LabelArray
    pixel_scale: tuple[float, float]
    shape: tuple[int, int]

    def __getitem__(self, index: tuple[slice, slice]) -> NDArray[np.uint32]:
        rows, columns = (self._positions(axis, index[axis]) for axis in (0, 1))
        if rows.size == 0 or columns.size == 0:
            return np.empty((rows.size, columns.size), np.uint32)
        top, left = rows.min(), columns.min()
        block = np.asarray(self.labels[slice(top, rows.max() + 1), slice(left, columns.max() + 1)])
        return block.astype(np.uint32, copy=False)[np.ix_(rows - top, columns - left)]

    def _positions(self, axis: int, part: slice) -> NDArray[np.intp]:
        """Label pixel under each image pixel."""
        pixels = np.arange(*part.indices(self.shape[axis]))
        positions = np.floor((pixels + 0.5) / self.pixel_scale[axis]).astype(np.intp)
        nearest: NDArray[np.intp] = np.minimum(positions, self.labels.shape[axis] - 1)
        return nearest


@dataclass(frozen=True, slots=True)
class _Renumbered(LabelView):
    """View with other ids; ``numbers`` holds the new one of each, 0 to leave it out."""

    labels: LabelArray
    numbers: NDArray[np.uint32]

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""
        return tuple(self.labels.shape)

    def __getitem__(self, index: tuple[slice, slice]) -> NDArray[np.uint32]:
        renumbered: NDArray[np.uint32] = self.numbers[np.asarray(self.labels[index])]
        return renumbered


def number_anew(labels: LabelArray, count: int) -> tuple[LabelArray, int]:
    """Return labels whose ids have no gaps, in the same order, and how many there are.

    Parameters
    ----------
    labels
        (Y, X), read in bands.
    count
        The highest id that there may be.

    Returns
    -------
    tuple of LabelArray and int
        ``labels`` itself where there is no gap.
    """
    rows, columns = labels.shape
    present = np.zeros(count + 1, np.bool_)
    step = max(1, _BAND_PIXELS // max(1, columns))
    for first in range(0, rows, step):
        present[np.asarray(labels[slice(first, first + step), slice(0, columns)])] = True
    present[0] = False
    kept = int(np.count_nonzero(present))
    if kept == count:
        return labels, count
    numbers = (np.cumsum(present, dtype=np.uint32) * present).astype(np.uint32)
    return cast("LabelArray", _Renumbered(labels, numbers)), kept


def at_image_size(labels: LabelArray, pixel_scale: tuple[float, float], shape: tuple[int, int]) -> LabelArray:
    """Return labels on the image's own grid, by nearest neighbour, without storing them.

    Parameters
    ----------
    labels
        (Y, X) labels over the whole image, on the network's grid.
    pixel_scale
        Image pixels per label pixel, along rows and columns. An image pixel takes the label
        pixel that its centre lies in; beyond the last one, the last one.
    shape
        Rows and columns of the image.

    Returns
    -------
    LabelArray
        uint32 array-like of ``shape`` for two slices; ``labels`` itself where nothing changes.
    """
    if tuple(labels.shape) == tuple(shape) and pixel_scale == (1.0, 1.0):
        return labels
    return cast("LabelArray", _ScaledLabels(labels, pixel_scale, shape))
