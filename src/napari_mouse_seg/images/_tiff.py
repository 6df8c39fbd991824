"""TIFF files: plain, ImageJ, OME-TIFF, SVS and the other pyramids that tifffile knows.

tifffile parses the structure once; the pixels are read by ``TiffLevel``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from napari_mouse_seg.errors import DamagedImageError, UnsupportedImageError
from napari_mouse_seg.images._build import build_image
from napari_mouse_seg.images._cache import ByteCache
from napari_mouse_seg.images._dtypes import pixel_dtype
from napari_mouse_seg.images._guard import reading
from napari_mouse_seg.images._joined import join_colours
from napari_mouse_seg.images._series import choose_series
from napari_mouse_seg.images._tiff_calibration import tiff_calibration
from napari_mouse_seg.images._tiff_check import check_companions, check_compression, check_structure
from napari_mouse_seg.images._tiff_level import TiffLevel
from napari_mouse_seg.images._tiff_page import PageFormat, StoredPage
from napari_mouse_seg.images._tiff_palette import palette_colours

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tifffile import TiffFile, TiffFrame, TiffPage, TiffPageSeries

    from napari_mouse_seg.images._image import MultiscaleImage
    from napari_mouse_seg.images._series import Series

_JPEG_COMPRESSIONS = {6, 7, 34892, 33007}
_APERIO_JPEG_2000_YCBCR = 33003
_JPEG_2000_COMPRESSIONS = {_APERIO_JPEG_2000_YCBCR, 33004, 33005, 34712}
_GREY_PHOTOMETRICS = {0, 1, 3, 4, 32803}
_PHOTOMETRIC_MINISWHITE = 0
_PHOTOMETRIC_RGB = 2
_PHOTOMETRIC_YCBCR = 6
_ALPHA = {1, 2}
_MAX_SMALL_STACK = 4


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the axes of a series map to its pages: outer axes count pages, then depth and samples within a page."""

    outer: str
    outer_shape: tuple[int, ...]
    depth: str
    samples: str
    palette: NDArray[np.uint8] | None

    @property
    def is_rgb(self) -> bool:
        return self.samples == "S"

    @property
    def leading(self) -> str:
        """Axes before Y."""
        return self.outer + self.depth + (self.samples if not self.is_rgb else "")


def open_tiff(path: Path, wanted: int | None = None, *, join: bool = True) -> MultiscaleImage:
    """Open a TIFF; only its structure is read.

    Axes without a known meaning are read as channels up to length 4, otherwise as planes.

    Parameters
    ----------
    path
        The file.
    wanted
        Which of several images; None takes the one with the most pixels, and of equal ones the first.
    join
        Whether three bright channels may become RGB.

    Raises
    ------
    PlanError
        If the file holds no such image.
    DamagedImageError
        If the structure is damaged or the file truncated.
    ImageNotFoundError
        If the image is spread over several files and one is missing.
    UnsupportedImageError
        If dtype, axes or colour space are not supported.
    """
    import tifffile

    with reading(str(path), "the TIFF structure"), tifffile.TiffFile(path) as tiff:
        check_companions(path, tiff)
        series, which = _choose(path, tiff, wanted)
        check_structure(path, tiff, series.keyframe)
        name = str(path)
        pixel_dtype(series.dtype, name)
        layout = _layout(name, series)
        cache = ByteCache()
        levels = tuple(_level(name, level, layout, cache) for level in _usable_levels(series))
        image = build_image(path.name, path, _squeezed(layout), levels, tiff_calibration(tiff, series), None, which)
        if len(files := levels[0].files) > 1:
            image = replace(image, files=files)
        return join_colours(image) if join and (tiff.is_ome or tiff.is_imagej) else image


def tiff_series(path: Path) -> Series | None:
    """Return which image ``open_tiff`` takes of several; None if there is but one."""
    import tifffile

    with reading(str(path), "the TIFF structure"), tifffile.TiffFile(path) as tiff:
        check_companions(path, tiff)
        return _choose(path, tiff, None)[1]


def _choose(path: Path, tiff: TiffFile, wanted: int | None) -> tuple[TiffPageSeries, Series | None]:
    """Return the image that is wanted, otherwise the one with the largest planes.

    Only OME-TIFF and SCN list images of equal rank; what else lies in other files are labels and thumbnails. An
    OME-TIFF of several files names the images of all of them; those without a page in this file belong to others.
    """
    found = [series for series in tiff.series if _is_within(series, tiff)] or list(tiff.series)
    if not found:
        raise DamagedImageError(f"{path} holds no image; it is damaged or empty. Export it again.")
    largest = max(found, key=lambda series: series.keyframe.imagelength * series.keyframe.imagewidth)
    listed = found if tiff.is_ome or tiff.is_scn else [largest]
    which = choose_series(path, [series.name for series in listed], listed.index(largest), wanted)
    chosen = largest if which is None else listed[which.index]
    if 0 in chosen.shape:
        raise UnsupportedImageError(f"{path} has no pixels: its shape is {tuple(chosen.shape)}.")
    return chosen, which


