"""A list that is as high as its rows, up to a few, so that it scrolls only when it is long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QListWidget, QSizePolicy, QWidget

if TYPE_CHECKING:
    from qtpy.QtGui import QFocusEvent, QShowEvent

_MOST_ROWS = 4


class ShortList(QListWidget):
    """Rows below each other, never wider than there is room for.

    Parameters
    ----------
    name
        What it lists, for screen readers.
    tip
        How it is used.
    parent
        As for every widget.
    """

    def __init__(self, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self.setSpacing(1)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def fit_height(self) -> None:
        """Take the height of the rows; call this when they have changed."""
        shown = range(min(self.count(), _MOST_ROWS))
        rows = sum(self.sizeHintForRow(index) + 2 * self.spacing() for index in shown)
        self.setFixedHeight(rows + 2 * self.frameWidth() + 2)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Fit again: the window's style and font come with it."""
        super().showEvent(event)
        self.fit_height()

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        """Take the focus without choosing the first row, as Qt does where none is chosen: nobody asked for it."""
        if self.currentRow() >= 0:
            super().focusInEvent(event)
            return
        was_blocked = self.blockSignals(True)
        super().focusInEvent(event)
        self.setCurrentRow(-1)
        self.blockSignals(was_blocked)

    def changeEvent(self, event: QEvent | None) -> None:
        """Fit again after a change of font or theme."""
        super().changeEvent(event)
        if event is not None and event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self.fit_height()
