"""Scores of the tiles that are done, over the whole image.

Kept between runs: a view's tiles are reused by the next view and by the full image, a cancelled run goes
on where it was, and moving a threshold needs no network.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from napari_mouse_seg.errors import ExportError
from napari_mouse_seg.tiling import SCORE_ONE, WEIGHT_ONE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_mouse_seg.tiling import Box, Tile, TileGrid

_Scalar = TypeVar("_Scalar", bound=np.generic)

IN_MEMORY_BYTES = 1_500_000_000
"""Larger arrays live in a sparse temporary file."""

_LEAST_FREE_BYTES = 1_000_000_000
_RESERVE_BYTES = 200_000_000
_FSCTL_SET_SPARSE = 0x900C4


def require_free(array: NDArray[Any], n_bytes: int) -> None:
    """Refuse to write into an array on disk when the disk has no room for it.

    A write through a memory map on a full disk ends the process.

    Parameters
    ----------
    array
        From ``sparse_zeros``; one in memory is always fine.
    n_bytes
        That are about to be written for the first time.

    Raises
    ------
    ExportError
        If less is free.
    """
    if not isinstance(array, np.memmap):
        return
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if free < n_bytes + _RESERVE_BYTES:
        raise ExportError(
            f"The run needs {n_bytes / 1e9:.1f} GB for temporary files, and {folder} has {free / 1e9:.1f} GB left; "
            "free some space or set TMPDIR to another folder. What is finished is kept."
        )


def sparse_zeros(shape: tuple[int, ...], dtype: type[_Scalar]) -> NDArray[_Scalar]:
    """Return zeros that take space only where they are written.

    Small arrays live in memory, large ones in a temporary file that goes with the array.

    Raises
    ------
    ExportError
        If the temporary folder has no room for the file.
    """
    n_bytes = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if n_bytes <= IN_MEMORY_BYTES:
        return np.zeros(shape, dtype)
    try:
        # A sparse file can be made on a full disk; writing through its map would then end the process. Views
        # fill a small part of a large file, so not all of it need be free.
        if shutil.disk_usage(tempfile.gettempdir()).free < min(n_bytes, _LEAST_FREE_BYTES):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        # The map goes on after the file's name is gone, also on Windows, and keeps the space until the array goes,
        # even if the process is killed. It extends the file by its last byte; to truncate would write all on Windows.
        with tempfile.NamedTemporaryFile(prefix="mouse-seg-", suffix=".raw") as file:
            _allow_holes(file.fileno())
            return np.memmap(file, dtype, "r+", shape=shape)
    except OSError as error:
        raise ExportError(
            f"Cannot make a temporary file of {n_bytes / 1e9:.1f} GB in {tempfile.gettempdir()} ({error.strerror}); "
            "free some space or set TMPDIR to another folder."
        ) from error


def _allow_holes(file: int) -> None:
    """Let a file take space only where it is written; Windows has to be told."""
    if sys.platform == "win32":
        import ctypes
        import msvcrt

        handle, returned = ctypes.c_void_p(msvcrt.get_osfhandle(file)), ctypes.c_ulong()
        # Where the file system has no such files it refuses, and the file is written in full.
        ctypes.windll.kernel32.DeviceIoControl(
            handle, _FSCTL_SET_SPARSE, None, 0, None, 0, ctypes.byref(returned), None
        )


class ScoreStore:
    """Blended scores on a tile grid.

    Parameters
    ----------
    grid
        Tiles and their weights.
    channels
        Number of score channels.
    """

    def __init__(self, grid: TileGrid, channels: int) -> None:
        self.grid = grid
        self._sums = sparse_zeros((channels, *grid.shape), np.uint16)
        self._done = np.zeros(grid.counts, np.bool_)

    @property
    def size_bytes(self) -> int:
        """Of all scores, in memory or in the temporary file."""
        return self._sums.nbytes

    def missing(self, box: Box) -> list[Tile]:
        """Return the tiles still needed for ``box``, row by row."""
        return [tile for tile in self.grid.tiles(box) if not self._done[tile.row, tile.column]]

    def require_room(self, tiles: list[Tile]) -> None:
        """Refuse to go on when scores live on a disk that has no room for these tiles.

        Raises
        ------
        ExportError
            If there is none.
        """
        require_free(self._sums, self.n_bytes(tiles))

    def shares_disk_with(self, folder: Path) -> bool:
        """Return whether the scores go to a temporary file on the disk of a folder."""
        return isinstance(self._sums, np.memmap) and os.stat(tempfile.gettempdir()).st_dev == os.stat(folder).st_dev

    def n_bytes(self, tiles: list[Tile]) -> int:
        """Return how large the parts of these tiles are."""
        return sum(tile.write.area for tile in tiles) * len(self._sums) * self._sums.itemsize

    def add(self, tile: Tile, scores: NDArray[np.float32]) -> NDArray[np.uint16]:
        """Add one tile's scores, (channels, Y, X) from 0 to 1 over ``tile.read``; once only.

        The sum of rounded integers is the same in whatever order tiles come.

        Returns
        -------
        NDArray[np.uint16]
            What it adds to the sums, (channels, Y, X) over ``tile.write``; ``put`` takes it.
        """
        inner = tile.write.shift(-tile.read.y0, -tile.read.x0).slices
        unit = np.float32(SCORE_ONE / WEIGHT_ONE**2)
        # Networks give channels last, over which numpy is slow; and what is done in place needs no new memory.
        weighted = np.array(scores[:, *inner], order="C")
        weighted *= self.grid.weights(tile) * unit
        part = np.rint(weighted, out=weighted).astype(np.uint16)
        self.put(tile, part)
        return part

    def put(self, tile: Tile, part: NDArray[np.uint16]) -> None:
        """Add what ``add`` returned for a tile, maybe in an earlier run; once only."""
        if self._done[tile.row, tile.column]:
            return
        self._sums[:, *tile.write.slices] += part
        self._done[tile.row, tile.column] = True

    def read(self, box: Box) -> NDArray[np.uint16]:
        """Return (channels, Y, X) scores from 0 to ``SCORE_ONE``; complete where all tiles of ``box`` are done."""
        scores: NDArray[np.uint16] = self._sums[:, *box.slices]
        return scores
