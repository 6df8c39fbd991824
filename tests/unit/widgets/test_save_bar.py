"""The button asks for a file, and says what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_mouse_seg.widgets import _dialogs
from napari_mouse_seg.widgets._save_bar import SaveBar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    Answer = Callable[[str, str], None]

KINDS = {"Labels": ".tif", "Zarr": ".ome.zarr", "Table": ".csv"}


@pytest.fixture
def bar(qtbot: QtBot, tmp_path: Path) -> SaveBar:
    bar = SaveBar()
    qtbot.addWidget(bar)
    bar.suggest(tmp_path / "cells_labels.tif", KINDS)
    return bar


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Return a function that sets what a user gives in the dialog: a name, and the kind that is chosen."""

    def give(name: str, kind: str) -> None:
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_arguments: (name, kind))

    return give


def button(bar: SaveBar) -> QPushButton:
    (found,) = bar.findChildren(QPushButton)
    return found


@pytest.mark.parametrize(
    ("given", "kind", "written"),
    [
        ("a.csv", "Labels (*.tif)", "a.csv"),
        ("a", "Zarr (*.zarr)", "a.ome.zarr"),
        ("a.zarr", "Zarr (*.zarr)", "a.ome.zarr"),  # As some dialogs do when the kind is chosen.
        ("a.ome.zarr", "Labels (*.tif)", "a.ome.zarr"),
        ("a.v2", "Table (*.csv)", "a.v2.csv"),
        ("A.TIF", "Labels (*.tif)", "A.TIF"),
        ("a.tiff", "Labels (*.tif)", "a.tif"),
        ("a", "", "a.tif"),
    ],
)
def test_a_name_gets_the_ending_of_the_chosen_kind(
    bar: SaveBar, qtbot: QtBot, answer: Answer, tmp_path: Path, given: str, kind: str, written: str
) -> None:
    answer(str(tmp_path / given), kind)
    with qtbot.waitSignal(bar.saveRequested) as asked:
        button(bar).click()
    assert asked.args == [tmp_path / written]


def test_without_a_kind_a_name_gets_the_whole_ending_that_was_suggested(
    bar: SaveBar, qtbot: QtBot, answer: Answer, tmp_path: Path
) -> None:
    bar.suggest(tmp_path / "cells.ome.zarr", {"Zarr": ".ome.zarr", "Table": ".csv"})
    answer(str(tmp_path / "a"), "")
    with qtbot.waitSignal(bar.saveRequested) as asked:
        button(bar).click()
    assert asked.args == [tmp_path / "a.ome.zarr"]


def test_nothing_is_asked_for_without_a_name(bar: SaveBar, qtbot: QtBot, answer: Answer) -> None:
    answer("", "")
    with qtbot.assertNotEmitted(bar.saveRequested):
        button(bar).click()


@pytest.mark.parametrize("agreed", [True, False])
def test_a_file_that_the_dialog_did_not_know_of_is_replaced_only_if_the_user_agrees(
    bar: SaveBar, qtbot: QtBot, answer: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, agreed: bool
) -> None:
    (tmp_path / "a.csv").touch()
    monkeypatch.setattr(_dialogs, "confirm", lambda *_arguments: agreed)
    answer(str(tmp_path / "a"), "Table (*.csv)")
    asked: list[Path] = []
    bar.saveRequested.connect(asked.append)
    button(bar).click()
    assert asked == ([tmp_path / "a.csv"] if agreed else [])


def test_while_a_file_is_written_the_button_gives_it_up(bar: SaveBar, qtbot: QtBot) -> None:
    bar.set_reason("There is nothing.")
    assert not button(bar).isEnabled()
    assert button(bar).toolTip() == "There is nothing."
    bar.begin("a.tif")
    assert button(bar).isEnabled()
    with qtbot.waitSignal(bar.cancelRequested):
        button(bar).click()
    assert bar.text() == "Cancelling…"
    assert not button(bar).isEnabled()
    bar.end(failure="The disk is full.")
    assert "The disk is full." in bar.text()
    assert not button(bar).isEnabled()
