"""Write beside the target, then move into place: a reader never meets half a file."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from napari_mouse_seg.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def replacing(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary path to write to; it becomes ``path`` when the block ends without error.

    The folder is made if needed. Works for files and folders; after an error nothing is left behind
    and an older ``path`` is untouched.

    Raises
    ------
    ExportError
        If ``path`` exists and ``overwrite`` is false, or the disk refuses.
    """
    if path.exists() and not overwrite:
        raise ExportError(f"{path} exists already; choose another folder or allow overwriting (--overwrite).")
    temporary = path.with_name(f".{uuid4().hex[:8]}.part.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _move(temporary, path)
    except ExportError:
        raise
    except OSError as error:
        raise ExportError(_explain(path, error)) from error
    finally:
        _remove(temporary)


def _move(temporary: Path, path: Path) -> None:
    """Put the new one in place; a folder cannot replace a folder, so the old one steps aside first."""
    if not path.is_dir():
        os.replace(temporary, path)
        return
    aside = path.with_name(f".{uuid4().hex[:8]}.old.{path.name}")
    os.rename(path, aside)
    try:
        os.rename(temporary, path)
    except OSError:
        os.rename(aside, path)
        raise
    _remove(aside)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _explain(path: Path, error: OSError) -> str:
    if error.errno in _NO_SPACE:
        free = shutil.disk_usage(path.parent).free / 1e6
        return f"{path.name} could not be written: the disk of {path.parent} is full ({free:.0f} MB free); free some."
    if error.errno in _NO_RIGHT:
        return f"{path.name} could not be written: no permission to write into {path.parent}; choose another folder."
    if error.errno in {errno.ENOTDIR, errno.EEXIST}:
        return f"{path.name} could not be written: {path.parent} is not a folder; choose another."
    return f"{path.name} could not be written into {path.parent} ({error.strerror or error}); check the folder."
