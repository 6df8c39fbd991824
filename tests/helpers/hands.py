"""A user's hands at a napari viewer: real Qt mouse and key events on its canvas."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari import Viewer
    from napari.layers import Layer
    from qtpy.QtWidgets import QWidget

Point = tuple[float, float]

_LEFT, _NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
_STEP_PX = 20.0
_STEP_MS = 20  # vispy passes over movements that come within 10 ms.


class Hands:
    """Move over the canvas in steps of a few screen pixels, as a hand does."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._at = QPointF()

    def stroke(self, layer: Layer, points: Sequence[Point], *, release: bool = True) -> None:
        """Drag with the left button over (Y, X) pixels of a layer; a single point is a click."""
        path = [self._screen(layer, point) for point in points]
        self._send(QEvent.Type.MouseMove, path[0], _NONE, _NONE)
        self._send(QEvent.Type.MouseButtonPress, path[0], _LEFT, _LEFT)
        for start, end in pairwise(path):
            n_steps = max(1, int(np.hypot(end.x() - start.x(), end.y() - start.y()) / _STEP_PX))
            for step in range(1, n_steps + 1):
                QTest.qWait(_STEP_MS)
                self._send(QEvent.Type.MouseMove, start + (end - start) * (step / n_steps), _NONE, _LEFT)
        QTest.qWait(_STEP_MS)
        self._send(QEvent.Type.MouseMove, path[-1], _NONE, _LEFT)
        QTest.qWait(_STEP_MS)  # napari puts movements off that come fast, and would take this one for a hover.
        QApplication.processEvents()
        if release:
            self.release()

    def release(self) -> None:
        """Let go of the left button."""
        self._send(QEvent.Type.MouseButtonRelease, self._at, _LEFT, _NONE)

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press and release a key over the canvas."""
        QTest.keyClick(self._canvas, key, modifier)

    @property
    def _canvas(self) -> QWidget:
        widget: QWidget = self._viewer.window._qt_viewer.canvas.native
        return widget

    def _screen(self, layer: Layer, point: Point) -> QPointF:
        """Return where a pixel of a layer is drawn."""
        position = np.asarray(layer.world_to_data(self._viewer.dims.point), dtype=float)
        position[-2:] = point
        world = np.asarray(layer.data_to_world(position))[-2:]
        camera = self._viewer.scene.camera
        half = np.array([self._canvas.height(), self._canvas.width()]) / 2
        y, x = half + (world - np.asarray(camera.center)[-2:]) * camera.zoom
        if not (0 <= y < 2 * half[0] and 0 <= x < 2 * half[1]):
            raise ValueError(f"Pixel {point} is not on the canvas.")
        return QPointF(x, y)

    def _send(self, kind: QEvent.Type, at: QPointF, button: Any, buttons: Any) -> None:
        self._at = at
        everywhere = QPointF(self._canvas.mapToGlobal(at.toPoint()))
        event = QMouseEvent(kind, at, everywhere, button, buttons, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(self._canvas, event)