def _is_within(series: TiffPageSeries, tiff: TiffFile) -> bool:
    """Return whether any page of an image lies in this file."""
    if not tiff.is_ome or series.keyframe.parent is tiff:
        return True
    return any(page is not None and page.parent is tiff for page in series.pages)


def _usable_levels(series: TiffPageSeries) -> list[TiffPageSeries]:
    """Levels without those that are not smaller than the one before."""
    levels = [series]
    for level in series.levels[1:]:
        before, page = levels[-1].keyframe, level.keyframe
        if page.imagelength * page.imagewidth < before.imagelength * before.imagewidth:
            levels.append(level)
    return levels


def _layout(name: str, series: TiffPageSeries) -> _Layout:
    """Work out which axes count pages and which lie within one."""
    page = series.keyframe
    separate, depth, _, _, interleaved = page.shaped
    n_samples = separate * interleaved
    if min(separate, interleaved) > 1:
        raise UnsupportedImageError(f"{name} mixes interleaved and separate samples; export it with one kind.")
    axes, shape = series.get_axes(squeeze=False), series.get_shape(squeeze=False)
    within = math.prod(page.shaped)
    n_outer = next((n for n in range(len(shape) + 1) if math.prod(shape[n:]) == within), None)
    if n_outer is None:
        raise UnsupportedImageError(f"{name} has pages that do not add up to its axes {axes} {shape}; export it again.")
    outer = [(axis, size) for axis, size in zip(axes[:n_outer], shape, strict=False) if size > 1]
    palette = palette_colours(page)
    samples = "S" if palette is not None else _samples_axis(name, page, n_samples)
    letters = _known_axes(name, [*outer, *([("Z", depth)] if depth > 1 else [])], taken=samples)
    return _Layout(
        outer=letters[: len(outer)],
        outer_shape=tuple(size for _, size in outer),
        depth=letters[len(outer) :],
        samples=samples,
        palette=palette,
    )


def _samples_axis(name: str, page: TiffPage, n_samples: int) -> str:
    """``S`` for colour, ``C`` for samples that are channels, nothing for one sample beside alpha."""
    photometric = int(page.photometric)
    if photometric in (_PHOTOMETRIC_RGB, _PHOTOMETRIC_YCBCR):
        return "S" if n_samples in (3, 4) else "C"
    if photometric not in _GREY_PHOTOMETRICS:
        kind = getattr(page.photometric, "name", photometric)
        raise UnsupportedImageError(f"{name} holds {kind} colours, which are not supported; save it as RGB.")
    is_alpha = n_samples == 2 and bool(page.extrasamples) and int(page.extrasamples[0]) in _ALPHA
    return "" if n_samples == 1 or is_alpha else "C"


def _known_axes(name: str, axes: list[tuple[str, int]], taken: str) -> str:
    """Letters of axes longer than 1, with a meaning given to one that has none."""
    letters = ""
    for axis, size in axes:
        used = letters + taken + "".join(other for other, _ in axes)
        if axis in "QI":
            preferred = "CZT" if size <= _MAX_SMALL_STACK else "ZTC"
            axis = next((letter for letter in preferred if letter not in used), axis)
        letters += axis
    if len(set(letters + taken)) < len(letters + taken) or not set(letters) <= set("TCZ"):
        shown = " x ".join(f"{axis} {size}" for axis, size in axes)
        raise UnsupportedImageError(
            f"{name} has the axes {shown} beside Y and X; supported are T, C and Z, once each. Export one position."
        )
    return letters


def _level(name: str, level: TiffPageSeries, layout: _Layout, cache: ByteCache) -> TiffLevel:
    """Collect where the pages of one level lie; offsets only, no pixels."""
    separate, depth, _, _, interleaved = level.keyframe.shaped
    outer_shape = _outer_shape(name, level, layout)
    leading = [*outer_shape]
    if layout.depth:
        leading.append(depth)
    if layout.samples == "C":
        leading.append(separate * interleaved)
    pages, form = _stored_pages(level, math.prod(outer_shape))
    return TiffLevel(
        tuple(leading),
        outer_shape,
        pages,
        form,
        is_rgb=layout.is_rgb,
        name=name,
        cache=cache,
        palette=layout.palette,
    )


