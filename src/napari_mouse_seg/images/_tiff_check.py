"""Check that the structure of a TIFF is complete.

tifffile opens what is left of a truncated file: it leaves out pages, levels and descriptions that lie beyond the end.
Here that is an error, since an image with half its planes or without its pixel size looks like a good one.
"""

from __future__ import annotations

import math
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from napari_mouse_seg.errors import DamagedImageError, ImageNotFoundError, UnsupportedImageError
from napari_mouse_seg.images._guard import reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tifffile import TiffFile, TiffPage

# Bits per sample, description, positions and sizes of strips and tiles, colour map, SubIFDs, JPEG tables.
_NEEDED_TAGS = frozenset({258, 270, 273, 279, 320, 324, 325, 330, 347})
_UNCOMPRESSED = 1
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 13: 4, 16: 8, 18: 8}


def check_structure(path: Path, tiff: TiffFile, page: TiffPage) -> None:
    """Refuse a file whose chain of pages, smaller levels or needed tags reach beyond its end.

    Parameters
    ----------
    path
        For messages.
    tiff
        Open file.
    page
        First page of the image that is used.

    Raises
    ------
    DamagedImageError
        If something is missing.
    """
    if tiff.is_ndpi:
        return  # its 64-bit offsets are stored in another way
    _check_stack(path, tiff)
    following = _check_page(path, tiff, tiff.pages[-1].offset)
    if following >= tiff.filehandle.size:
        raise _truncated(path, "next page", following, tiff)
    with _opened(page.parent):
        _check_page(path, page.parent, page.offset)
        for number, offset in enumerate(page.subifds or (), start=1):
            _check_level(path, page, number, offset)


def check_compression(page: TiffPage) -> None:
    """Refuse pixels that cannot be decoded, before the first read would take them for damage.

    Raises
    ------
    UnsupportedImageError
        If their compression is unknown.
    """
    import tifffile

    try:
        known = page.compression == _UNCOMPRESSED or tifffile.TIFF.DECOMPRESSORS[page.compression] is not None
    except KeyError:
        known = False
    if not known:
        called = getattr(page.compression, "name", "compression")
        raise UnsupportedImageError(
            f"{page.parent.filehandle.path} is compressed by {called} ({int(page.compression)}), which cannot be read; "
            "save it by LZW or Deflate, or uncompressed."
        )


@contextmanager
def _opened(tiff: TiffFile) -> Iterator[None]:
    """Keep a file open: tifffile closes those that an image lies in beside the one that was opened."""
    was_closed = tiff.filehandle.closed
    if was_closed:
        tiff.filehandle.open()
    try:
        yield
    finally:
        if was_closed:
            tiff.filehandle.close()


def check_companions(path: Path, tiff: TiffFile) -> None:
    """Refuse an OME-TIFF whose images lie in several files when one of them is missing; its planes would be zeros.

    A file that was renamed still names its old self; its own identifier tells that. Where it has none, the first file
    that it names is taken for itself.

    Raises
    ------
    ImageNotFoundError
        With the name of the missing file.
    """
    if not tiff.is_ome or not tiff.ome_metadata or "FileName" not in tiff.ome_metadata:
        return
    root = ElementTree.fromstring(tiff.ome_metadata)
    images = [_entries(image) for image in root.iter() if image.tag.endswith("}Image")]
    entries = [entry for image in images for entry in image]
    if entries and not root.get("UUID") and path.name not in {entry.get("FileName") for entry in entries}:
        _identify(tiff, root, entries[0].text or "")
    own = root.get("UUID")
    within = [
        image for image in images if any((e.text == own if own else e.get("FileName") == path.name) for e in image)
    ]
    # Images that lie in other files alone are those files' own; only of a file that holds none they are needed.
    for entry in (entry for image in within or images for entry in image):
        name = entry.get("FileName")
        if name and entry.text != own and not (path.parent / name).exists():
            raise ImageNotFoundError(
                f"{path} is one of several files of an image, and {name} is missing beside it; put it there."
            )


def _entries(image: ElementTree.Element) -> list[ElementTree.Element]:
    """Which files an image says that its planes lie in."""
    return [entry for entry in image.iter() if entry.tag.endswith("}UUID") and entry.get("FileName")]


def _identify(tiff: TiffFile, root: ElementTree.Element, own: str) -> None:
    """Write a file's identifier into its OME-XML as it was read; without one tifffile knows files by their names."""
    root.set("UUID", own)
    tiff.pages.first.description = ElementTree.tostring(root, encoding="unicode")


def _check_level(path: Path, page: TiffPage, number: int, offset: int) -> None:
    """Refuse a smaller level without a complete table of tiles or strips."""
    import tifffile

    with reading(str(path), f"level {number}"):
        _check_page(path, page.parent, offset)
        page.parent.filehandle.seek(offset)
        level = tifffile.TiffPage(page.parent, (page.index, number - 1))
        if len(level.dataoffsets) < math.prod(level.chunked):
            raise EOFError("its table of tiles or strips is incomplete")


def _check_stack(path: Path, tiff: TiffFile) -> None:
    """Refuse an ImageJ stack whose planes, which follow each other behind its only page, go beyond the end."""
    first = tiff.pages.first
    is_complete = tiff.series[0].kind == "imagej"
    if is_complete or not tiff.is_imagej or len(tiff.pages) > 1 or not first.is_final:
        return
    n_planes = int((tiff.imagej_metadata or {}).get("images", 1))
    end = first.dataoffsets[0] + n_planes * first.nbytes
    if end > tiff.filehandle.size:
        raise _truncated(path, f"last of {n_planes} planes", end, tiff)


def _check_page(path: Path, tiff: TiffFile, offset: int) -> int:
    """Check where the needed tags of one page lie; return the position of the next page, 0 after the last."""
    form, file = tiff.tiff, tiff.filehandle
    file.seek(offset)
    (n_tags,) = struct.unpack(form.tagnoformat, file.read(form.tagnosize))
    for entry in struct.iter_unpack(_entry_format(form.byteorder, form.tagsize), file.read(n_tags * form.tagsize)):
        code, kind, count, position = entry
        n_bytes = count * _TYPE_BYTES.get(kind, 0)
        is_elsewhere = n_bytes > form.tagoffsetthreshold
        if code in _NEEDED_TAGS and is_elsewhere and position + n_bytes > file.size:
            raise _truncated(path, f"tag {code}", position + n_bytes, tiff)
    (following,) = struct.unpack(form.offsetformat, file.read(form.offsetsize))
    return int(following)


def _entry_format(byteorder: str, tag_bytes: int) -> str:
    """Code, type, count, and value or position, in TIFF or BigTIFF."""
    return f"{byteorder}HHII" if tag_bytes == 12 else f"{byteorder}HHQQ"


def _truncated(path: Path, what: str, position: int, tiff: TiffFile) -> DamagedImageError:
    return DamagedImageError(
        f"{path} is truncated: its {what} reaches to byte {position:,}, but it has {tiff.filehandle.size:,} bytes; "
        "copy it again."
    )
