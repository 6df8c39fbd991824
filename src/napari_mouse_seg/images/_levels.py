"""Levels of an image as lazy arrays: a plane and a box go in, pixels come out.

dask was rejected as the common form: one box costs a graph, and the reads of neighbouring boxes share nothing.
"""

from __future__ import annotations

import math
import operator
from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.images._dtypes import as_pixels, pixel_dtype
from napari_mouse_seg.images._guard import reading
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_mouse_seg.images._cache import ByteCache


class Level(ABC):
    """One level of an image: a read-only array that reads only what is indexed.

    Axes are leading ones (T, C, Z in any order), then Y, X, then S for RGB. Indexing takes integers, slices with
    a positive step and ``...``, and returns a NumPy array. Safe for threads.

    Parameters
    ----------
    shape
        All axes.
    dtype
        As stored; pixels come out as ``pixel_dtype`` of it.
    is_rgb
        Whether the last axis is S.
    name
        File or layer, for messages.
    chunks
        Rows and columns of the pieces that are cheapest to read.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: Any,  # Any: whatever numpy takes for a dtype
        *,
        is_rgb: bool,
        name: str,
        chunks: tuple[int, int],
    ) -> None:
        self.shape = tuple(int(size) for size in shape)
        self.stored_dtype = np.dtype(dtype)
        self.dtype = pixel_dtype(dtype, name)
        self.is_rgb = is_rgb
        self.name = name
        rows, columns = self.plane_shape
        self.chunks = (max(1, min(chunks[0], rows)), max(1, min(chunks[1], columns)))

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the whole level once read."""
        return self.size * self.dtype.itemsize

    @property
    def leading_shape(self) -> tuple[int, ...]:
        """Sizes of the axes before Y."""
        return self.shape[: self.ndim - 2 - self.is_rgb]

    @property
    def plane_shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.shape[self.ndim - 2 - self.is_rgb :][:2]
        return rows, columns

    def plane(self, leading: tuple[int, ...], box: Box) -> NDArray[Any]:
        """Read a box of one plane.

        Parameters
        ----------
        leading
            One index for each axis before Y.
        box
            Inside the level; not checked.

        Returns
        -------
        NDArray
            (Y, X), or (Y, X, 3) for RGB; it may be a view of a cached array, so do not write into it.

        Raises
        ------
        DamagedImageError
            If the pixels cannot be read or decoded.
        """
        what = f"rows {box.y0} to {box.y1}, columns {box.x0} to {box.x1}"
        # float64 beyond float32 becomes infinite, which statistics leave out
        with reading(self.name, what), np.errstate(over="ignore"):
            return as_pixels(self._read(leading, box), self.dtype, self.name)

    def forget(self) -> None:  # noqa: B027 (most kinds keep nothing)
        """Give back the memory of decoded pieces, if any are kept."""

    @abstractmethod
    def _read(self, leading: tuple[int, ...], box: Box) -> NDArray[Any]:
        """Read a box in the stored dtype; any exception is turned into ours by ``plane``."""

    def _read_chunks(
        self,
        cache: ByteCache,
        read: Callable[[tuple[int, ...], Box], NDArray[Any]],
        leading: tuple[int, ...],
        box: Box,
    ) -> NDArray[Any]:
        """Assemble a box from whole chunks of one plane; those that the cache lacks come from ``read``."""
        samples = self.shape[-1:] if self.is_rgb else ()
        out = np.empty((*box.shape, *samples), self.dtype)
        for chunk in chunks_of(box, self.chunks, self.plane_shape):
            pixels = cache.get((id(self), leading, chunk), partial(read, leading, chunk))
            part = chunk.intersect(box)
            found = pixels[part.shift(-chunk.y0, -chunk.x0).slices]
            out[part.shift(-box.y0, -box.x0).slices] = as_pixels(found, self.dtype, self.name)
        return out

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> NDArray[Any]:  # Any: NumPy's index notation
        spans, kept = _spans(index, self.shape)
        n_leading = len(self.leading_shape)
        rows, columns = spans[n_leading : n_leading + 2]
        out = np.empty(tuple(len(span) for span in spans), self.dtype)
        if out.size:
            box = Box(rows.start, columns.start, rows[-1] + 1, columns[-1] + 1)
            steps = (slice(None, None, rows.step), slice(None, None, columns.step))
            samples = [slice(span.start, span[-1] + 1, span.step) for span in spans[n_leading + 2 :]]
            for position in np.ndindex(out.shape[:n_leading]):
                leading = tuple(span[i] for span, i in zip(spans, position, strict=False))
                out[position] = self.plane(leading, box)[(*steps, *samples)]
        return out[tuple(slice(None) if keep else 0 for keep in kept)]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # Any: NumPy's protocol
        return np.asarray(self[...], dtype=dtype)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.shape} {self.dtype} of {self.name}>"