def _outer_shape(name: str, level: TiffPageSeries, layout: _Layout) -> tuple[int, ...]:
    """Sizes of the axes that count pages; a level may have fewer planes than the finest."""
    within = math.prod(level.keyframe.shaped)
    n_pages = math.prod(level.shape) // within
    if n_pages != math.prod(layout.outer_shape):
        raise UnsupportedImageError(
            f"{name} has levels with different numbers of planes ({n_pages} and {math.prod(layout.outer_shape)}); "
            "export it as OME-Zarr."
        )
    return layout.outer_shape


def _stored_pages(level: TiffPageSeries, n_pages: int) -> tuple[tuple[StoredPage | None, ...], PageFormat]:
    """Positions of all pages, and how they are stored."""
    form = _page_format(level.keyframe, plain=True)
    start = level.dataoffset
    if form.decode is None and start:
        path = Path(level.keyframe.parent.filehandle.path)
        step = form.page_bytes
        return tuple(StoredPage(path, (start + i * step,), (step,), {}) for i in range(n_pages)), form
    if len(level) != n_pages:
        raise DamagedImageError(f"{level.keyframe.parent.filehandle.path} lists {len(level)} pages of {n_pages}.")
    pages = [level[i] for i in range(n_pages)]
    if len({page.parent.byteorder for page in pages if page is not None}) > 1:
        raise UnsupportedImageError(
            f"The files of {level.keyframe.parent.filehandle.path} differ in byte order; export them again."
        )
    if form.decode is None and not all(page is None or _is_one_run(page, form.page_bytes) for page in pages):
        form = _page_format(level.keyframe, plain=False)
    return tuple(None if page is None else _stored_page(page, form) for page in pages), form


def _stored_page(page: TiffPage | TiffFrame, form: PageFormat) -> StoredPage:
    """Copy what is needed after the file is closed."""
    keyframe = cast("TiffPage", page.keyframe)
    options: dict[str, Any] = {"_fullsize": keyframe.is_tiled}
    if form.is_jpeg:
        options |= {"jpegtables": page.jpegtables, "jpegheader": keyframe.jpegheader}
    return StoredPage(Path(page.parent.filehandle.path), tuple(page.dataoffsets), tuple(page.databytecounts), options)


def _page_format(page: TiffPage, *, plain: bool) -> PageFormat:
    """How the pages of a level are stored; ``plain`` uses stored pixels as they are where that is possible."""
    columns = page.shaped[3]
    segment = (page.tiledepth, page.tilelength, page.tilewidth) if page.is_tiled else (1, page.rowsperstrip, columns)
    is_ycbcr = _is_ycbcr(page)
    is_plain = plain and bool(page.is_final) and not is_ycbcr
    if not is_plain:
        check_compression(page)
    return PageFormat(
        shaped=page.shaped,
        segment=(max(1, segment[0]), max(1, segment[1]), max(1, segment[2])),
        dtype=np.dtype(page.parent.byteorder + np.dtype(page.dtype).char),
        decode=None if is_plain else page.decode,
        is_jpeg=int(page.compression) in _JPEG_COMPRESSIONS,
        is_ycbcr=is_ycbcr,
        black=_black(page),
    )


def _black(page: TiffPage) -> int | None:
    """Return the stored value of black if 0 is white; of labels, and of signed and real numbers, 0 is 0."""
    if int(page.photometric) != _PHOTOMETRIC_MINISWHITE or page.dtype not in (bool, np.uint8, np.uint16):
        return None
    if page.dtype == bool and page.software.startswith("tifffile"):
        return None  # tifffile declares 0 as white in every bool array, whatever True means there
    return (1 << page.bitspersample) - 1


def _is_ycbcr(page: TiffPage) -> bool:
    """Whether decoded samples are still YCbCr: Aperio's JPEG 2000 says so by its number alone."""
    compression = int(page.compression)
    if compression in _JPEG_COMPRESSIONS | _JPEG_2000_COMPRESSIONS or page.dtype != np.uint8:
        return compression == _APERIO_JPEG_2000_YCBCR
    return int(page.photometric) == _PHOTOMETRIC_YCBCR


def _is_one_run(page: TiffPage | TiffFrame, n_bytes: int) -> bool:
    """Whether the strips of a page follow each other without gaps and are all there; one never written is at 0."""
    starts, counts = page.dataoffsets, page.databytecounts
    ends = [start + count for start, count in zip(starts, counts, strict=False)]
    return bool(starts) and min(starts) > 0 and sum(counts) == n_bytes and ends[:-1] == list(starts[1:])


def _squeezed(layout: _Layout) -> str:
    """Axes of the image."""
    return layout.leading + "YX" + ("S" if layout.is_rgb else "")
