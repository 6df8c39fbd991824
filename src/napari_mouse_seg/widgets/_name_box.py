"""A box of names that may be long: shown with their middle left out, and in full in the list and the tooltip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import (
    QComboBox,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolTip,
    QWidget,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QPaintEvent

_ROOM_PX = 4  # Styles keep a little free at both ends.


class NameBox(QComboBox):
    """Asks for no more width than there is.

    Parameters
    ----------
    tip
        What the name is of; a name that is cut stands before it.
    parent
        As for every widget.
    """

    def __init__(self, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setToolTip(tip)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumContentsLength(8)
        view = self.view()
        if view is not None:
            view.setTextElideMode(Qt.TextElideMode.ElideMiddle)

    def fill(self, names: Sequence[str], current: int) -> None:
        """List names; emits nothing."""
        self.blockSignals(True)
        self.clear()
        self.addItems(list(names))
        for index, name in enumerate(names):
            self.setItemData(index, name, Qt.ItemDataRole.ToolTipRole)
        self.setCurrentIndex(current if names else -1)
        self.blockSignals(False)

    def shown_text(self) -> str:
        """Return the chosen name as there is room for it: both ends tell names apart, the middle seldom does."""
        return str(self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideMiddle, self._room_px()))

    def full_tip(self) -> str:
        """Return the tooltip as it appears."""
        name = self.currentText()
        return "\n".join(filter(None, (name if self.shown_text() != name else "", self.toolTip())))

    def event(self, event: QEvent | None) -> bool:
        """Put a name that is cut into the tooltip."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.full_tip(), self)
            return True
        return bool(super().event(event))

    def showPopup(self) -> None:
        """Make the list as wide as its names, within the screen."""
        view, screen = self.view(), self.screen()
        if view is not None and screen is not None:
            bar = view.verticalScrollBar()
            wanted = view.sizeHintForColumn(0) + 2 * view.frameWidth() + (bar.sizeHint().width() if bar else 0)
            view.setMinimumWidth(max(self.width(), min(wanted, screen.availableGeometry().width() // 2)))
        super().showPopup()

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Draw the box as its style does, with the name as there is room for it."""
        painter, option = QStylePainter(self), self._option()
        option.currentText = self.shown_text()
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()

    def _option(self) -> QStyleOptionComboBox:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        return option

    def _room_px(self) -> int:
        style = self.style()
        part = QStyle.SubControl.SC_ComboBoxEditField
        if style is None:
            return self.width()
        return style.subControlRect(QStyle.ComplexControl.CC_ComboBox, self._option(), part, self).width() - _ROOM_PX
