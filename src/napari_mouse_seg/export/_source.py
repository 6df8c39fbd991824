"""What every exporter is given: labels, and the image they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from napari_mouse_seg.errors import UnsupportedImageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_mouse_seg.plans import ClassPlan
    from napari_mouse_seg.tiling import Box

_BLOCK_PX = 2048


class LabelArray(Protocol):
    """Anything 2-D that gives pixels for two slices: numpy, memmap, zarr, dask, ``at_image_size``."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""

    @property
    def dtype(self) -> Any:  # Any: numpy's, zarr's and dask's types differ
        """An integer type."""

    def __getitem__(self, index: tuple[slice, slice], /) -> Any:  # Any: made an array with np.asarray
        """Return the pixels of a box."""


class IntensityPlane(Protocol):
    """The part of ``images.ImagePlane`` that exporters read."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the finest level."""

    @property
    def level_shapes(self) -> tuple[tuple[int, int], ...]:
        """Rows and columns of each level, finest first."""

    @property
    def n_channels(self) -> int:
        """1, or 3 for RGB."""

    def read(self, level: int, box: Box) -> NDArray[Any]:
        """Return (Y, X) or (Y, X, 3) pixels of a box on a level."""


@dataclass(frozen=True, slots=True)
class LabelImage:
    """Labels with what is needed to place and measure them.

    Attributes
    ----------
    labels
        (Y, X) integers, 0 is background, ids below 2**32.
    pixel_size_um
        Height and width of a label pixel in µm; None when unknown.
    name
        Written into the file as the image's name.
    plane
        The image under the labels, of the same shape; None when there is none.
    classes
        What the labels mean, if they are areas of classes; empty for objects.
    """

    labels: LabelArray
    pixel_size_um: tuple[float, float] | None = None
    name: str = "labels"
    plane: IntensityPlane | None = None
    classes: tuple[ClassPlan, ...] = ()

    def __post_init__(self) -> None:
        if len(self.labels.shape) != 2 or np.dtype(self.labels.dtype).kind not in "iub":
            raise UnsupportedImageError(
                f"Labels must be 2-D integers, but these are {self.labels.dtype} of shape {tuple(self.labels.shape)}."
            )
        if self.plane is not None and tuple(self.plane.shape) != self.shape:
            raise UnsupportedImageError(
                f"The labels are {self.shape[0]} x {self.shape[1]} px, but their image is {self.plane.shape[0]} x "
                f"{self.plane.shape[1]} px; bring the labels to the image's size with `at_image_size`."
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.labels.shape
        return int(rows), int(columns)

    def read(self, rows: slice, columns: slice) -> NDArray[np.uint32]:
        """Return labels of a box as uint32."""
        return np.asarray(self.labels[rows, columns]).astype(np.uint32, copy=False)

    def sample(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.uint32]:
        """Return labels at the crossings of ascending rows and columns.

        Read in blocks of bounded size, so that a coarse level never reads the image whole.
        """
        out = np.empty((len(rows), len(columns)), np.uint32)
        for row_part in _parts(rows):
            for column_part in _parts(columns):
                picked_rows, picked_columns = rows[row_part], columns[column_part]
                top, left = picked_rows[0], picked_columns[0]
                block = self.read(slice(top, picked_rows[-1] + 1), slice(left, picked_columns[-1] + 1))
                out[row_part, column_part] = block[np.ix_(picked_rows - top, picked_columns - left)]
        return out


class Exporter(Protocol):
    """How every format is written."""

    def __call__(self, path: Path, image: LabelImage, *, overwrite: bool = False) -> None:
        """Write ``image`` to ``path``; the finished file appears in one step.

        Raises
        ------
        ExportError
            If the target exists and ``overwrite`` is false, or cannot be written.
        """


def level_shape(shape: tuple[int, int], step: int) -> tuple[int, int]:
    """Return the size of a level that keeps one pixel in ``step`` along each axis."""
    return -(-shape[0] // step), -(-shape[1] // step)


def level_steps(shape: tuple[int, int], coarsest_px: int = 512) -> tuple[int, ...]:
    """Return steps 1, 2, 4, … until the longer side is at most ``coarsest_px``."""
    steps = [1]
    while max(level_shape(shape, steps[-1])) > coarsest_px:
        steps.append(2 * steps[-1])
    return tuple(steps)


def level_positions(length: int, step: int, start: int, stop: int) -> NDArray[np.intp]:
    """Return the finest-level positions of a coarse level's pixels: the one nearest each block's centre."""
    return np.minimum(np.arange(start, stop) * step + step // 2, length - 1)


def _parts(positions: NDArray[np.intp]) -> Iterator[slice]:
    """Cut ascending positions into runs that span at most ``_BLOCK_PX`` source pixels."""
    start = 0
    while start < len(positions):
        stop = int(np.searchsorted(positions, positions[start] + _BLOCK_PX))
        yield slice(start, stop)
        start = stop
