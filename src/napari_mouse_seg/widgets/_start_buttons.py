"""The two buttons that start a segmentation, and why they are off."""

from __future__ import annotations

from qtpy.QtCore import Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_mouse_seg.widgets._layout import explain
from napari_mouse_seg.widgets._notes import NoteLabel

_VIEW_TIP = "Segment what the canvas shows, and add it to the labels."
_FULL_TIP = "Segment the whole plane; parts that are done are reused."


class StartButtons(QWidget):
    """Segment what is seen, or everything.

    Parameters
    ----------
    parent
        As for every widget.
    """

    viewRequested = Signal()
    fullRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view, self._full = QPushButton("Segment visible region"), QPushButton("Segment full image")
        self._reason = NoteLabel("hint")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for widget in (self._view, self._full, self._reason):
            column.addWidget(widget)
        self._view.clicked.connect(lambda: self.viewRequested.emit())
        self._full.clicked.connect(lambda: self.fullRequested.emit())

    def set_reasons(self, view: str, full: str, shown: bool) -> None:
        """Say why a button is off, empty if it is on; in its tooltip, and below if ``shown``."""
        explain(self._view, view, _VIEW_TIP)
        explain(self._full, full, _FULL_TIP)
        self._reason.say(tuple(dict.fromkeys(reason for reason in (view, full) if reason)) if shown else "")
