"""A hash that tells in a run record which image was used."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from napari_mouse_seg.errors import ImageNotFoundError
from napari_mouse_seg.images._guard import reading

_ZARR_METADATA = frozenset({"zarr.json", ".zgroup", ".zarray", ".zattrs", ".zmetadata"})


def image_hash(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of an image as hexadecimal digits.

    Of a file: of its bytes. Of a directory (OME-Zarr): of the relative path and size of every file in it, sorted,
    and of the bytes of the metadata files; chunks are not read, as there may be millions of them.

    Raises
    ------
    ImageNotFoundError
        If there is nothing at the path.
    """
    path = Path(path)
    if not path.exists():
        raise ImageNotFoundError(f"There is no file or directory {path}; check the path.")
    with reading(str(path), "the file"):
        if path.is_dir():
            return _directory_hash(path)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def _directory_hash(root: Path) -> str:
    """Hash names and sizes, and the content of metadata."""
    digest = hashlib.sha256()
    files = (Path(folder, name) for folder, _, names in os.walk(root) for name in names)
    for relative, file in sorted((file.relative_to(root).as_posix(), file) for file in files):
        digest.update(f"{relative}\0{file.stat().st_size}\0".encode())
        if file.name in _ZARR_METADATA:
            digest.update(file.read_bytes())
    return digest.hexdigest()
