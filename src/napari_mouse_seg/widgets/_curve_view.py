"""The curve of a training: loss and validation score over the steps.

Drawn with Qt alone: a plotting library would add a second to the start of the panel for two lines.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from napari_mouse_seg.widgets._layout import arrow, row_of
from napari_mouse_seg.widgets._throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from qtpy.QtGui import QPaintEvent

# Told apart also by those who see no red or green; readable on napari's dark and light themes.
_LOSS_COLOUR = "#d18616"
_SCORE_COLOUR = "#3d8fd9"
_HEIGHT_PX = 96
_MOST_POINTS = 400
_EMPTY = "The curve starts after the first steps."

Point = tuple[int, float, float | None]


class CurveView(QWidget):
    """Loss with its own scale at the left, validation from 0 to 1 at the right, and both in words below.

    Drawn anew at most twice a second; folded, the words stay.

    Parameters
    ----------
    parent
        As for every widget.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: list[Point] = []
        self._best: int | None = None
        self._score_name = ""
        self._plot = _Plot()
        self._words = QLabel(_EMPTY)
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.RichText)
        self._fold = QToolButton()
        self._fold.setAutoRaise(True)
        self._fold.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._fold.setAccessibleName("Fold the curve")
        self._fold.clicked.connect(self._on_fold)
        self._is_folded_by_hand = False
        self._throttle = Throttle(self._show, self)
        self.setToolTip(
            "Loss: how wrong the model is on the patches that it learns from; lower is better.\n"
            "Validation: how well it does on the patches kept aside for checking; 1 is perfect.\n"
            "The dashed line marks the best step, whose model is kept."
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._plot)
        column.addWidget(row_of(self._fold, self._words, stretched=1))
        self._set_folded(False)

    def set_score_name(self, name: str) -> None:
        """Say what the validation score measures, such as “F1”."""
        self._score_name = name
        self._show()

    def suggest_folded(self, folded: bool) -> None:
        """Fold the drawing away, or show it, unless the user has chosen."""
        if not self._is_folded_by_hand:
            self._set_folded(folded)

    def clear(self) -> None:
        """Forget the curve."""
        self.set_points(())

    def set_points(self, points: Iterable[Point], best: int | None = None) -> None:
        """Show a whole curve.

        Parameters
        ----------
        points
            Step, loss and validation score (None where it was not measured) of each.
        best
            The step whose model is kept; None if there is none yet.
        """
        self._points = [point for point in points if math.isfinite(point[1])]
        self._best = best
        self._throttle.flush()

    def add_point(self, step: int, loss: float, score: float | None) -> None:
        """Go on with the curve; a loss that is no number is left out."""
        if math.isfinite(loss):
            self._points.append((step, loss, score))
            self._throttle.request()

    def mark_best(self, step: int) -> None:
        """Mark the step whose model would be kept."""
        self._best = step
        self._throttle.request()

    def text(self) -> str:
        """Return the last values in words, as they are shown."""
        return _words(self._points, self._best, self._score_name)

    def _set_folded(self, folded: bool) -> None:
        self._plot.setVisible(not folded)
        self._fold.setIcon(arrow(is_open=not folded))
        self._fold.setToolTip("Show the curve." if folded else "Show the last values only.")

    def _on_fold(self) -> None:
        self._is_folded_by_hand = True
        self._set_folded(not self._plot.isHidden())

    def _show(self) -> None:
        words = _words(self._points, self._best, self._score_name)
        loss, *rest = words.split(" · ")
        lines = [f'<span style="color: {_LOSS_COLOUR}">{loss}</span>' if self._points else loss]
        lines += [f'<span style="color: {_SCORE_COLOUR}">{part}</span>' for part in rest]
        self._words.setText(" · ".join(lines))
        self._plot.show_curve(thin(self._points, _MOST_POINTS), self._best, self._score_name)


def thin(points: Sequence[Point], most: int) -> list[Point]:
    """Return about ``most`` points at the most: the mean loss of neighbours, and every score.

    Parameters
    ----------
    points
        In the order of their steps.
    most
        How many there is room for.

    Returns
    -------
    list of tuple
        The points themselves if they are few; a score is never averaged.
    """
    if len(points) <= most:
        return list(points)
    size = math.ceil(len(points) / most)
    thinned: list[Point] = []
    for first in range(0, len(points), size):
        part = points[first : first + size]
        loss = sum(point[1] for point in part) / len(part)
        scored = [(step, loss, score) for step, _, score in part if score is not None]
        thinned.extend(scored or [(part[-1][0], loss, None)])
    return thinned


def _words(points: Sequence[Point], best: int | None, score_name: str) -> str:
    if not points:
        return _EMPTY
    scores = {step: score for step, _, score in points if score is not None}
    parts = [f"Loss {points[-1][1]:.3g}"]
    if scores:
        parts.append(" ".join(filter(None, ("Validation", score_name, f"{scores[max(scores)]:.2f}"))))
    if best is not None:
        parts.append(f"Best {scores[best]:.2f} at step {best}" if best in scores else f"Best at step {best}")
    return " · ".join(parts)


