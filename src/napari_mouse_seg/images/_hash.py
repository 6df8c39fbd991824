"""Hashes that tell which image a run record or a project speaks of."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mouse_seg.errors import ImageNotFoundError
from napari_mouse_seg.images._guard import reading

if TYPE_CHECKING:
    from collections.abc import Iterator

_ZARR_METADATA = frozenset({"zarr.json", ".zgroup", ".zarray", ".zattrs", ".zmetadata"})
_OF_FILE_MANAGERS = frozenset({"thumbs.db", "desktop.ini"})

_N_SAMPLES = 64
_SAMPLE_BYTES = 64 * 1024


def image_hash(*paths: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of an image as hexadecimal digits.

    Of a file: of its bytes. Of a directory (OME-Zarr): of the relative path and size of every file in it, sorted,
    and of the bytes of the metadata files; chunks are not read, as there may be millions of them. Of several files
    that are one image: of their hashes, one after the other.

    Raises
    ------
    ImageNotFoundError
        If there is nothing at a path.
    """
    if len(paths) > 1:
        return hashlib.sha256("".join(map(image_hash, paths)).encode()).hexdigest()
    path = _existing(*paths)
    with reading(str(path), "the file"):
        if path.is_dir():
            return _directory_hash(path)
        found = path.stat()
        return _file_hash(path.absolute(), found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=16)
def _file_hash(path: Path, _size: int, _changed: int) -> str:
    """Hash a file once for all of its images, as long as it keeps its size and time."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def image_files(path: Path) -> Iterator[Path]:
    """Return the files that an image is: itself, or all in its folder but what file managers leave there."""
    if not path.is_dir():
        yield path
        return
    for folder, _, names in os.walk(path):
        for name in names:
            hidden = name.startswith(".") and name not in _ZARR_METADATA
            if not hidden and name.lower() not in _OF_FILE_MANAGERS:
                yield Path(folder, name)


def image_fingerprint(path: str | os.PathLike[str]) -> str:
    """Return a quick hash that knows an image again after a move, as hexadecimal digits.

    Of a file: SHA-256 of its size and of 64 evenly spaced blocks of 64 KiB, the first and last bytes among them; a
    file of up to 4 MiB is read whole. It takes milliseconds for a slide of 50 GB, and is blind to changes between
    the blocks. Of a directory: as :func:`image_hash`.

    Raises
    ------
    ImageNotFoundError
        If there is nothing at the path.
    """
    path = _existing(path)
    with reading(str(path), "the file"):
        return _directory_hash(path) if path.is_dir() else _sampled_hash(path)


def _existing(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    if not path.exists():
        raise ImageNotFoundError(f"There is no file or directory {path}; check the path.")
    return path


def _sampled_hash(path: Path) -> str:
    """Hash the size and evenly spaced blocks; all bytes where the blocks would cover them."""
    size = path.stat().st_size
    digest = hashlib.sha256(f"{size}\0".encode())
    with path.open("rb") as file:
        if size <= _N_SAMPLES * _SAMPLE_BYTES:
            digest.update(file.read())
            return digest.hexdigest()
        for index in range(_N_SAMPLES):
            file.seek(index * (size - _SAMPLE_BYTES) // (_N_SAMPLES - 1))
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def _directory_hash(root: Path) -> str:
    """Hash names and sizes, and the content of metadata."""
    digest = hashlib.sha256()
    for relative, file in sorted((file.relative_to(root).as_posix(), file) for file in image_files(root)):
        digest.update(f"{relative}\0{file.stat().st_size}\0".encode())
        if file.name in _ZARR_METADATA:
            digest.update(file.read_bytes())
    return digest.hexdigest()
