"""A file that only grows, by frames that carry a checksum.

A kill leaves a frame cut short, a power cut perhaps one of wrong bytes; reading ends before it, and what was written
earlier stands. A database was rejected: frames of megabytes, written once and read in order, need none.
"""

from __future__ import annotations

import os
import struct
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_HEAD = struct.Struct("<4sIQ")  # kind, CRC-32 of kind and content, bytes of content
_SYNC_S = 10.0


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a frame is.

    Attributes
    ----------
    kind
        Four bytes.
    start
        Position of its first byte in the file.
    n_bytes
        Of its content.
    """

    kind: bytes
    start: int
    n_bytes: int

    @property
    def stop(self) -> int:
        """Position after its last byte."""
        return self.start + _HEAD.size + self.n_bytes


class FrameFile:
    """Frames of one file, which is made if it is not there.

    What is written is safe from the end of the process at once, and from a power cut after ten seconds.

    Parameters
    ----------
    path
        In a folder that exists.

    Raises
    ------
    OSError
        From all methods, if the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+b", 0)
        self._synced = time.monotonic()
        self.frames: list[Frame] = []
        size = os.fstat(self._file.fileno()).st_size
        while (frame := self._next(size)) is not None:
            self.frames.append(frame)

    def _next(self, size: int) -> Frame | None:
        """Return the frame after the last one, if it is all there."""
        start = self._end
        self._file.seek(start)
        head = self._file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return None
        kind, _, n_bytes = _HEAD.unpack(head)
        frame = Frame(kind, start, n_bytes)
        return frame if frame.stop <= size else None

    @property
    def _end(self) -> int:
        return self.frames[-1].stop if self.frames else 0

    def read(self, frame: Frame) -> bytearray | None:
        """Return a frame's content; None if it is damaged."""
        self._file.seek(frame.start)
        _, checksum, _ = _HEAD.unpack(self._file.read(_HEAD.size))
        content = bytearray(frame.n_bytes)
        view = memoryview(content)
        while len(view):
            n_read = self._file.readinto(view)
            if not n_read:
                return None
            view = view[n_read:]
        return content if zlib.crc32(content, zlib.crc32(frame.kind)) == checksum else None

    def append(self, kind: bytes, parts: Iterable[bytes | memoryview]) -> None:
        """Write one frame after the last; where that fails, none of it stays."""
        views = [memoryview(part).cast("B") for part in parts]
        checksum = zlib.crc32(kind)
        for view in views:
            checksum = zlib.crc32(view, checksum)
        frame = Frame(kind, self._end, sum(map(len, views)))
        try:
            self._cut(frame.start)
            self._write(memoryview(_HEAD.pack(kind, checksum, frame.n_bytes)))
            for view in views:
                self._write(view)
        except BaseException:
            with suppress(OSError):
                self._cut(frame.start)
            raise
        self.frames.append(frame)
        if time.monotonic() - self._synced > _SYNC_S:
            os.fsync(self._file.fileno())
            self._synced = time.monotonic()

    def _cut(self, size: int) -> None:
        """Drop what a killed process left after the last frame, and go there."""
        self._file.truncate(size)
        self._file.seek(size)

    def _write(self, part: memoryview) -> None:
        while len(part):
            part = part[self._file.write(part) :]

    def drop(self, index: int) -> None:
        """Forget the frames from an index on."""
        del self.frames[index:]
        self._cut(self._end)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
