"""Showing at most so often what changes more often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_mouse_seg.widgets._delay import delay

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtCore import QObject

INTERVAL_MS = 500
"""Between two redraws while training runs; more would take time from painting."""


class Throttle:
    """Runs an action at once, then at most once per interval; the last request is never lost.

    Parameters
    ----------
    action
        What to run.
    parent
        Its life is the throttle's.
    """

    def __init__(self, action: Callable[[], None], parent: QObject) -> None:
        self._action = action
        self._pending = False
        self._timer = delay(parent, INTERVAL_MS, self._on_timeout)

    def request(self) -> None:
        """Ask for the action."""
        if self._timer.isActive():
            self._pending = True
        else:
            self._run()

    def flush(self) -> None:
        """Run the action now, whatever was asked for."""
        self._run()

    def drop(self) -> None:
        """Forget what was asked for."""
        self._pending = False
        self._timer.stop()

    def _run(self) -> None:
        self._pending = False
        self._timer.start()
        self._action()

    def _on_timeout(self) -> None:
        if self._pending:
            self._run()
