"""Which files a command works on, and what they are called."""

from __future__ import annotations

import glob
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mouse_seg.errors import ImageError, ImageNotFoundError, PlanError
from napari_mouse_seg.images import image_stem, plate_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OVERLAY_ENDING = "_overlay"
_LABEL_SUFFIXES = (".tif", ".tiff", ".png", ".zarr", ".npy")
_ZARR_FILES = ("zarr.json", ".zattrs", ".zgroup", ".zarray")


def find_inputs(texts: Iterable[str]) -> list[Path]:
    """Return the absolute paths of the images that arguments stand for, in order, each once.

    Parameters
    ----------
    texts
        Files, OME-Zarr folders, folders (every image directly in them), or patterns with ``*``, ``?``
        or ``[]`` (for shells that do not expand them). A pattern with a suffix takes every file that it names, one
        without takes the images; ``**`` stands for folders within folders. An OME-Zarr plate or well stands for its
        fields.

    Raises
    ------
    ImageNotFoundError
        If a folder or pattern holds no image. A missing file is found when it is opened.
    """
    found = [_absolute(image) for text in texts for path in _expand(text) for image in plate_fields(path) or [path]]
    return list(dict.fromkeys(found))


def user_path(text: str) -> Path:
    """Return a path as the user means it: ``~`` at its beginning is the home folder, unless that is a file's name.

    A shell does not see to it in quotes or after ``=``.
    """
    path = Path(text)
    if text.startswith("~") and not os.path.lexists(path):
        with suppress(RuntimeError):  # No such user.
            return path.expanduser()
    return path


def check_stems(paths: Iterable[Path]) -> None:
    """Refuse inputs whose results would have the same name.

    Raises
    ------
    PlanError
        Names the two.
    """
    for one, other in _of_one_stem(paths):
        raise PlanError(
            f"{one} and {other} would both be written as {image_stem(other)}; segment them into different folders."
        )


def _of_one_stem(paths: Iterable[Path]) -> Iterator[tuple[Path, Path]]:
    """Yield each path whose stem another one had before, after that one."""
    seen: dict[str, Path] = {}
    for path in paths:
        other = seen.setdefault(image_stem(path).casefold(), path)
        if other != path:
            yield other, path


def is_folder(path: Path) -> bool:
    """Return whether there is a folder; of a path that cannot be one, its opening tells why."""
    with suppress(OSError):
        return path.is_dir()
    return False


def find_labels(folder: Path) -> dict[str, Path]:
    """Return the label images directly in a folder by stem; overlay pictures beside them are left out.

    Raises
    ------
    ImageNotFoundError
        If there is no such folder or it holds no label image.
    PlanError
        If two files have the same stem.
    """
    if not is_folder(folder):
        raise ImageNotFoundError(f"There is no folder {folder}; check the path.")
    paths = [path for path in _visible(folder) if path.suffix.lower() in _LABEL_SUFFIXES]
    if not paths:
        raise ImageNotFoundError(f"{folder} holds no label image ({', '.join(_LABEL_SUFFIXES)}); check the path.")
    for one, other in _of_one_stem(paths):
        raise PlanError(f"{one} and {other} are both labels of {image_stem(other)}; leave one of them there.")
    found = {image_stem(path): path for path in paths}
    return {
        stem: path for stem, path in found.items() if stem.removesuffix(OVERLAY_ENDING) not in found.keys() - {stem}
    }


def _expand(text: str) -> list[Path]:
    path = user_path(text)
    if is_folder(path):
        return [path] if _is_zarr(path) else _some(text, _images(_visible(path)))
    if not os.path.lexists(path) and glob.has_magic(text):
        named = [Path(name) for name in sorted(glob.glob(_pattern(path), recursive=True))]
        return _some(text, named if path.suffix and not glob.has_magic(path.suffix) else _images(named))
    return [path]


def _pattern(path: Path) -> str:
    """Return a path as a pattern in which the folders that are there stand for themselves, brackets and all."""
    folder = next((parent for parent in path.parents if os.path.lexists(parent)), Path())
    return os.path.join(glob.escape(str(folder)), path.relative_to(folder))


def _absolute(path: Path) -> Path:
    """One spelling for a path, whose last part names the results; a link keeps its name."""
    path = path.absolute()
    if ".." not in path.parts:
        return path
    return path.resolve() if path.name == ".." else path.parent.resolve() / path.name


def _images(paths: Iterable[Path]) -> list[Path]:
    from napari_mouse_seg.images import IMAGE_SUFFIXES

    return [path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES or (is_folder(path) and _is_zarr(path))]


def _some(text: str, paths: list[Path]) -> list[Path]:
    if not paths:
        raise ImageNotFoundError(f"{text} holds no image that can be opened; check the path or the pattern.")
    return paths


def _visible(folder: Path) -> list[Path]:
    """List what a folder holds.

    Raises
    ------
    ImageError
        If it may not be read.
    """
    try:
        return [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    except OSError as error:
        raise ImageError(f"The folder {folder} cannot be read ({error.strerror}); change its permissions.") from error


def _is_zarr(path: Path) -> bool:
    return path.suffix.lower() == ".zarr" or any(os.path.exists(path / name) for name in _ZARR_FILES)
