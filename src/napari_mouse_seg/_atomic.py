"""Write beside the target, then move into place: a reader never meets half a file."""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from napari_mouse_seg.errors import ExportError, MouseSegError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

_Result = TypeVar("_Result")

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}
_IN_USE = {32, 33}  # Windows: by another process, all of it or the part that is wanted.
_REFUSED = 5  # Windows, also for a file that another process has open.
_LONG_PATH = 180  # Windows takes 259 characters; temporary names and the chunks of an OME-Zarr need some.
_UNFINISHED = re.compile(r"\.[0-9a-f]{8}\.(part|old)\.")
_WAITS_S = (0.02, 0.05, 0.1, 0.2, 0.4, 0.5) if os.name == "nt" else ()


@contextmanager
def replacing(
    path: Path, *, overwrite: bool = False, durable: bool = False, error: type[MouseSegError] = ExportError
) -> Iterator[Path]:
    """Give a temporary path to write to; it becomes ``path`` when the block ends without error.

    The folder is made if needed. Works for files and folders; after an error nothing is left behind
    and an older ``path`` is untouched.

    Parameters
    ----------
    path
        File or folder to write.
    overwrite
        Whether an existing one may be replaced.
    durable
        Whether to wait until the disk holds the file, so that it survives a power cut. For files; some milliseconds.
    error
        What is raised, for callers whose files are no results.

    Raises
    ------
    ExportError
        Or ``error``, if ``path`` exists and ``overwrite`` is false, a folder would take a file's place or a file a
        folder's, or the disk refuses.
    """
    if path.exists() and not overwrite:
        raise error(exists_already(path))
    temporary = path.with_name(f".{uuid4().hex[:8]}.part.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        if durable:
            _flush(temporary)
        if path.exists() and path.is_dir() != temporary.is_dir():
            raise error(f"{path} is {_kind(path)}, and {_kind(temporary)} is to be written there; choose another name.")
        _move(temporary, path)
        if durable:
            with suppress(OSError):  # Some network volumes flush no folders; the file is in place.
                _flush(path.parent)
    except MouseSegError:
        raise
    except OSError as cause:
        raise error(explain(path, cause)) from cause
    finally:
        remove(temporary)


def remove_unfinished(folder: Path, names: Collection[str] | None = None) -> None:
    """Remove what killed processes left half written, or replaced; only where nobody else is writing.

    A replaced folder stays while nothing has taken its place.

    Parameters
    ----------
    folder
        Its own entries are looked at, not those of folders in it. It may be absent.
    names
        What the files were to be called; None for all.
    """
    with suppress(OSError):
        for entry in list(folder.iterdir()):
            match = _UNFINISHED.match(entry.name)
            name = entry.name[match.end() :] if match else ""
            only_copy = match is not None and match[1] == "old" and not (folder / name).exists()
            if name and not only_copy and (names is None or name in names):
                remove(entry)


def patiently(action: Callable[[], _Result]) -> _Result:
    """Do something to a file, on Windows again for a moment while another process has the file open.

    Virus scanners and indexers open every new file; Windows lets nobody move or replace one that is open.

    Raises
    ------
    OSError
        As of ``action``.
    """
    for wait_s in _WAITS_S:
        try:
            return action()
        except PermissionError:
            time.sleep(wait_s)
    return action()


def try_folder(folder: Path) -> None:
    """Make a file in a folder and remove it; Python's own temporary files try without end where Windows refuses.

    Raises
    ------
    OSError
        If files cannot be made there.
    """
    probe = folder / f".{uuid4().hex}"
    os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_RDWR))
    probe.unlink()


def is_in_use(path: Path, error: OSError) -> bool:
    """Return whether Windows refused because another program has a file open."""
    code = getattr(error, "winerror", None)
    return code in _IN_USE or (code == _REFUSED and path.is_file() and os.access(path, os.W_OK))


def explain(path: Path, error: OSError, verb: str = "written") -> str:
    """Say why the disk refused, and what to do.

    Parameters
    ----------
    path
        What was to be changed.
    error
        From the operating system.
    verb
        What was to be done to it, as in "could not be ...".
    """
    failed, folder = f"{path.name} could not be {verb}", path.parent
    if is_in_use(path, error):
        return f"{failed}: it is open in another program; close it there."
    if error.errno in _NO_SPACE:
        return f"{failed}: the disk of {folder} is full ({_free(folder)}); free some."
    if error.errno in _NO_RIGHT:
        return f"{failed}: no permission to write into {folder}; choose another folder."
    if error.errno in {errno.ENOTDIR, errno.EEXIST}:
        return f"{failed}: {folder} is not a folder; choose another."
    if error.errno == errno.ENOENT and os.name == "nt" and len(str(path)) > _LONG_PATH and folder.is_dir():
        return f"{failed}: its path has {len(str(path))} characters, too many for Windows; choose a shorter folder."
    if error.errno == errno.ENOENT:
        return f"{failed}: it, or the folder {folder}, is no longer there; put it back or choose another folder."
    return f"{failed} ({error.strerror or error}); check the folder {folder}."


def _kind(path: Path) -> str:
    return "a folder" if path.is_dir() else "a file"


def _free(folder: Path) -> str:
    try:
        return f"{shutil.disk_usage(folder).free / 1e6:.0f} MB free"
    except OSError:
        return "free space unknown"


def _flush(path: Path) -> None:
    """Wait until the disk holds a file, or the names in a folder; Windows keeps those by itself."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _move(temporary: Path, path: Path) -> None:
    """Put the new one in place; a folder cannot replace a folder, so the old one steps aside first."""
    if not path.is_dir():
        patiently(lambda: os.replace(temporary, path))
        return
    aside = path.with_name(f".{uuid4().hex[:8]}.old.{path.name}")
    patiently(lambda: os.rename(path, aside))
    try:
        patiently(lambda: os.rename(temporary, path))
    except OSError:
        patiently(lambda: os.rename(aside, path))
        raise
    remove(aside)


def remove(path: Path) -> None:
    """Remove a file or a folder as far as that is possible."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def exists_already(path: Path) -> str:
    """Return the words for a result that would be replaced."""
    return f"{path} exists already; choose another folder or allow overwriting (--overwrite, in Python overwrite=True)."
