"""Decoded pieces of an image, kept while memory allows.

``functools.lru_cache`` was rejected: it counts entries instead of bytes, and two threads that ask for the
same piece would both decode it.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

DEFAULT_CACHE_BYTES = 128 * 2**20


class ByteCache:
    """Least-recently-used arrays up to a number of bytes; safe for threads.

    The newest array is always kept, even when it is larger than the limit, so that a file stored in one
    piece is not decoded again for every box.

    Parameters
    ----------
    max_bytes
        Older arrays are dropped once the total is above this.
    """

    def __init__(self, max_bytes: int = DEFAULT_CACHE_BYTES) -> None:
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._arrays: OrderedDict[Hashable, NDArray[Any]] = OrderedDict()
        self._under_way: dict[Hashable, Lock] = {}
        self._lock = Lock()

    @property
    def n_bytes(self) -> int:
        """Bytes held now."""
        return self._n_bytes

    def get(self, key: Hashable, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Return the array of ``key``, made by one thread only; treat it as read-only."""
        found, turn = self._look_up(key)
        if found is not None:
            return found
        with turn:
            found, _ = self._look_up(key)
            if found is not None:
                return found
            try:
                made = make()
            except BaseException:
                self._under_way.pop(key, None)
                raise
            self._store(key, made)
            return made

    def clear(self) -> None:
        """Drop all that is held."""
        with self._lock:
            self._arrays.clear()
            self._n_bytes = 0

    def _look_up(self, key: Hashable) -> tuple[NDArray[Any] | None, Lock]:
        """Return the array, if it is there, and the lock of whoever makes it."""
        with self._lock:
            if key in self._arrays:
                self._arrays.move_to_end(key)
                return self._arrays[key], self._lock
            return None, self._under_way.setdefault(key, Lock())

    def _store(self, key: Hashable, array: NDArray[Any]) -> None:
        """Keep an array and drop the oldest ones above the limit."""
        with self._lock:
            self._under_way.pop(key, None)
            replaced = self._arrays.pop(key, None)  # two threads make a piece that was dropped while one waited
            self._n_bytes -= 0 if replaced is None else replaced.nbytes
            self._arrays[key] = array
            self._n_bytes += array.nbytes
            while self._n_bytes > self._max_bytes and len(self._arrays) > 1:
                self._n_bytes -= self._arrays.popitem(last=False)[1].nbytes
