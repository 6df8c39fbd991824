"""Names of images and of files made from them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from napari_mouse_seg.images._image import MultiscaleImage


_ZARR = ".zarr"
_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


def file_name(text: str) -> str:
    """Return a text as a name that a file can have on every system; empty where nothing is left of it."""
    return _NOT_IN_NAMES.sub("_", text).strip(". ")


def zarr_root(path: Path) -> Path:
    """Return the outermost OME-Zarr directory around a group in one, such as a plate's; by names alone.

    What is in none, and what has an ending of its own, is its own root.
    """
    around = [folder for folder in path.parents if folder.suffix.lower() == _ZARR]
    return around[-1] if around and not path.suffix else path


def image_name(path: Path) -> str:
    """Return what an image is called: its file, or where it is in an OME-Zarr, ``plate.zarr/A/1/0``."""
    return path.relative_to(zarr_root(path).parent).as_posix()


def image_stem(path: Path) -> str:
    """Return the name without its format: ``field.ome.tif`` and ``field.png`` are both ``field``.

    A field of a plate, ``plate.zarr/A/1/0``, is ``plate-A-1-0``.
    """
    root = zarr_root(path)
    if root != path:
        return "-".join((image_stem(root), *path.relative_to(root).parts))
    name = path.name
    for ending in (path.suffix, ".ome"):
        if ending and name.lower().endswith(ending.lower()):
            name = name[: -len(ending)]
    return name or path.name


def result_stem(image: MultiscaleImage) -> str:
    """Return what results of an image are called: as its file, and with its number where one of several was chosen."""
    if image.path is None:
        return file_name(image.name) or "image"
    stem, series = image_stem(image.path), image.series
    return stem if series is None or not series.is_chosen else f"{stem}-series{series.index}"
