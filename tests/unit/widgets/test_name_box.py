"""Long names: both ends are seen in the box, all of it in its list and its tooltip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import QEvent, QPoint
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import QApplication, QToolTip

from napari_mouse_seg.widgets._name_box import NameBox

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

LONG = "a section of the left hemisphere after training on twelve patches, round 3"


@pytest.fixture
def box(qtbot: QtBot) -> NameBox:
    box = NameBox("Model that training starts from.")
    qtbot.addWidget(box)
    box.fill(["short", LONG], 1)
    box.resize(200, 28)
    box.show()
    return box


def test_both_ends_of_a_long_name_are_seen(box: NameBox) -> None:
    first, last = box.shown_text().split("…")
    assert LONG.startswith(first)
    assert LONG.endswith(last)
    assert min(len(first), len(last)) > 5
    assert box.fontMetrics().horizontalAdvance(box.shown_text()) < 200
    assert box.currentText() == LONG


def test_hovering_tells_a_name_that_is_cut(box: NameBox, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda _place, text, *_: told.append(text))
    for position in (1, 0):
        box.setCurrentIndex(position)
        QApplication.sendEvent(box, QHelpEvent(QEvent.Type.ToolTip, QPoint(5, 5), QPoint(5, 5)))
    assert told == [f"{LONG}\nModel that training starts from.", "Model that training starts from."]


def test_the_open_list_has_room_for_the_longest_name(box: NameBox, qtbot: QtBot) -> None:
    box.showPopup()
    qtbot.waitUntil(box.view().isVisible)
    wanted = min(box.fontMetrics().horizontalAdvance(LONG), box.screen().availableGeometry().width() // 2)
    assert box.view().viewport().width() >= wanted > box.width()
    box.hidePopup()
    assert box.width() == 200
