"""Two ways to find out how large the objects of an image are."""

from __future__ import annotations

from qtpy.QtCore import Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget


class SizeButtons(QWidget):
    """Measure the objects, or draw a line across one."""

    measureRequested = Signal()
    drawRequested = Signal(bool)  # Whether the user wants to draw.

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._measure, self._draw = QPushButton("Measure objects"), QPushButton("Draw across one")
        self._measure.setToolTip("Estimate the object diameter from the image, and set it.")
        self._draw.setToolTip("Draw a line across one typical object; its length is set as the object diameter.")
        self._draw.setCheckable(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for button in (self._measure, self._draw):
            row.addWidget(button)
        self._measure.clicked.connect(lambda: self.measureRequested.emit())
        self._draw.toggled.connect(self.drawRequested)

    def set_drawing(self, drawing: bool) -> None:
        """Show whether a line is being drawn; emits nothing."""
        self._draw.blockSignals(True)
        self._draw.setChecked(drawing)
        self._draw.blockSignals(False)

    def stop_drawing(self) -> None:
        """Give up a line that is awaited, as if the user had."""
        self._draw.setChecked(False)

    def set_measuring(self, measuring: bool) -> None:
        """Show whether the objects are being measured."""
        self._measure.setEnabled(not measuring)
