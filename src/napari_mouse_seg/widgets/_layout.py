"""Pieces that every panel is laid out with."""

from __future__ import annotations

from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap, QPolygonF
from qtpy.QtWidgets import (
    QAbstractButton,
    QFrame,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

_ARROW_PX = 12
_ARROW_GREY = "#8a929c"  # Seen on napari's dark theme and on its light one.
_RIGHT = ((4.0, 2.0), (9.0, 6.0), (4.0, 10.0))
_DOWN = ((2.0, 4.0), (10.0, 4.0), (6.0, 9.0))


def group(title: str, *widgets: QWidget) -> QGroupBox:
    """Return a titled box with widgets below each other."""
    box = QGroupBox(title)
    column = QVBoxLayout(box)
    column.setContentsMargins(8, 8, 8, 8)
    column.setSpacing(4)
    for widget in widgets:
        column.addWidget(widget)
    return box


def row_of(*widgets: QWidget, stretched: int = -1) -> QWidget:
    """Return widgets beside each other; the one at ``stretched`` takes the room, all alike if it is -1."""
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    for index, widget in enumerate(widgets):
        row.addWidget(widget, int(stretched in (-1, index)))
    return holder


def form_of(*rows: tuple[QWidget | None, QWidget]) -> QWidget:
    """Return labels with fields beside them; a field without a label has the full width.

    Unlike in a form of Qt 5, a row whose widgets are hidden takes no room.
    """
    holder = QWidget()
    grid = QGridLayout(holder)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setVerticalSpacing(4)
    grid.setColumnStretch(1, 1)
    for index, (label, field) in enumerate(rows):
        if label is None:
            grid.addWidget(field, index, 0, 1, 2)
            continue
        grid.addWidget(label, index, 0)
        grid.addWidget(field, index, 1)
    return holder


def collapsible(title: str, tip: str, *widgets: QWidget) -> QCollapsible:
    """Return widgets under a title that shows and hides them at once, without moving pictures."""
    made = QCollapsible(title)
    made.setDuration(0)
    # The default arrows are drawn in the colour that text has without napari's theme, which its dark one hides.
    made.setCollapsedIcon(arrow(is_open=False))
    made.setExpandedIcon(arrow(is_open=True))
    made.toggleButton().setToolTip(tip)
    for widget in widgets:
        made.addWidget(widget)
    for part in (made, made.content()):
        layout = part.layout()
        if layout is not None:
            layout.setContentsMargins(0, 0, 0, 0)
    return made


def arrow(is_open: bool) -> QIcon:
    """Return the sign beside the title of what is folded away, or shown."""
    corners = _DOWN if is_open else _RIGHT
    pixmap = QPixmap(_ARROW_PX, _ARROW_PX)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(_ARROW_GREY))
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in corners]))
    painter.end()
    return QIcon(pixmap)


def column_of(*widgets: QWidget, spacing: int = 4) -> QWidget:
    """Return widgets below each other, without margins."""
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(spacing)
    for widget in widgets:
        column.addWidget(widget)
    return holder


def scrolled(widget: QWidget) -> QScrollArea:
    """Return a frameless area that scrolls a widget up and down and fits it to its width."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(widget)
    return area


def explain(button: QAbstractButton, reason: str, tip: str) -> None:
    """Turn a button on if there is no reason against it; its tooltip says the reason, or else what it does."""
    button.setEnabled(not reason)
    button.setToolTip(reason or tip)
