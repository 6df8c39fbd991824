"""A run's progress in napari's activity dock.

Short runs are left out: the dock's animation redraws the window all the time, which takes cores from the
network where OpenGL runs in software.
"""

from __future__ import annotations

import time

from napari.utils import progress

_STEPS = 1000
_SHORT_S = 3.0


class ActivityBar:
    """One bar at a time; does nothing between runs."""

    def __init__(self) -> None:
        self._bar: progress | None = None
        self._text: str | None = None
        self._began = 0.0

    def begin(self, text: str) -> None:
        """Note a new run; its bar appears once the run is no longer a short one."""
        self.end()
        self._text = text
        self._began = time.monotonic()

    def show(self, fraction: float) -> None:
        """Move the bar."""
        if self._bar is None and self._text is not None and time.monotonic() - self._began >= _SHORT_S:
            text, self._text = self._text, None
            self._bar = progress(total=_STEPS, desc=text)
        bar = self._bar  # Moving it handles events, which may end the run.
        if bar is not None:
            bar.update(round(fraction * _STEPS) - bar.n)

    def end(self) -> None:
        """Take the bar away."""
        self._text = None
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.close()
