"""How long the Qt thread is away, and how much of that goes into drawing the canvas."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QTimer

if TYPE_CHECKING:
    from napari import Viewer
    from qtpy.QtWidgets import QApplication

LIMIT_S = 0.05


class Heartbeat:
    """Notes the time between the ticks of a 5 ms timer on the Qt thread.

    Parameters
    ----------
    viewer
        Whose drawing is timed as well; None for none. Drawing is napari's and OpenGL's, all else is ours or Qt's.
    """

    def __init__(self, viewer: Viewer | None = None) -> None:
        self.gaps: list[float] = []
        self._drawn: list[float] = []
        self._drawing = 0.0
        self._began = 0.0
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setInterval(5)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        if viewer is not None:
            canvas = viewer.window._qt_viewer.canvas
            draw = canvas._scene_canvas.events.draw
            draw.connect(self._on_draw_begin, position="first")
            draw.connect(self._on_draw_end, position="last")
            # Where OpenGL runs in software most of the work is done when the window takes the picture over.
            canvas.native.aboutToCompose.connect(self._on_draw_begin)
            canvas.native.frameSwapped.connect(self._on_draw_end)

    def take(self) -> tuple[list[float], list[float]]:
        """Return the gaps so far, and the same without the time spent drawing; start anew."""
        taken = self.gaps, self._drawn
        self.gaps, self._drawn = [], []
        self._drawing = 0.0
        self._last = time.perf_counter()
        return taken

    def _tick(self) -> None:
        now = time.perf_counter()
        gap = now - self._last
        self.gaps.append(gap)
        self._drawn.append(max(0.0, gap - self._drawing))
        self._last, self._drawing = now, 0.0

    def _on_draw_begin(self, _event: object = None) -> None:
        self._began = time.perf_counter()

    def _on_draw_end(self, _event: object = None) -> None:
        self._drawing += time.perf_counter() - self._began


def report(name: str, taken: tuple[list[float], list[float]]) -> None:
    """Print percentiles and the longest gaps, with and without drawing."""
    for what, gaps in zip(("", ", drawing taken out"), taken, strict=True):
        worst = sorted((round(gap * 1000) for gap in gaps), reverse=True)[:5]
        over = sum(gap > LIMIT_S for gap in gaps)
        middle = np.percentile(gaps, 99) * 1000 if gaps else 0
        print(f"{name}{what}: {over} gaps over 50 ms of {len(gaps)}, 99 % within {middle:.0f} ms, longest {worst} ms")


def spin(application: QApplication, seconds: float) -> None:
    """Let the window live for a while."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        application.processEvents()
        time.sleep(0.001)
