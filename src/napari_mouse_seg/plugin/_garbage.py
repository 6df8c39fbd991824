"""Keeps Python's search for garbage from stopping the viewer while someone works in it.

With torch loaded, a search through all objects takes a third of a second, in which no thread of Python goes on; it
comes unforeseen, in the middle of a stroke or a run. While a panel is open, the objects that are there once torch is
loaded are left out of it (``gc.freeze``), so that it is over in milliseconds. Among them something may become garbage
later, such as a layer: when the mouse has been still for a while and nothing runs, all are searched once.
"""

from __future__ import annotations

import gc
import sys
import time
from functools import lru_cache
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QPoint, Qt, QTimer
from qtpy.QtGui import QCursor
from qtpy.QtWidgets import QApplication

from napari_mouse_seg.plugin._runner import is_at_work

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_MS = 1000
_STILL_S = 10.0
_EVERY_S = 300.0


class GarbageCalendar(QObject):
    """Decides when all objects are searched for garbage, from ``open`` until as many ``close``.

    Parameters
    ----------
    clock
        Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._n_open = 0
        self._place = QPoint()
        self._moved_s = self._searched_s = 0.0
        self._knows_torch = False
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look)

    def open(self) -> None:
        """Begin, for one panel more."""
        if self._n_open == 0:
            self._moved_s = self._searched_s = self._clock()
            self._knows_torch = False
            self._timer.start()
        self._n_open += 1

    def close(self) -> None:
        """End for one panel; after the last of them Python searches as it always does."""
        self._n_open -= 1
        if self._n_open == 0:
            self._timer.stop()
            gc.unfreeze()

    def settle(self) -> None:
        """Leave out what is there now, unsearched: modules were loaded."""
        if self._n_open:
            gc.freeze()
            self._searched_s, self._knows_torch = self._clock(), "torch" in sys.modules

    def look(self) -> None:
        """Search if that is due and nobody would notice."""
        now, place = self._clock(), QCursor.pos()
        if place != self._place or QApplication.mouseButtons() != Qt.MouseButton.NoButton or is_at_work():
            self._place, self._moved_s = place, now
        has_torch = "torch" in sys.modules
        is_due = now - self._searched_s >= _EVERY_S or has_torch is not self._knows_torch
        if is_due and now - self._moved_s >= _STILL_S:
            gc.unfreeze()
            gc.collect()
            gc.freeze()
            self._searched_s, self._knows_torch = now, has_torch


@lru_cache(maxsize=1)
def garbage_calendar() -> GarbageCalendar:
    """Return the one of this process, whose objects are those of all viewers."""
    return GarbageCalendar()