class _Plot(QWidget):
    """The drawing; what it shows is handed over thinned."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: Sequence[Point] = ()
        self._best: int | None = None
        self._score_name = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return the size that shows both lines apart."""
        return QSize(240, _HEIGHT_PX)

    def show_curve(self, points: Sequence[Point], best: int | None, score_name: str) -> None:
        self._points, self._best, self._score_name = points, best, score_name
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the frame, then the lines into it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = self.font()
        font.setPointSizeF(max(6.0, font.pointSizeF() * 0.8))
        painter.setFont(font)
        high = max((loss for _, loss, _ in self._points), default=0.0) or 1.0
        steps = max(1, self._points[-1][0]) if self._points else 0
        frame = self._draw_frame(painter, high, steps)
        if self._points:
            self._draw_lines(painter, frame, high, steps)
        painter.end()

    def _draw_frame(self, painter: QPainter, high: float, steps: int) -> QRectF:
        """Draw axes and their ends in words; return where the lines go."""
        metrics = painter.fontMetrics()
        left, line = metrics.horizontalAdvance(f"{high:.2g}") + 6, metrics.height()
        has_score = any(score is not None for *_, score in self._points)
        right = metrics.horizontalAdvance("1") + 6 + (line if self._score_name else 0) if has_score else 4
        frame = QRectF(left, line / 2, max(1, self.width() - left - right), max(1.0, self.height() - 1.5 * line - 4))
        faint = self.palette().color(QPalette.ColorRole.WindowText)
        faint.setAlpha(60)
        painter.setPen(QPen(faint, 1))
        for share in (0.0, 0.5, 1.0):
            y = frame.top() + share * frame.height()
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
        for share, loss, score in ((0.0, f"{high:.2g}", "1"), (1.0, "0", "0")):
            y = frame.top() + share * frame.height() - line / 2
            _write(painter, QRectF(0, y, left - 4, line), loss, _LOSS_COLOUR, Qt.AlignmentFlag.AlignRight)
            if has_score:
                spot = QRectF(frame.right() + 4, y, right, line)
                _write(painter, spot, score, _SCORE_COLOUR, Qt.AlignmentFlag.AlignLeft)
        if has_score and self._score_name:
            _write_upwards(painter, QPointF(self.width() - line, frame.bottom()), frame.height(), self._score_name)
        if steps:
            faint.setAlpha(190)
            below = QRectF(frame.left(), frame.bottom() + 3, frame.width(), line)
            _write(painter, below, f"step {steps}", faint, Qt.AlignmentFlag.AlignRight)
        return frame

    def _draw_lines(self, painter: QPainter, frame: QRectF, high: float, steps: int) -> None:
        def place(step: int, share: float) -> QPointF:
            return QPointF(frame.left() + step / steps * frame.width(), frame.bottom() - share * frame.height())

        losses = [place(step, loss / high) for step, loss, _ in self._points]
        scores = {step: place(step, min(1.0, max(0.0, score))) for step, _, score in self._points if score is not None}
        _draw_line(painter, losses, _LOSS_COLOUR, dotted=len(losses) == 1)
        _draw_line(painter, list(scores.values()), _SCORE_COLOUR, dotted=True)
        if self._best is not None and self._best <= steps:
            colour = self.palette().color(QPalette.ColorRole.WindowText)
            painter.setPen(QPen(colour, 1, Qt.PenStyle.DashLine))
            painter.drawLine(place(self._best, 0.0), place(self._best, 1.0))
            if self._best in scores:
                painter.setPen(QPen(colour, 1.5))
                painter.setBrush(QColor(_SCORE_COLOUR))
                painter.drawEllipse(scores[self._best], 4.0, 4.0)


def _draw_line(painter: QPainter, points: Sequence[QPointF], colour: str, *, dotted: bool) -> None:
    painter.setPen(QPen(QColor(colour), 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(QPolygonF(points))
    if dotted:
        painter.setBrush(QColor(colour))
        for point in points:
            painter.drawEllipse(point, 2.0, 2.0)


def _write_upwards(painter: QPainter, corner: QPointF, length: float, text: str) -> None:
    """Name the axis at the right, in the middle of its height."""
    painter.save()
    painter.translate(corner)
    painter.rotate(-90)
    spot = QRectF(0, 0, length, painter.fontMetrics().height())
    _write(painter, spot, text, _SCORE_COLOUR, Qt.AlignmentFlag.AlignHCenter)
    painter.restore()


def _write(painter: QPainter, spot: QRectF, text: str, colour: str | QColor, side: Qt.AlignmentFlag) -> None:
    painter.setPen(QColor(colour))
    painter.drawText(spot, int(side | Qt.AlignmentFlag.AlignVCenter), text)
