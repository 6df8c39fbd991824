"""The curve says in words and in lines how a training goes, and is not drawn more often than it is looked at."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import QEvent, QObject
from qtpy.QtGui import QColor

from napari_mouse_seg.widgets import CurveView
from napari_mouse_seg.widgets._curve_view import _LOSS_COLOUR, _SCORE_COLOUR, thin

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot
    from qtpy.QtGui import QImage


@pytest.fixture
def curve(qtbot: QtBot) -> CurveView:
    curve = CurveView()
    qtbot.addWidget(curve)
    return curve


class PaintCounter(QObject):
    """Counts how often a widget is painted."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.Paint:
            self.count += 1
        return False


def rows_of(image: QImage, colour: str) -> list[int]:
    """Return the rows of the pixels that have about this colour, right of the names of the scale."""
    wanted = QColor(colour)
    found = []
    for y in range(image.height()):
        for x in range(80, image.width()):
            pixel = image.pixelColor(x, y)
            off = abs(pixel.red() - wanted.red()) + abs(pixel.green() - wanted.green())
            if off + abs(pixel.blue() - wanted.blue()) < 30:
                found.append(y)
    return found


def test_an_empty_curve_says_when_it_starts(curve: CurveView) -> None:
    assert curve.text() == "The curve starts after the first steps."


def test_last_values_and_the_best_are_said_in_words(curve: CurveView) -> None:
    curve.set_points([(10, 1.5, 0.4), (20, 0.75, 0.81), (30, 0.5, 0.79), (40, 0.25, None)], best=20)
    assert curve.text() == "Loss 0.25 · Validation 0.79 · Best 0.81 at step 20"


def test_without_validation_there_is_no_word_of_it(curve: CurveView) -> None:
    curve.add_point(1, 0.5, None)
    assert curve.text() == "Loss 0.5"


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_left_out(curve: CurveView, loss: float) -> None:
    curve.add_point(1, 0.5, None)
    curve.add_point(2, loss, 0.9)
    assert curve.text() == "Loss 0.5"


def test_a_better_score_is_drawn_higher(curve: CurveView, qtbot: QtBot) -> None:
    curve.resize(300, 140)
    curve.show()
    heights = []
    for score in (0.25, 0.75):
        curve.set_points([(step, 0.0, score) for step in range(1, 30)])
        rows = rows_of(curve._plot.grab().toImage(), _SCORE_COLOUR)
        heights.append(sorted(rows)[len(rows) // 2])
    assert heights[1] < heights[0] - 15


def test_loss_has_its_own_scale(curve: CurveView, qtbot: QtBot) -> None:
    curve.resize(300, 140)
    curve.show()
    drawn = []
    for factor in (0.1, 0.3):  # as many digits at the scale
        curve.set_points([(step, factor * (31 - step), None) for step in range(1, 31)])
        rows = rows_of(curve._plot.grab().toImage(), _LOSS_COLOUR)
        drawn.append((min(rows), max(rows)))
    assert drawn[0][1] - drawn[0][0] > 30
    assert drawn[1] == pytest.approx(drawn[0], abs=2)


def test_a_hundred_points_at_once_are_drawn_at_most_twice(curve: CurveView, qtbot: QtBot) -> None:
    counter = PaintCounter()
    curve.show()
    qtbot.waitExposed(curve)
    qtbot.wait(50)
    curve._plot.installEventFilter(counter)
    for step in range(1, 101):
        curve.add_point(step, 1 / step, None)
        qtbot.wait(1)
    assert counter.count <= 2
    qtbot.waitUntil(lambda: "Loss 0.01" in curve._words.text())  # the last point is drawn too


def test_few_points_are_drawn_as_they_are() -> None:
    points = [(step, 1.0 / step, None) for step in range(1, 50)]
    assert thin(points, 50) == points


def test_many_points_are_thinned_to_means_and_keep_every_score() -> None:
    points = [(step, float(step % 2), 0.5 if step % 1000 == 0 else None) for step in range(1, 10_001)]
    thinned = thin(points, 400)
    assert len(thinned) <= 410
    assert all(loss == pytest.approx(0.5, abs=0.05) for _, loss, _ in thinned)
    assert [step for step, _, score in thinned if score is not None] == list(range(1000, 10_001, 1000))


def test_the_score_is_named(curve: CurveView) -> None:
    curve.set_points([(10, 0.5, None), (20, 0.25, 0.8)], 20)
    curve.set_score_name("mean IoU")
    assert "Validation mean IoU 0.80" in curve.text()
