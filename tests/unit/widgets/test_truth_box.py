"""The box shows what it is told, and says what the user wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from qtpy.QtWidgets import QComboBox, QPushButton

from napari_mouse_seg.widgets._truth_box import TruthBox

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.fixture
def box(qtbot: QtBot) -> TruthBox:
    box = TruthBox()
    qtbot.addWidget(box)
    box.set_layers(["known", "known"], -1)
    return box


def button(box: TruthBox, text: str) -> QPushButton:
    (found,) = [one for one in box.findChildren(QPushButton) if one.text() == text]
    return found


def test_labels_are_chosen_by_position_and_none_comes_first(box: TruthBox, qtbot: QtBot) -> None:
    (combo,) = box.findChildren(QComboBox)
    assert box.layer_names() == ["None", "known", "known"]
    assert combo.currentIndex() == 0
    with qtbot.waitSignal(box.labelsChosen) as chosen:
        combo.setCurrentIndex(2)
    assert chosen.args == [1]
    with qtbot.waitSignal(box.labelsChosen) as chosen:
        combo.setCurrentIndex(0)
    assert chosen.args == [-1]


def test_listing_says_nothing(box: TruthBox, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(box.labelsChosen):
        box.set_layers(["one", "two"], 1)
    (combo,) = box.findChildren(QComboBox)
    assert combo.currentText() == "two"


def test_button_finds_or_stops_and_says_why_it_is_off(box: TruthBox, qtbot: QtBot) -> None:
    best = button(box, "Find best")
    assert not best.isEnabled()
    assert best.toolTip() == "Choose labels to compare with."
    box.set_best_reason("")
    with qtbot.waitSignal(box.bestRequested):
        best.click()
    box.begin_search()
    box.show_search("Tried 3 of 25; mean F1 0.80 so far.")
    assert box.found_text() == "Tried 3 of 25; mean F1 0.80 so far."
    with qtbot.waitSignal(box.cancelRequested), qtbot.assertNotEmitted(box.bestRequested):
        button(box, "Stop searching").click()
    box.end_search()
    assert button(box, "Find best").isEnabled()


def test_undo_is_offered_only_for_what_a_search_has_changed(box: TruthBox, qtbot: QtBot) -> None:
    assert button(box, "Undo").isHidden()
    box.show_found("Mean F1: 0.70 → 0.80", can_undo=True)
    assert not button(box, "Undo").isHidden()
    with qtbot.waitSignal(box.undoRequested):
        button(box, "Undo").click()
    box.set_best_reason("")
    box.begin_search()
    assert button(box, "Undo").isHidden()


def test_reading_of_paint_is_asked_for_only_for_patches(box: TruthBox) -> None:
    assert box.paint_editor.isHidden()
    box.set_patch(is_patch=True)
    assert not box.paint_editor.isHidden()


def test_score_is_shown_and_taken_away(box: TruthBox) -> None:
    box.show_score("F1 0.93 at IoU 0.5", "3 missed", "2 objects cut by the edge left out.")
    assert box.score_text().split("\n") == ["F1 0.93 at IoU 0.5", "3 missed", "2 objects cut by the edge left out."]
    box.show_score("")
    assert box.score_text() == ""
