"""One level of a TIFF, decoded tile by tile or strip by strip.

tifffile's own zarr store was rejected: it keeps the file open, takes a lock around it and goes through an event
loop for each chunk. Here the file is opened for each read, so threads do not wait for each other and nothing
is left open.
"""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from napari_mouse_seg.errors import DamagedImageError, ImageError
from napari_mouse_seg.images._dtypes import as_pixels, pixel_dtype
from napari_mouse_seg.images._headers import jpeg_header
from napari_mouse_seg.images._levels import Level, chunks_of
from napari_mouse_seg.images._tiff_page import check_pages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_mouse_seg.images._cache import ByteCache
    from napari_mouse_seg.images._tiff_page import PageFormat, StoredPage
    from napari_mouse_seg.tiling import Box


class TiffLevel(Level):
    """A level whose pages are TIFF pages.

    Parameters
    ----------
    leading_shape
        Sizes of the axes before Y, in the order of ``page_axes``, ``depth`` and ``samples`` as far as they are axes.
    outer_shape
        The part of ``leading_shape`` that counts pages.
    pages
        One for each index of ``outer_shape``, row by row; None reads as zeros.
    form
        How pages are stored.
    is_rgb
        Whether samples are red, green, blue and perhaps alpha; otherwise more than one sample is the last
        leading axis.
    name
        File, for messages.
    cache
        Of decoded segments, shared by all levels of a file.
    palette
        (n, 3) colours that the stored pixels are indices of; None if they are pixels themselves.
    """

    def __init__(
        self,
        leading_shape: tuple[int, ...],
        outer_shape: tuple[int, ...],
        pages: tuple[StoredPage | None, ...],
        form: PageFormat,
        *,
        is_rgb: bool,
        name: str,
        cache: ByteCache,
        palette: NDArray[np.uint8] | None = None,
    ) -> None:
        rows, columns = form.shaped[2:4]
        shape = (*leading_shape, rows, columns, *((3,) if is_rgb else ()))
        dtype = form.dtype if palette is None else palette.dtype
        super().__init__(shape, dtype, is_rgb=is_rgb, name=name, chunks=form.segment[1:])
        self._outer_shape = outer_shape
        self._pages = pages
        self._form = form
        self._cache = cache
        self._palette = palette
        self._stored_dtype = pixel_dtype(form.dtype, name)
        self._stamps = {path: _stamp_of(path) for path in self.files}  # Before their sizes are checked.
        check_pages(pages, form, name)

    @property
    def files(self) -> tuple[Path, ...]:
        """Those that the pages lie in, in the order of the pages."""
        return tuple(dict.fromkeys(page.path for page in self._pages if page is not None))

    def forget(self) -> None:
        """Give back the memory of decoded segments."""
        self._cache.clear()

    def _read(self, leading: tuple[int, ...], box: Box) -> NDArray[Any]:
        page, depth, sample = self._locate(leading)
        samples = slice(0, 3) if self.is_rgb and self._palette is None else slice(sample, sample + 1)
        pixels = self._read_samples(page, depth, samples, box)
        if self._form.black is not None:
            pixels = self._form.black - pixels
        if self._palette is not None:
            return np.asarray(self._palette[pixels[..., 0]])
        return pixels if self.is_rgb else pixels[..., 0]

    def _read_samples(self, page: int, depth: int, samples: slice, box: Box) -> NDArray[Any]:
        """Read a box with some of its stored samples as the last axis."""
        if self._pages[page] is None or box.area == 0:
            return np.zeros((*box.shape, samples.stop - samples.start), self._stored_dtype)
        if self._form.decode is None:
            return self._read_mapped(page, depth, samples, box)
        if self._form.shaped[0] == 1:
            return self._read_segments(page, 0, depth, samples, box)
        planes = range(samples.start, samples.stop)
        one = slice(0, 1)
        return np.concatenate([self._read_segments(page, s, depth, one, box) for s in planes], axis=2)

    def _locate(self, leading: tuple[int, ...]) -> tuple[int, int, int]:
        """Page number, depth in it, and sample."""
        n_outer = len(self._outer_shape)
        page = int(np.ravel_multi_index(leading[:n_outer], self._outer_shape)) if n_outer else 0
        inner = list(leading[n_outer:])
        depth = inner.pop(0) if self._form.shaped[1] > 1 else 0
        return page, depth, inner.pop(0) if inner else 0

    def _read_mapped(self, number: int, depth: int, samples: slice, box: Box) -> NDArray[Any]:
        """Copy a box out of plain pixels."""
        page = self._stored(number)
        with self._opened(page.path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            array: NDArray[Any] = np.ndarray(self._form.shaped, self._form.dtype, mapped, page.offsets[0])
            rows, columns = box.slices
            if self._form.shaped[0] == 1:
                found = array[0, depth, rows, columns, samples]
            else:
                found = np.moveaxis(array[samples, depth, rows, columns, 0], 0, 2)
            pixels = as_pixels(found.copy(), self._stored_dtype, self.name)
            del array, found  # a mapping cannot be closed while an array looks at it
        return pixels

    def _read_segments(self, number: int, separate: int, depth: int, samples: slice, box: Box) -> NDArray[Any]:
        """Assemble a box from decoded tiles or strips, opening the file only if one is not in the cache."""
        form = self._form
        n_depth, n_rows, n_columns = form.grid
        first = (separate * n_depth + depth // form.segment[0]) * n_rows
        out = np.empty((*box.shape, samples.stop - samples.start), self._stored_dtype)
        path = self._stored(number).path
        with _LazyFile(lambda: self._opened(path)) as file:
            for part in chunks_of(box, form.segment[1:], form.shaped[2:4]):
                segment = (first + part.y0 // form.segment[1]) * n_columns + part.x0 // form.segment[2]
                pixels = self._segment(number, segment, file)[depth % form.segment[0]]
                inside = part.intersect(box)
                rows, columns = inside.shift(-part.y0, -part.x0).slices
                found = as_pixels(pixels[rows, columns, samples], self._stored_dtype, self.name)
                out[inside.shift(-box.y0, -box.x0).slices] = found
        return out

    def _segment(self, number: int, segment: int, file: _LazyFile) -> NDArray[Any]:
        """(depth, rows, columns, samples) of one tile or strip."""
        return self._cache.get((id(self), number, segment), lambda: self._decode(number, segment, file))

    def _decode(self, number: int, segment: int, file: _LazyFile) -> NDArray[Any]:
        """Read and decode one tile or strip; an empty one is zeros."""
        page, form = self._stored(number), self._form
        if form.decode is None:
            raise ValueError("plain pixels have no segments")
        count = page.counts[segment]
        data = file.read(page.offsets[segment], count) if count and page.offsets[segment] else None
        if data is not None and form.is_jpeg:
            self._check_jpeg(data)
        pixels, _, shape = form.decode(data, segment, **page.options)
        if pixels is None:
            return np.zeros(shape, form.dtype.newbyteorder("="))
        return _ycbcr_to_rgb(pixels) if form.is_ycbcr else np.asarray(pixels)

    def _check_jpeg(self, data: bytes) -> None:
        """Refuse a damaged stream that claims to be far larger than its tile, before memory is taken for it."""
        header = jpeg_header(data)
        _, rows, columns = self._form.segment
        if header is not None and header.rows * header.columns > 4 * max(rows, 64) * max(columns, 64):
            raise DamagedImageError(
                f"{self.name} holds a tile that claims {header.rows} rows and {header.columns} columns, but tiles have "
                f"{rows} and {columns}; copy or export it again."
            )

    def _opened(self, path: Path) -> BinaryIO:
        """Open a file if it is still the one whose pages are known; to touch bytes that are gone ends the process."""
        file = path.open("rb")
        if _stamp(file) != self._stamps[path]:
            file.close()
            raise ImageError(f"{path} was changed after it was opened; open it again.")
        return file

    def _stored(self, number: int) -> StoredPage:
        page = self._pages[number]
        if page is None:
            raise ValueError("a missing page has no segments")
        return page


class _LazyFile:
    """A file that is opened at the first read."""

    def __init__(self, open_file: Callable[[], BinaryIO]) -> None:
        self._open = open_file
        self._file: BinaryIO | None = None

    def __enter__(self) -> _LazyFile:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file is not None:
            self._file.close()

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly ``count`` bytes."""
        if self._file is None:
            self._file = self._open()
        self._file.seek(offset)
        data = self._file.read(count)
        if len(data) < count:
            raise EOFError(f"only {len(data)} of {count} bytes are left at byte {offset}")
        return data


def _stamp_of(path: Path) -> tuple[int, int]:
    with path.open("rb") as file:
        return _stamp(file)


def _stamp(file: BinaryIO) -> tuple[int, int]:
    """Return size and time of change; asked of an open file, as network drives may answer otherwise for a path."""
    found = os.fstat(file.fileno())
    return found.st_size, found.st_mtime_ns


def _ycbcr_to_rgb(pixels: NDArray[Any]) -> NDArray[Any]:
    """Convert full-range 8-bit YCbCr (ITU-R BT.601) on the last axis."""
    luma, blue, red = (pixels[..., i].astype(np.float32) for i in range(3))
    blue -= 128
    red -= 128
    rgb = [luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue]
    converted: NDArray[Any] = np.clip(np.rint(np.stack(rgb, axis=-1)), 0, 255).astype(np.uint8)
    return converted
