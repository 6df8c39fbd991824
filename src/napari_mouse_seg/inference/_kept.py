"""Finished tiles in a folder that outlives the process, for a run that may be killed.

Tiles are appended pass by pass and summed again when a run is taken up. The sums themselves in a file, with a journal
of what is in them, were rejected: a kill between the two would count a tile twice or not at all, and a map of a file
on a full disk ends the process.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import struct
import time
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from napari_mouse_seg._atomic import explain
from napari_mouse_seg.errors import ExportError
from napari_mouse_seg.inference._frames import FrameFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_mouse_seg.tiling import Tile, TileGrid

logger = logging.getLogger(__name__)

_KEY, _SETUP, _TILES = b"KEY1", b"SETP", b"TILE"
_COUNT, _POSITION = struct.Struct("<I"), struct.Struct("<II")
_FIRST = 2  # Frame of tiles, after the key and the setup.
_RESERVE_BYTES = 200_000_000
_LOCK = "lock"
_TURN_S = 0.2
_NO_LOCKS = {errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL}
"""What network volumes answer that have no locks."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a run finds out before its first tile; all tiles are computed with it.

    Attributes
    ----------
    low, high, median
        Statistics of the whole image.
    core_px
        Of the grid, which gets finer where memory runs out.
    device
        Torch name, the CPU's where memory runs out.
    """

    low: float
    high: float
    median: float
    core_px: int
    device: str


class KeptTiles:
    """Tiles that a run has finished, in a folder.

    Parameters
    ----------
    folder
        Made if it is not there. Tiles in it are kept if they belong to the same key, else dropped.
    key
        Everything that scores depend on, by names for people, as JSON values.

    Attributes
    ----------
    warning
        Why tiles that were there cannot be used; empty if they can or there are none.
    setup
        With which tiles are computed; None before ``begin``.

    Raises
    ------
    ExportError
        If another process writes into the folder, or the disk refuses.
    """

    def __init__(self, folder: Path, key: Mapping[str, Any]) -> None:  # Any: JSON values
        self.folder = folder
        self.warning = ""
        self.setup: Setup | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with ExitStack() as undo:
                self._lock = _lock(folder)
                undo.callback(self._lock.release)
                self._file = FrameFile(folder / "tiles")
                undo.callback(self._file.close)
                self._fit(json.loads(json.dumps(key)))
                undo.pop_all()
        except ExportError:
            raise
        except OSError as error:
            raise ExportError(explain(folder, error)) from error

    def _fit(self, key: dict[str, Any]) -> None:  # Any: JSON values
        """Start anew unless what is there has the same key."""
        there = self._json(0, _KEY)
        if there == key:
            values = self._json(1, _SETUP)
            self.setup = None if values is None else Setup(**values)
            if self.setup is None and len(self._file.frames) > 1:
                self.warning = f"The tiles in {self.folder} are damaged, so the run starts again."
            return
        if there is not None:
            other = ", ".join(name for name in key if there.get(name) != key[name]) or "kind"
            self.warning = f"The tiles in {self.folder} are of another {other}, so the run starts again."
        elif (self.folder / "tiles").stat().st_size:
            self.warning = f"The tiles in {self.folder} are damaged, so the run starts again."
        self._file.drop(0)
        self._file.append(_KEY, [json.dumps(key).encode()])

    def _json(self, index: int, kind: bytes) -> dict[str, Any] | None:  # Any: JSON values
        """Return the values in a frame; None if it is not there, of another kind or damaged."""
        frames = self._file.frames
        if len(frames) <= index or frames[index].kind != kind:
            return None
        content = self._file.read(frames[index])
        values: dict[str, Any] | None = None if content is None else json.loads(content)
        return values

    def begin(self, setup: Setup) -> None:
        """Drop all tiles, and say how the next ones are computed.

        Raises
        ------
        ExportError
            If the disk refuses.
        """
        try:
            self._file.drop(1)
            self._file.append(_SETUP, [json.dumps(asdict(setup)).encode()])
        except OSError as error:
            raise ExportError(explain(self.folder, error)) from error
        self.setup = setup

    def room_bytes(self) -> int:
        """Return how many bytes of tiles the disk can take."""
        return shutil.disk_usage(self.folder).free - _RESERVE_BYTES

    def append(self, tiles: Sequence[Tile], parts: Sequence[NDArray[np.uint16]]) -> None:
        """Keep tiles that were computed in one pass; all or none of them, so that a later run has the same passes.

        Parameters
        ----------
        tiles
            In the order in which they were computed.
        parts
            For each, what it adds to the sums: (channels, Y, X) over ``tile.write``.

        Raises
        ------
        ExportError
            If the disk refuses, or has little room left.
        """
        head = _COUNT.pack(len(tiles)) + b"".join(_POSITION.pack(tile.row, tile.column) for tile in tiles)
        try:
            if self.room_bytes() < sum(part.nbytes for part in parts):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._file.append(_TILES, [head, *(np.ascontiguousarray(part, "<u2").data for part in parts)])
        except OSError as error:
            raise ExportError(explain(self.folder, error)) from error

    def passes(self, grid: TileGrid, channels: int) -> Iterator[list[tuple[Tile, NDArray[np.uint16]]]]:
        """Yield the tiles and parts of each pass, as they were appended; what follows a damaged one is dropped.

        Parameters
        ----------
        grid
            On which they were computed.
        channels
            Of the scores.
        """
        for index, frame in enumerate(self._file.frames[_FIRST:], start=_FIRST):
            content = self._file.read(frame) if frame.kind == _TILES else None
            if content is None:
                logger.warning("Tiles in %s are damaged; they are computed again.", self.folder)
                self._file.drop(index)
                return
            yield _unpack(content, grid, channels)

    @property
    def n_passes(self) -> int:
        """How many times tiles were appended."""
        return max(0, len(self._file.frames) - _FIRST)

    def close(self) -> None:
        """Let go of the folder; without a tile in it, it is removed."""
        self._file.close()
        self._lock.release()
        if self.n_passes == 0:
            shutil.rmtree(self.folder, ignore_errors=True)


def remove_kept(folder: Path) -> None:
    """Remove a folder of kept tiles; nothing need be there.

    Raises
    ------
    ExportError
        If another process writes into it.
    """
    if not folder.exists():
        return
    lock = _lock(folder)
    (folder / "tiles").unlink(missing_ok=True)
    lock.release()
    shutil.rmtree(folder, ignore_errors=True)


def require_unused(folder: Path) -> None:
    """Refuse a folder of kept tiles that another process writes into.

    Raises
    ------
    ExportError
        If one does.
    """
    _lock(folder).release()


@contextmanager
def holding(folder: Path, wait_s: float = 600.0) -> Iterator[None]:
    """Keep other processes out of a folder, which is made if need be, until the block ends.

    Raises
    ------
    ExportError
        If one is still in it after that time, or the folder cannot be made.
    """
    give_up = time.monotonic() + wait_s
    while (lock := _try_to_hold(folder, is_last=time.monotonic() >= give_up)) is None:
        time.sleep(_TURN_S)
    try:
        yield
    finally:
        lock.release()


def _try_to_hold(folder: Path, *, is_last: bool) -> FileLock | None:
    """Take a folder's lock; None if another process is in it, or has just removed it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = _lock(folder)
    except ExportError as error:
        is_in_use = isinstance(error.__cause__, Timeout) or not folder.exists()  # Who was in it removes it at the end.
        if is_last or not is_in_use:
            raise
        return None
    except OSError as error:
        raise ExportError(explain(folder, error)) from error
    if lock.is_locked and not (folder / _LOCK).exists():
        lock.release()  # It was that of a folder which is gone.
        return None
    return lock


def _lock(folder: Path) -> FileLock:
    """Take the right to write into a folder."""
    lock = FileLock(folder / _LOCK, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise ExportError(
            f"Another process is working on the same image and writes into {folder}; wait until it has ended, or "
            "choose another output folder."
        ) from error
    except (NotImplementedError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _NO_LOCKS:
            raise ExportError(explain(folder, error)) from error
        logger.info("No locks where %s is; nothing keeps two processes from writing into it.", folder)
    return lock


def _unpack(content: bytearray, grid: TileGrid, channels: int) -> list[tuple[Tile, NDArray[np.uint16]]]:
    """Return the tiles of a pass; its checksum was right, so it is what was written."""
    (count,) = _COUNT.unpack_from(content)
    start = _COUNT.size + count * _POSITION.size
    found = []
    for row, column in _POSITION.iter_unpack(memoryview(content)[_COUNT.size : start]):
        tile = grid.tile(row, column)
        values = np.frombuffer(content, "<u2", channels * tile.write.area, start)
        found.append((tile, values.reshape(channels, *tile.write.shape).astype(np.uint16, copy=False)))
        start += values.nbytes
    return found
