"""A run's progress in napari's activity dock."""

from __future__ import annotations

import time

from napari.utils import progress

_STEPS = 1000
_INTERVAL_S = 0.2


class ActivityBar:
    """One bar at a time; does nothing between runs.

    napari handles all waiting events whenever a bar moves, so it moves a few times a second at most.
    """

    def __init__(self) -> None:
        self._shown_at = 0.0
        self._bar: progress | None = None

    def begin(self, text: str) -> None:
        """Show a new bar."""
        self.end()
        self._bar = progress(total=_STEPS, desc=text)

    def show(self, text: str, fraction: float) -> None:
        """Move the bar."""
        bar = self._bar
        now = time.monotonic()
        if bar is None or now - self._shown_at < _INTERVAL_S:
            return
        self._shown_at = now
        bar.set_description(text)
        bar.update(round(fraction * _STEPS) - bar.n)

    def end(self) -> None:
        """Take the bar away."""
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.close()
