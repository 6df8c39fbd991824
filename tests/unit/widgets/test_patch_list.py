"""The list and the editor of patches show what is painted and say what the user changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtGui import QFocusEvent
from qtpy.QtWidgets import QApplication, QCheckBox, QLineEdit

from napari_mouse_seg.plans import PaintPlan, PatchPlan
from napari_mouse_seg.widgets import PatchRow, _patch_list
from napari_mouse_seg.widgets._patch_editor import PatchEditor
from napari_mouse_seg.widgets._patch_list import PatchList, describe

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

RED = np.full((64, 32, 3), (255, 0, 0), np.uint8)


def patch(number: int, **fields: object) -> PatchPlan:
    return PatchPlan.build(id=f"p{number:03d}", box=(0, 0, 64, 64), **fields)


def row(number: int, painted: float = 0.5, n_objects: int = 3, **fields: object) -> PatchRow:
    return PatchRow(patch(number, **fields), RED, painted, n_objects)


@pytest.fixture
def patches(qtbot: QtBot) -> PatchList:
    patches = PatchList()
    qtbot.addWidget(patches)
    patches.set_rows([row(1), row(2, name="edge"), row(3)])
    return patches


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (row(1), "Train\n50 % painted · 3 objects"),
        (row(1, painted=0.999, role="validate"), "Validate\n99 % painted · 3 objects"),
        (row(1, painted=0.001, n_objects=1), "Train\n< 1 % painted · 1 object"),
        (row(1, painted=0, n_objects=0, included=False), "Not used\nNot painted yet"),
    ],
)
def test_a_patch_is_described_in_words(shown: PatchRow, said: str) -> None:
    assert describe(shown, "object") == said


def test_classes_are_counted_in_areas() -> None:
    assert describe(row(1), "class").endswith("3 classes")


def test_thumbnail_keeps_its_colour_and_shape(patches: PatchList) -> None:
    image = patches.item(0).icon().pixmap(48, 48).toImage()
    assert image.pixelColor(image.width() // 2, image.height() // 2).getRgb()[:3] == (255, 0, 0)
    assert image.height() == 2 * image.width()


def test_setting_rows_and_the_current_one_tells_nothing(patches: PatchList, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(patches.patchChosen), qtbot.assertNotEmitted(patches.patchChanged):
        patches.set_current_id("p002")
        patches.set_rows([row(2, included=False), row(3)])
    assert patches.current_id() == "p002"
    patches.set_current_id("")
    assert patches.current_id() == ""
    assert patches.selectedItems() == []


def test_a_patch_that_is_gone_is_no_longer_chosen(patches: PatchList) -> None:
    patches.set_current_id("p002")
    patches.set_rows([row(1), row(3)])
    assert patches.current_id() == ""


def test_the_list_is_as_high_as_its_rows_up_to_four(patches: PatchList, qtbot: QtBot) -> None:
    patches.show()
    heights = []
    for n in (1, 2, 4, 9):
        patches.set_rows([row(number) for number in range(1, n + 1)])
        heights.append(patches.height())
    assert heights[1] - heights[0] >= 48
    assert heights[2] == pytest.approx(heights[0] + 3 * (heights[1] - heights[0]), abs=2)
    assert heights[3] == heights[2]


def test_a_larger_font_makes_the_list_higher(patches: PatchList, qtbot: QtBot) -> None:
    patches.show()
    before = patches.height()
    patches.setStyleSheet("font-size: 30pt")
    qtbot.waitUntil(lambda: patches.height() > before)


def test_only_new_thumbnails_are_drawn(patches: PatchList, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[object] = []
    make = _patch_list._icon
    monkeypatch.setattr(_patch_list, "_icon", lambda thumbnail: drawn.append(thumbnail) or make(thumbnail))
    blue = np.full((64, 64, 3), (0, 0, 255), np.uint8)
    patches.set_rows([row(1, painted=0.7), PatchRow(patch(2), blue, 0.5, 3), row(3)])
    assert [one is blue for one in drawn] == [True]
    assert "70 % painted" in patches.item(0).text()


def test_arrow_keys_choose_and_enter_goes_again(patches: PatchList, qtbot: QtBot) -> None:
    patches.set_current_id("p001")
    with qtbot.waitSignal(patches.patchChosen) as told:
        qtbot.keyClick(patches, Qt.Key.Key_Down)
    assert told.args == ["p002"]
    with qtbot.waitSignal(patches.patchChosen) as told:
        qtbot.keyClick(patches, Qt.Key.Key_Return)
    assert told.args == ["p002"]


def test_space_excludes_the_chosen_patch(patches: PatchList, qtbot: QtBot) -> None:
    patches.set_current_id("p002")
    with qtbot.waitSignal(patches.patchChanged) as told:
        qtbot.keyClick(patches, Qt.Key.Key_Space)
    assert told.args == [patch(2, name="edge", included=False)]
    assert "Not used" in patches.item(1).text()


def test_a_locked_list_keeps_its_check_marks(patches: PatchList, qtbot: QtBot) -> None:
    patches.set_locked(True)
    patches.set_current_id("p002")
    with qtbot.assertNotEmitted(patches.patchChanged):
        qtbot.keyClick(patches, Qt.Key.Key_Space)


def test_delete_key_asks_for_deletion(patches: PatchList, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(patches.deleteRequested):
        qtbot.keyClick(patches, Qt.Key.Key_Delete)
    patches.set_current_id("p003")
    with qtbot.waitSignal(patches.deleteRequested):
        qtbot.keyClick(patches, Qt.Key.Key_Delete)


@pytest.fixture
def editor(qtbot: QtBot) -> PatchEditor:
    editor = PatchEditor()
    qtbot.addWidget(editor)
    editor.set_value(patch(1, name="edge"))
    return editor


def box(editor: PatchEditor, title: str) -> QCheckBox:
    found = [one for one in editor.findChildren(QCheckBox) if one.text() == title]
    return next(one for one in found if one.isVisibleTo(editor))


def test_one_sentence_says_what_the_paint_means(editor: PatchEditor) -> None:
    assert editor.sentence() == PaintPlan().sentence
    box(editor, "The rest is background").click()
    assert editor.sentence() == PaintPlan(rest_is_background=True).sentence


def test_a_change_is_told_with_the_whole_patch(editor: PatchEditor, qtbot: QtBot) -> None:
    with qtbot.waitSignal(editor.valueChanged) as told:
        box(editor, "Objects are painted whole").click()
    assert told.args == [patch(1, name="edge", meaning=PaintPlan(whole_objects=False))]


def test_another_patch_tells_nothing_and_is_not_mixed_with_the_last(editor: PatchEditor, qtbot: QtBot) -> None:
    other = patch(2, role="validate", meaning=PaintPlan(whole_objects=False))
    with qtbot.assertNotEmitted(editor.valueChanged):
        editor.set_value(other)
    assert editor.value() == other
    with qtbot.waitSignal(editor.valueChanged) as told:
        box(editor, "The rest is background").click()
    assert told.args == [other.replace(meaning=PaintPlan(whole_objects=False, rest_is_background=True))]


def test_a_name_being_typed_is_left_alone_when_the_patch_is_shown_again(editor: PatchEditor) -> None:
    line = editor.findChild(QLineEdit)
    line.setText("ed")
    editor.set_value(patch(1, name="edge"))
    assert line.text() == "ed"


def test_areas_are_not_said_to_be_objects(editor: PatchEditor) -> None:
    editor.set_kind("areas", "Glass")
    assert "bject" not in editor.sentence()
    assert "What is not painted is left out." in editor.sentence()
    assert [one.text() for one in editor.findChildren(QCheckBox) if one.isVisibleTo(editor)] == ["The rest is Glass"]
    box(editor, "The rest is Glass").click()
    assert "What is not painted is Glass." in editor.sentence()
    assert editor.value().meaning.rest_is_background


def test_a_click_goes_to_the_current_patch_again_and_to_another_once(patches: PatchList, qtbot: QtBot) -> None:
    told: list[str] = []
    patches.patchChosen.connect(told.append)
    patches.show()
    first, second = (patches.visualItemRect(patches.item(row)).center() for row in (0, 1))
    for place in (first, first, second, second):
        qtbot.mouseClick(patches.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert told == [patches.rows()[row].plan.id for row in (0, 0, 1, 1)]


def test_ticking_the_box_of_the_current_patch_does_not_go_to_it(patches: PatchList, qtbot: QtBot) -> None:
    told: list[str] = []
    patches.show()
    patches.set_current_id(patches.rows()[0].plan.id)
    patches.patchChosen.connect(told.append)
    row = patches.visualItemRect(patches.item(0))
    with qtbot.waitSignal(patches.patchChanged):
        qtbot.mouseClick(patches.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(row.left() + 12, row.center().y()))
    assert told == []


def test_how_strokes_end_is_asked_only_where_there_are_strokes(editor: PatchEditor) -> None:
    shown = [one.text() for one in editor.findChildren(QCheckBox) if one.isVisibleTo(editor)]
    assert "Strokes end at the edges" not in shown
    box(editor, "Objects are painted whole").click()
    assert box(editor, "Strokes end at the edges").isVisibleTo(editor)
    box(editor, "Strokes end at the edges").click()
    assert editor.value().meaning == PaintPlan(whole_objects=False, ends_at_edges=True)
    assert editor.sentence() == "Strokes lie across objects, from edge to edge; there may be more without a stroke."


def test_getting_the_focus_chooses_no_patch(patches: PatchList, qtbot: QtBot) -> None:
    patches.show()
    for patch_id in ("", "p002"):
        patches.set_current_id(patch_id)
        with qtbot.assertNotEmitted(patches.patchChosen):
            QApplication.sendEvent(patches, QFocusEvent(QEvent.Type.FocusIn, Qt.FocusReason.OtherFocusReason))
        assert patches.current_id() == patch_id
    patches.set_current_id("")
    with qtbot.waitSignal(patches.patchChosen):
        qtbot.keyClick(patches, Qt.Key.Key_Down)
