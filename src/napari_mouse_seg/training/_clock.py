"""How far a training is, by the clock or by its steps."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_mouse_seg.plans import RetrainPlan


class Clock:
    """How far a training is, in time or in steps; pauses do not count."""

    def __init__(self, plan: RetrainPlan, before_s: float = 0.0) -> None:
        self._steps = plan.steps
        self._before_s = before_s
        self._began = time.perf_counter()
        self._paused_s = 0.0
        self._minutes = plan.minutes

    def start(self) -> None:
        """Count from now on."""
        self._began = time.perf_counter()

    @property
    def elapsed_s(self) -> float:
        """Seconds of training, those before an interruption too."""
        return self._before_s + time.perf_counter() - self._began - self._paused_s

    @property
    def total_s(self) -> float:
        """Planned length; 0 where steps are counted."""
        return 0.0 if self._steps is not None else self._minutes * 60

    def done(self, steps: int) -> float:
        """Share that is done, 0 to 1 and beyond."""
        return steps / self._steps if self._steps is not None else self.elapsed_s / self.total_s

    def left_s(self, steps: int) -> float | None:
        """Seconds to go at the pace so far; None before the first step."""
        done = self.done(steps)
        return max(0.0, self.elapsed_s * (1 - done) / done) if done > 0 else None

    def pause(self, wait: Callable[[], object]) -> None:
        """Call a function that waits; the time it takes does not count."""
        began = time.perf_counter()
        wait()
        self._paused_s += time.perf_counter() - began
