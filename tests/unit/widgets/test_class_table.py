"""Classes can be named, coloured, added and removed, and stay valid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QColorDialog, QLabel, QLineEdit, QPushButton, QRadioButton, QToolButton

from napari_mouse_seg.plans import AreaTargets, ClassPlan
from napari_mouse_seg.widgets._class_table import ClassTable, first_classes

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

CLASSES = (
    ClassPlan(label=1, name="Background", colour="#112233"),
    ClassPlan(label=2, name="Membrane", colour="#445566"),
    ClassPlan(label=4, name="Vesicle", colour="#778899"),
)


@pytest.fixture
def table(qtbot: QtBot) -> ClassTable:
    table = ClassTable()
    qtbot.addWidget(table)
    table.set_value(CLASSES)
    return table


def names(table: ClassTable) -> list[QLineEdit]:
    return [row.findChild(QLineEdit) for row in table._rows]


def removers(table: ClassTable) -> list[QToolButton]:
    return [one for row in table._rows for one in row.findChildren(QToolButton) if one.text() == "✕"]


def test_setting_classes_tells_nothing(table: ClassTable, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(table.valueChanged):
        table.set_value(CLASSES[:2])
    assert [line.text() for line in names(table)] == ["Background", "Membrane"]


def test_a_new_class_gets_a_free_label_name_and_colour(table: ClassTable, qtbot: QtBot) -> None:
    with qtbot.waitSignal(table.valueChanged) as told:
        table.findChild(QPushButton).click()
    (added,) = set(told.args[0]) - set(CLASSES)
    assert added.label == 3
    assert added.colour not in {entry.colour for entry in CLASSES}
    assert names(table)[-1].text() == added.name == "Class 2"  # Background is no class to count.
    assert table.chosen() == 3


def test_a_label_that_models_know_another_class_by_is_not_given_again(table: ClassTable) -> None:
    table.set_retired((3, 4))
    table.findChild(QPushButton).click()
    assert table.value()[-1].label == 5


def test_a_name_is_taken_over_when_it_is_complete(table: ClassTable, qtbot: QtBot) -> None:
    names(table)[1].setText(" Wall ")
    with qtbot.waitSignal(table.valueChanged) as told:
        names(table)[1].editingFinished.emit()
    assert told.args[0] == (CLASSES[0], CLASSES[1].replace(name="Wall"), CLASSES[2])


@pytest.mark.parametrize(("name", "said"), [("", "has no name"), ("Vesicle", "Two classes are called “Vesicle”")])
def test_a_bad_name_is_explained_and_not_taken_over(table: ClassTable, qtbot: QtBot, name: str, said: str) -> None:
    names(table)[1].setText(name)
    with qtbot.assertNotEmitted(table.valueChanged):
        names(table)[1].editingFinished.emit()
    assert said in table.problem()
    assert any(said in label.text() for label in table.findChildren(QLabel) if not label.isHidden())
    assert table.value() == CLASSES
    names(table)[1].setText("Wall")
    names(table)[1].editingFinished.emit()
    assert table.problem() == ""


def test_a_colour_is_chosen_in_a_dialog(table: ClassTable, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QColorDialog, "getColor", lambda *_: QColor("#abcdef"))
    with qtbot.waitSignal(table.valueChanged) as told:
        table._rows[0].findChildren(QToolButton)[0].click()
    assert told.args[0][0].colour == "#abcdef"


def test_a_class_is_chosen_to_be_painted(table: ClassTable, qtbot: QtBot) -> None:
    radios = [row.findChild(QRadioButton) for row in table._rows]
    with qtbot.assertNotEmitted(table.classChosen):
        table.set_chosen(2)
    assert [radio.isChecked() for radio in radios] == [False, True, False]
    with qtbot.waitSignal(table.classChosen) as told:
        radios[2].click()
    assert told.args == [4]
    assert [radio.isChecked() for radio in radios] == [False, False, True]
    radios[2].click()  # Again: it stays.
    assert radios[2].isChecked()
    table.set_chosen(0)
    assert not any(radio.isChecked() for radio in radios)


def test_the_first_two_classes_differ_and_are_valid() -> None:
    first, second = AreaTargets(classes=first_classes()).classes
    assert (first.label, first.name) == (1, "Background")
    assert (second.label, second.name) == (2, "Class 1")
    assert first.colour != second.colour


def test_the_class_of_what_is_not_painted_stays(table: ClassTable) -> None:
    assert not removers(table)[0].isEnabled()
    assert "give it another name" in removers(table)[0].toolTip()


def test_a_class_can_be_removed_until_two_are_left(table: ClassTable, qtbot: QtBot) -> None:
    with qtbot.waitSignal(table.valueChanged) as told:
        removers(table)[1].click()
    assert told.args[0] == (CLASSES[0], CLASSES[2])
    assert not any(one.isEnabled() for one in removers(table))
    assert "Two classes are the fewest" in removers(table)[0].toolTip()


def test_reasons_turn_off_what_they_are_against(table: ClassTable) -> None:
    table.set_reasons("", "It is painted.")
    assert {one.toolTip() for one in removers(table)} == {"It is painted."}
    assert table.findChild(QPushButton).isEnabled()
    table.set_reasons("Read only.", "")
    assert not table.findChild(QPushButton).isEnabled()
    assert all(line.isReadOnly() for line in names(table))


def test_a_name_that_is_being_typed_goes_with_its_class(table: ClassTable, qtbot: QtBot) -> None:
    table.show()
    qtbot.waitExposed(table)
    names(table)[2].setFocus()
    qtbot.keyClicks(names(table)[2], "Half a na")
    told: list[object] = []
    table.valueChanged.connect(told.append)
    table.set_value(CLASSES[:2])
    assert table.value() == CLASSES[:2]
    table.set_value(())
    assert (table.value(), told) == ((), [])
