"""Rounds can be used, compared, renamed and deleted, and each button that is off says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from qtpy.QtWidgets import QLabel, QPushButton

from napari_mouse_seg.plans import RoundPlan
from napari_mouse_seg.widgets import CurveView, _dialogs
from napari_mouse_seg.widgets._round_list import RoundList

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

FIRST = RoundPlan(
    number=1,
    name="slide-1",
    base="nuclei-fluorescence",
    created="2026-03-04T14:05:00+01:00",
    steps=1240,
    best_step=200,
    seconds=231,
    score=0.764,
    patches=("p001",),
    curve=((100, 1.0, 0.5), (200, 0.5, 0.76)),
)
SECOND = RoundPlan(number=2, name="slide-2", base="nuclei-fluorescence", created="yesterday", patches=("a", "b"))


@pytest.fixture
def rounds(qtbot: QtBot) -> RoundList:
    rounds = RoundList()
    qtbot.addWidget(rounds)
    rounds.set_rounds([FIRST, SECOND], used=1)
    return rounds


def button(rounds: RoundList, text: str) -> QPushButton:
    (found,) = [one for one in rounds.findChildren(QPushButton) if one.text() == text]
    return found


def shown(rounds: RoundList) -> str:
    return "\n".join(label.text() for label in rounds.findChildren(QLabel) if label.isVisibleTo(rounds))


def test_the_newest_is_first_and_the_used_one_is_marked(rounds: RoundList) -> None:
    assert rounds.text() == (
        "slide-2\nNo validation · yesterday\n● slide-1 · in Segment\nScore 0.76 · 2026-03-04 14:05"
    )


def test_no_round_is_explained(qtbot: QtBot) -> None:
    rounds = RoundList()
    qtbot.addWidget(rounds)
    assert "No round yet" in shown(rounds)
    assert button(rounds, "Use in Segment").toolTip() == "There is no round yet."


def test_a_new_round_is_chosen_and_a_choice_stays(rounds: RoundList) -> None:
    assert rounds.chosen() == [2]
    rounds.choose(1)
    rounds.set_rounds([FIRST, SECOND.replace(name="better")], used=2)
    assert rounds.chosen() == [1]
    rounds.set_rounds([FIRST, SECOND, SECOND.replace(number=3)], used=2)
    assert rounds.chosen() == [3]


def test_the_chosen_round_shows_how_it_came_about(rounds: RoundList) -> None:
    assert not rounds.findChild(CurveView).isVisibleTo(rounds)  # the second has no curve
    rounds.choose(1)
    assert "From nuclei-fluorescence, 1 patch, 1,240 steps in 3 min 51 s." in shown(rounds)
    assert rounds.findChild(CurveView).text() == "Loss 0.5 · Validation 0.76 · Best 0.76 at step 200"


def test_a_round_that_keeps_some_of_its_base_says_how_much(rounds: RoundList) -> None:
    rounds.choose(1)
    assert "Weights" not in shown(rounds)
    rounds.set_rounds([FIRST.replace(learnt_share=0.55)], used=1)
    rounds.choose(1)
    assert "in 3 min 51 s. Weights: 55% learnt, the rest as before." in shown(rounds)


def test_use_names_the_chosen_round_unless_it_is_used_already(rounds: RoundList, qtbot: QtBot) -> None:
    with qtbot.waitSignal(rounds.roundUsed) as told:
        button(rounds, "Use in Segment").click()
    assert told.args == [2]
    rounds.choose(1)
    assert not button(rounds, "Use in Segment").isEnabled()
    assert "Segment shows “slide-1” already" in button(rounds, "Use in Segment").toolTip()


def test_two_are_compared_the_older_first(rounds: RoundList, qtbot: QtBot) -> None:
    assert "Choose two rounds" in button(rounds, "Compare two").toolTip()
    rounds.choose(2, 1)
    with qtbot.waitSignal(rounds.roundsCompared) as told:
        button(rounds, "Compare two").click()
    assert told.args == [1, 2]
    assert not button(rounds, "Use in Segment").isEnabled()


def test_rename_asks_for_the_name(rounds: RoundList, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_dialogs, "ask_name", lambda _parent, _title, name: name + " b")
    with qtbot.waitSignal(rounds.roundRenamed) as told:
        button(rounds, "Rename…").click()
    assert told.args == [2, "slide-2 b"]
    monkeypatch.setattr(_dialogs, "ask_name", lambda *_: "")
    with qtbot.assertNotEmitted(rounds.roundRenamed):
        button(rounds, "Rename…").click()


@pytest.mark.parametrize("agreed", [True, False])
def test_delete_is_confirmed(rounds: RoundList, monkeypatch: pytest.MonkeyPatch, agreed: bool) -> None:
    asked: list[str] = []
    deleted: list[int] = []

    def confirm(_parent: object, text: str, _action: str) -> bool:
        asked.append(text)
        return agreed

    monkeypatch.setattr(_dialogs, "confirm", confirm)
    rounds.roundDeleted.connect(deleted.append)
    rounds.choose(1)
    button(rounds, "Delete…").click()
    assert "Segment is showing it" in asked[0]
    assert deleted == ([1] if agreed else [])


def test_a_read_only_project_still_shows_its_rounds(rounds: RoundList) -> None:
    rounds.set_read_only("Another viewer has it.")
    assert button(rounds, "Use in Segment").isEnabled()
    for text in ("Rename…", "Delete…"):
        assert not button(rounds, text).isEnabled()
        assert button(rounds, text).toolTip() == "Another viewer has it."
