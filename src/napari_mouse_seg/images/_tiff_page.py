"""Where the pages of a TIFF lie in their files, and how they are stored there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_mouse_seg.errors import DamagedImageError, UnsupportedImageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import numpy as np

MAX_SEGMENT_BYTES = 2 * 2**30
"""A tile or strip that decodes to more than this is refused."""


@dataclass(frozen=True, slots=True)
class StoredPage:
    """Where the pixels of one page lie.

    Attributes
    ----------
    path
        The file; pages of one image may lie in several.
    offsets, counts
        Position and bytes of each segment.
    options
        Arguments of the decoder, such as JPEG tables.
    """

    path: Path
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    options: dict[str, Any]  # Any: passed on to tifffile


@dataclass(frozen=True, slots=True)
class PageFormat:
    """How all pages of a level are stored.

    Attributes
    ----------
    shaped
        Separate samples, depth, rows, columns, interleaved samples.
    segment
        Depth, rows, columns of one tile or strip.
    dtype
        In the byte order of the file.
    decode
        tifffile's decoder of one segment; None if pages are stored as plain pixels in one run.
    is_jpeg
        Whether segments are JPEG streams, whose size is checked before decoding.
    is_ycbcr
        Whether decoded samples still have to be converted to RGB.
    black
        Stored value of black where 0 is white; None where 0 is black.
    """

    shaped: tuple[int, int, int, int, int]
    segment: tuple[int, int, int]
    dtype: np.dtype[Any]
    decode: Callable[..., Any] | None  # Any: tifffile's closure
    is_jpeg: bool
    is_ycbcr: bool
    black: int | None

    @property
    def grid(self) -> tuple[int, int, int]:
        """Segments along depth, rows and columns."""
        depth, rows, columns = (-(-size // part) for size, part in zip(self.shaped[1:4], self.segment, strict=True))
        return depth, rows, columns

    @property
    def n_segments(self) -> int:
        """Segments of a page."""
        depth, rows, columns = self.grid
        return self.shaped[0] * depth * rows * columns

    @property
    def segment_bytes(self) -> int:
        """Bytes of a decoded segment."""
        depth, rows, columns = self.segment
        return depth * rows * columns * self.shaped[4] * self.dtype.itemsize

    @property
    def page_bytes(self) -> int:
        """Bytes of a decoded page."""
        separate, depth, rows, columns, samples = self.shaped
        return separate * depth * rows * columns * samples * self.dtype.itemsize


def check_pages(pages: Iterable[StoredPage | None], form: PageFormat, name: str) -> None:
    """Refuse pages before any is read: with too few segments, or segments that are huge or beyond the end of a file.

    Parameters
    ----------
    pages
        None for one that is missing.
    form
        How they are stored.
    name
        File, for messages.

    Raises
    ------
    UnsupportedImageError
        If a segment decodes to more than ``MAX_SEGMENT_BYTES``.
    DamagedImageError
        If segments are missing or the file is too short for them.
    """
    if form.decode is not None and form.segment_bytes > MAX_SEGMENT_BYTES:
        raise UnsupportedImageError(
            f"{name} stores {form.segment_bytes / 2**30:.1f} GiB of pixels in one compressed piece, "
            f"more than the limit of {MAX_SEGMENT_BYTES / 2**30:.0f} GiB; convert it to a tiled TIFF."
        )
    sizes: dict[Path, int] = {}
    for page in pages:
        if page is None:
            continue
        if page.path not in sizes:
            sizes[page.path] = page.path.stat().st_size
        _check_page(page, form, sizes[page.path])


def _check_page(page: StoredPage, form: PageFormat, file_bytes: int) -> None:
    """Check one page's table of segments against the size of its file."""
    wanted = 1 if form.decode is None else form.n_segments
    if min(len(page.offsets), len(page.counts)) < wanted:
        raise DamagedImageError(
            f"{page.path} is damaged: it lists {len(page.offsets)} tiles or strips of {wanted}; export it again."
        )
    end = max(offset + count for offset, count in zip(page.offsets, page.counts, strict=False))
    if form.decode is None:
        end = page.offsets[0] + form.page_bytes
    if end > file_bytes:
        raise DamagedImageError(
            f"{page.path} is truncated: its pixels reach to byte {end:,}, but it has {file_bytes:,} bytes; "
            "copy it again."
        )
