"""Open an image by its content, not by its suffix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_mouse_seg.errors import DamagedImageError, ImageNotFoundError, UnsupportedImageError
from napari_mouse_seg.images._dtypes import refuse_labels
from napari_mouse_seg.images._guard import reading
from napari_mouse_seg.images._headers import JPEG_MAGIC, PNG_MAGIC
from napari_mouse_seg.images._raster import open_raster
from napari_mouse_seg.images._series import choose_series
from napari_mouse_seg.images._tiff import open_tiff, tiff_series
from napari_mouse_seg.images._zarr import ome_zarr_series, open_ome_zarr

if TYPE_CHECKING:
    import os

    from napari_mouse_seg.images._image import MultiscaleImage
    from napari_mouse_seg.images._series import Series

IMAGE_SUFFIXES = (".tif", ".tiff", ".btf", ".qptiff", ".svs", ".ndpi", ".scn", ".png", ".jpg", ".jpeg", ".zarr")
"""Lower-case endings of the names of files and directories that may be images."""

_TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def open_image(
    path: str | os.PathLike[str], *, series: int | None = None, labels: bool = False, join: bool = True
) -> MultiscaleImage:
    """Open an image file or OME-Zarr directory without reading pixels.

    TIFF (plain, ImageJ, OME-TIFF, SVS and other tiled pyramids), OME-Zarr 0.4 and 0.5, PNG, JPEG. Pixels are uint8,
    uint16, int16 or float32; bool is read as uint8, int8 as int16, float16 and float64 as float32. Palettes of colours
    become RGB, and where a file says that 0 is white, values are turned round. Three 8-bit channels of an OME or ImageJ
    file without names of their own become RGB too if they are bright as a stained section is, of which small patches
    are read to know. A large image without small levels gets computed ones.

    Parameters
    ----------
    path
        File or directory.
    series
        Which image of a file that holds several (OME-TIFF, SCN, OME-Zarr as bioformats2raw writes it), from 0. None
        takes the first of an OME-Zarr, and otherwise the one with the most pixels, of equal ones the first.
    labels
        Whether a label image, of integers of 32 or 64 bits, is opened too, as uint32; it cannot be segmented.
    join
        Whether three bright channels may become RGB, as above; False leaves them channels.

    Returns
    -------
    MultiscaleImage
        Lazy; files are opened for each read, so there is nothing to close.

    Raises
    ------
    ImageNotFoundError
        If there is nothing at the path.
    UnsupportedImageError
        If the kind, dtype or axes are not supported, or there are no pixels.
    DamagedImageError
        If the file is truncated or damaged.
    PlanError
        If the file holds no such series.
    """
    image = _open(Path(path), series, join=join)
    if not labels:
        refuse_labels(image.levels[0].stored_dtype, str(path))
    return image


def list_series(path: str | os.PathLike[str]) -> Series | None:
    """Return which image of a file ``open_image`` takes and the names of all; no image is opened.

    So those that can be opened are known where another cannot.

    Parameters
    ----------
    path
        File or directory.

    Returns
    -------
    Series or None
        None if the file holds but one image, or is none.

    Raises
    ------
    DamagedImageError
        If the structure of the file cannot be read.
    """
    path = Path(path)
    with reading(str(path), "the file"):
        if path.is_dir():
            return ome_zarr_series(path)
        return tiff_series(path) if path.is_file() and _magic(path).startswith(_TIFF_MAGICS) else None


def _open(path: Path, series: int | None, *, join: bool) -> MultiscaleImage:
    """Choose the way by what is there."""
    with reading(str(path), "the file"):
        if not path.exists():
            raise ImageNotFoundError(f"There is no file or directory {path}; check the path.")
        if path.is_dir():
            return open_ome_zarr(path, series, join=join)
        if not path.is_file():
            raise UnsupportedImageError(f"{path} is neither a file nor a directory; give an image file.")
        return _open_file(path, series, join=join)


def _magic(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8)


def _open_file(path: Path, series: int | None, *, join: bool) -> MultiscaleImage:
    """Choose the reader by the first bytes."""
    magic = _magic(path)
    if not magic:
        raise DamagedImageError(f"{path} is empty (0 bytes); copy or export it again.")
    if magic.startswith(_TIFF_MAGICS):
        return open_tiff(path, series, join=join)
    if magic.startswith((PNG_MAGIC, JPEG_MAGIC)):
        choose_series(path, [""], 0, series)
        return open_raster(path)
    raise UnsupportedImageError(
        f"{path} is no TIFF, SVS, PNG or JPEG (it begins with {magic.hex(' ')}); convert it to OME-TIFF or OME-Zarr."
    )
