"""Labels from the network's grid at the image's size, computed when they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_mouse_seg.export._source import LabelArray


@dataclass(frozen=True, slots=True)
class _ScaledLabels:
    """Nearest-neighbour view; nothing is stored."""

    labels: LabelArray
    pixel_scale: tuple[float, float]
    shape: tuple[int, int]

    @property
    def dtype(self) -> np.dtype[np.uint32]:
        """Always uint32."""
        return np.dtype(np.uint32)

    @property
    def ndim(self) -> int:
        """Always 2."""
        return 2

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
