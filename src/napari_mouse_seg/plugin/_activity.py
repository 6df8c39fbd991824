"""A run's progress in napari's activity dock."""

from __future__ import annotations

from napari.utils import progress

_STEPS = 1000


class ActivityBar:
    """One bar at a time; does nothing between runs."""

    def __init__(self) -> None:
        self._bar: progress | None = None

    def begin(self, text: str) -> None:
        """Show a new bar."""
        self.end()
        self._bar = progress(total=_STEPS, desc=text)

    def show(self, fraction: float) -> None:
        """Move the bar."""
        bar = self._bar  # Moving it handles events, which may end the run.
        if bar is not None:
            bar.update(round(fraction * _STEPS) - bar.n)

    def end(self) -> None:
        """Take the bar away."""
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.close()