class ArrayLevel(Level):
    """A level over any array-like: NumPy, dask, zarr.

    Parameters
    ----------
    array
        Sliced, then converted with ``numpy.asarray``; never read whole.
    stored_axes
        One letter for each axis of the array.
    axes
        Axes of the level: a subset of ``stored_axes`` in the order leading axes, Y, X, S. Axes left out are read at
        index 0.
    name
        File or layer, for messages.
    cache
        Of chunks that were read, for arrays in files. None reads anew each time: a user's array may change.
    """

    def __init__(
        self,
        array: Any,  # Any: duck-typed array
        stored_axes: str,
        axes: str,
        name: str,
        cache: ByteCache | None = None,
    ) -> None:
        sizes = dict(zip(stored_axes, array.shape, strict=True))
        is_rgb = axes.endswith("S")
        shape = tuple(3 if axis == "S" else sizes[axis] for axis in axes)
        super().__init__(shape, array.dtype, is_rgb=is_rgb, name=name, chunks=_array_chunks(array, stored_axes))
        self._array = array
        self._stored_axes = stored_axes
        self._axes = axes
        self._cache = cache

    def forget(self) -> None:
        """Give back the memory of chunks."""
        if self._cache is not None:
            self._cache.clear()

    def _read(self, leading: tuple[int, ...], box: Box) -> NDArray[Any]:
        if self._cache is None:
            return self._read_array(leading, box)
        return self._read_chunks(self._cache, self._read_array, leading, box)

    def _read_array(self, leading: tuple[int, ...], box: Box) -> NDArray[Any]:
        """Slice the array itself."""
        rows, columns = box.slices
        index: dict[str, int | slice] = dict(zip(self._axes, leading, strict=False))
        index |= {"Y": rows, "X": columns}
        if self.is_rgb:
            index["S"] = slice(0, 3)
        pixels = np.asarray(self._array[tuple(index.get(axis, 0) for axis in self._stored_axes)])
        left = [axis for axis in self._stored_axes if axis in "YX" or (axis == "S" and self.is_rgb)]
        wanted = ["Y", "X", *(["S"] if self.is_rgb else [])]
        return pixels if left == wanted else pixels.transpose([left.index(axis) for axis in wanted])


class SelectedLevel(Level):
    """A level with one leading axis fixed, such as one channel.

    Parameters
    ----------
    base
        The level with all axes.
    position
        Which leading axis.
    index
        Where it is fixed.
    """

    def __init__(self, base: Level, position: int, index: int) -> None:
        shape = base.shape[:position] + base.shape[position + 1 :]
        super().__init__(shape, base.dtype, is_rgb=base.is_rgb, name=base.name, chunks=base.chunks)
        self._base = base
        self._position = position
        self._index = index

    def _read(self, leading: tuple[int, ...], box: Box) -> NDArray[Any]:
        return self._base.plane((*leading[: self._position], self._index, *leading[self._position :]), box)


def chunks_of(box: Box, chunk: tuple[int, int], shape: tuple[int, int]) -> Iterator[Box]:
    """Yield the chunks of a regular grid over ``shape`` that ``box`` touches, row by row, cut at the edge."""
    bounds = Box(0, 0, *shape)
    for y in range(box.y0 // chunk[0] * chunk[0], box.y1, chunk[0]):
        for x in range(box.x0 // chunk[1] * chunk[1], box.x1, chunk[1]):
            yield Box(y, x, y + chunk[0], x + chunk[1]).intersect(bounds)


def _array_chunks(array: Any, axes: str) -> tuple[int, int]:  # Any: duck-typed array
    """Rows and columns of an array's chunks; of the array where it has none."""
    chunks = getattr(array, "chunks", None) or array.shape
    sizes = {axis: size if isinstance(size, int) else max(size) for axis, size in zip(axes, chunks, strict=True)}
    return sizes["Y"], sizes["X"]


def _spans(index: Any, shape: tuple[int, ...]) -> tuple[list[range], list[bool]]:  # Any: NumPy's index notation
    """Return what an index covers along each axis, and whether the axis stays."""
    parts = list(index) if isinstance(index, tuple) else [index]
    n_given = sum(part is not Ellipsis for part in parts)
    if n_given > len(shape) or len(parts) - n_given > 1:
        raise IndexError(f"Index {index!r} does not fit an image level of shape {shape}.")
    if n_given == len(parts):
        parts.append(Ellipsis)
    at = next(i for i, part in enumerate(parts) if part is Ellipsis)
    parts[at : at + 1] = [slice(None)] * (len(shape) - n_given)
    return (
        [_span(part, size) for part, size in zip(parts, shape, strict=True)],
        [isinstance(part, slice) for part in parts],
    )


def _span(part: Any, size: int) -> range:  # Any: one item of NumPy's index notation
    """Return what one index covers along one axis."""
    if isinstance(part, slice):
        span = range(*part.indices(size))
        if span.step < 0:
            raise IndexError("An image level cannot be read backwards; reverse the array that was read.")
        return span
    position = operator.index(part)
    if not -size <= position < size:
        raise IndexError(f"Index {position} is outside an axis of size {size}.")
    return range(position % size, position % size + 1)
