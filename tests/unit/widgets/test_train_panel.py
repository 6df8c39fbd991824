"""The panel *Train* leads from image to model: it shows what it is told, and says what the user wants."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QStyle,
    QWidget,
)

from napari_mouse_seg.plans import ClassPlan, InstancesPlan, PaintPlan, PatchPlan, RetrainPlan, RoundPlan
from napari_mouse_seg.widgets import CurveView, ModelChoice, PatchRow, TrainPanel, _dialogs
from napari_mouse_seg.widgets._patch_list import PatchList

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

MODELS = (
    ModelChoice("nuclei", "Nuclei, bright on dark (0.65 µm/px)", "Made of fluorescence images.", InstancesPlan()),
    ModelChoice("new", "Learns from your paint alone", "", InstancesPlan()),
)
CLASSES = (
    ClassPlan(label=1, name="Background", colour="#112233"),
    ClassPlan(label=2, name="Membrane", colour="#445566"),
)
PLOT_PX = 90  # At least as high is the drawing of a curve, and its words are not.


def patch(number: int, **fields: object) -> PatchRow:
    plan = PatchPlan.build(id=f"p{number:03d}", box=(0, 0, 64, 64), **fields)
    return PatchRow(plan, np.zeros((64, 64, 3), np.uint8), 0.5, 3)


@pytest.fixture
def empty(qtbot: QtBot) -> TrainPanel:
    panel = TrainPanel()
    qtbot.addWidget(panel)
    return panel


@pytest.fixture
def panel(empty: TrainPanel) -> TrainPanel:
    empty.set_images(["field", "field"], 1)
    empty.set_models(MODELS)
    empty.set_patches([patch(1), patch(2, role="validate"), patch(3)])
    return empty


def button(panel: TrainPanel, text: str) -> QPushButton:
    (found,) = [one for one in panel.findChildren(QAbstractButton) if one.text() == text]
    return found


def texts(panel: TrainPanel) -> str:
    """Return all text that would be seen."""
    return "\n".join(label.text() for label in panel.findChildren(QLabel) if label.isVisibleTo(panel))


def combo(panel: TrainPanel, text: str) -> QComboBox:
    (found,) = [one for one in panel.findChildren(QComboBox) if one.currentText() == text]
    return found


def test_an_empty_panel_says_where_to_begin(empty: TrainPanel) -> None:
    assert "Open an image: File ▸ Open" in texts(empty)
    assert "The first patch starts a project" in texts(empty)
    assert "No round yet" in texts(empty)
    assert button(empty, "Add patch here").toolTip() == "There is no image; open one."
    assert button(empty, "Train").toolTip() == "There is no image."
    assert button(empty, "Prefill with model").isHidden() or not empty.current_patch()


def test_the_steps_after_each_other_are_asked_for(empty: TrainPanel) -> None:
    empty.set_images(["field"], 0)
    assert "No patch yet: move to a typical place and press “Add patch here”." in texts(empty)
    assert button(empty, "Add patch here").isEnabled()
    assert "no model to start from" in button(empty, "Train").toolTip()
    empty.set_models(MODELS)
    assert "There is no patch to learn from; add one and paint in it." in texts(empty)
    empty.set_patches([patch(1)])
    assert button(empty, "Train").isEnabled()


def test_setters_emit_nothing(panel: TrainPanel) -> None:
    told: list[str] = []
    names = [name for name, value in vars(TrainPanel).items() if type(value).__name__ in ("pyqtSignal", "Signal")]
    assert len(names) == 23
    for name in names:
        getattr(panel, name).connect(lambda *_, name=name: told.append(name))
    panel.set_images(["a", "b"], 0)
    panel.set_channels(["DAPI", "GFP"], 1)
    panel.set_models(MODELS, 1)
    panel.set_plan(RetrainPlan(minutes=2, batch_size=8, start_from="last", seed=3))
    panel.set_kind("areas", CLASSES, locked=True)
    panel.set_class(2)
    panel.set_project("here", "", ())
    panel.set_patches([patch(4), patch(5)])
    panel.set_current_patch("p005")
    panel.set_patches([patch(5, included=False)])
    panel.set_rounds([RoundPlan(number=1, name="r", base="b")], 1)
    panel.set_reasons("a", "b")
    panel.set_drawing(True)
    panel.begin_training()
    panel.set_paused(True)
    panel.end_training()
    assert told == []
    assert panel.value() == RetrainPlan(minutes=2, batch_size=8, start_from="last", seed=3)


def test_choices_are_told(panel: TrainPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.modelChosen) as told:
        combo(panel, "nuclei").setCurrentIndex(1)
    assert told.args == [1]
    assert "Learns from your paint alone" in texts(panel)
    panel.set_channels(["DAPI", "GFP"])
    with qtbot.waitSignal(panel.channelChosen) as told:
        combo(panel, "DAPI").setCurrentIndex(1)
    assert told.args == [1]
    with qtbot.waitSignal(panel.imageChosen) as told:
        combo(panel, "field").setCurrentIndex(0)
    assert told.args == [0]


@pytest.mark.parametrize(("names", "is_asked"), [(["only"], False), (["DAPI", "GFP"], True)])
def test_channel_is_asked_for_only_where_there_are_several(panel: TrainPanel, names: list[str], is_asked: bool) -> None:
    panel.set_channels(names)
    assert ("Channel" in texts(panel).split("\n")) is is_asked


def test_minutes_and_advanced_fields_make_one_plan(panel: TrainPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.planChanged):
        panel._training._simple.input_widget("minutes").setValue(2.5)
    with qtbot.waitSignal(panel.planChanged) as told:
        panel._training._advanced.input_widget("learning_rate").setValue(0.0003)
    assert told.args == [RetrainPlan(minutes=2.5, learning_rate=0.0003)]


def test_every_field_of_the_plan_can_be_edited(panel: TrainPanel) -> None:
    assert set(panel._training._simple._inputs) | set(panel._training._advanced._inputs) == set(
        RetrainPlan.model_fields
    )


def test_an_invalid_field_turns_training_off_with_its_reason(panel: TrainPanel) -> None:
    panel._training._advanced.input_widget("crop_px").setValue(100)
    assert "Crop (px): Input should be a multiple of 32" in button(panel, "Train").toolTip()


def test_areas_bring_their_classes(panel: TrainPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.kindChosen) as told:
        button(panel, "Areas").click()
    assert told.args == ["areas"]
    assert "There is no class to paint" in button(panel, "Train").toolTip()
    panel.set_kind("areas", CLASSES, locked=False)
    assert button(panel, "Train").isEnabled()
    with qtbot.waitSignal(panel.classesChanged) as told:
        button(panel, "Add class").click()
    assert told.args[0][:2] == CLASSES
    with qtbot.waitSignal(panel.kindChosen):
        button(panel, "Objects").click()
    assert not button(panel, "Add class").isVisibleTo(panel)


def test_a_locked_kind_says_why(panel: TrainPanel) -> None:
    panel.set_kind("objects", (), locked=True)
    assert not button(panel, "Areas").isEnabled()
    assert "keeps to one kind of paint" in button(panel, "Areas").toolTip()


@pytest.mark.parametrize("text", ["Open project…", "New project…"])
def test_a_project_folder_is_asked_for(
    panel: TrainPanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(_dialogs, "ask_folder", lambda *_: Path("here"))
    with qtbot.waitSignal(panel.projectRequested) as told:
        button(panel, text).click()
    assert told.args == [Path("here")]
    monkeypatch.setattr(_dialogs, "ask_folder", lambda *_: None)
    with qtbot.assertNotEmitted(panel.projectRequested):
        button(panel, text).click()


def test_patches_are_added_here_or_drawn(panel: TrainPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.addPatchRequested):
        qtbot.mouseClick(button(panel, "Add patch here"), Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(panel.addRectangleRequested) as told:
        button(panel, "Draw a rectangle").click()
    assert told.args == [True]
    panel.set_drawing(False)
    assert not button(panel, "Draw a rectangle").isChecked()


def test_drawing_can_be_left_although_adding_is_off(panel: TrainPanel, qtbot: QtBot) -> None:
    button(panel, "Draw a rectangle").click()
    panel.set_reasons("The layer is outside of the view.", "")
    assert button(panel, "Add patch here").toolTip() == "The layer is outside of the view."
    assert "outside of the view" in texts(panel)
    with qtbot.waitSignal(panel.addRectangleRequested) as told:
        button(panel, "Draw a rectangle").click()
    assert told.args == [False]
    assert not button(panel, "Draw a rectangle").isEnabled()


def test_the_chosen_patch_is_edited_and_the_list_follows(panel: TrainPanel, qtbot: QtBot) -> None:
    assert not button(panel, "Prefill with model").isVisibleTo(panel)
    panel.set_current_patch("p002")
    assert PaintPlan().sentence in texts(panel)
    with qtbot.waitSignal(panel.patchChanged) as told:
        combo(panel, "validate").setCurrentIndex(0)
    assert told.args == [patch(2).plan]
    assert "Train" in panel.findChild(PatchList).item(1).text()
    with qtbot.waitSignal(panel.prefillRequested) as told:
        button(panel, "Prefill with model").click()
    assert told.args == ["p002"]


def test_choosing_a_patch_shows_it_and_is_told(panel: TrainPanel, qtbot: QtBot) -> None:
    panel.set_current_patch("p001")
    with qtbot.waitSignal(panel.patchChosen) as told:
        qtbot.keyClick(panel.findChild(PatchList), Qt.Key.Key_Down)
    assert told.args == ["p002"]
    assert panel.current_patch() == "p002"
    assert combo(panel, "validate").isVisibleTo(panel)


@pytest.mark.parametrize("agreed", [True, False])
def test_deleting_a_patch_is_confirmed(panel: TrainPanel, monkeypatch: pytest.MonkeyPatch, agreed: bool) -> None:
    deleted: list[str] = []
    panel.patchDeleted.connect(deleted.append)

    def answer(box: QMessageBox) -> int:
        assert "Delete the patch “p003”?" in box.text()
        (doing,) = [one for one in box.buttons() if one.text() == "Delete"]
        assert box.defaultButton() is not doing
        (doing if agreed else box.button(QMessageBox.StandardButton.Cancel)).click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", answer)
    panel.set_current_patch("p003")
    button(panel, "Delete patch").click()
    assert deleted == (["p003"] if agreed else [])


@pytest.mark.parametrize("fields", [{"included": False}, {"role": "validate"}])
def test_patches_without_one_to_learn_from_are_explained(panel: TrainPanel, fields: dict[str, object]) -> None:
    panel.set_patches([patch(1, **fields)])
    assert "No patch is used for training" in button(panel, "Train").toolTip()


def test_training_is_off_for_the_reason_that_others_give(panel: TrainPanel, qtbot: QtBot) -> None:
    panel.set_reasons("", "Nothing is painted in the patches.")
    assert "Nothing is painted in the patches." in texts(panel)
    assert not button(panel, "Train").isEnabled()
    panel.set_reasons("", "")
    with qtbot.waitSignal(panel.trainRequested):
        button(panel, "Train").click()


def test_while_training_it_can_be_paused_stopped_and_cancelled(panel: TrainPanel, qtbot: QtBot) -> None:
    panel.begin_training()
    assert not button(panel, "Train").isVisibleTo(panel)
    with qtbot.waitSignal(panel.pauseRequested) as told:
        button(panel, "Pause").click()
    assert told.args == [True]
    panel.set_paused(True)
    with qtbot.waitSignal(panel.pauseRequested) as told:
        button(panel, "Resume").click()
    assert told.args == [False]
    with qtbot.waitSignal(panel.stopRequested):
        button(panel, "Stop and keep best").click()
    assert not button(panel, "Stop and keep best").isEnabled()
    with qtbot.waitSignal(panel.cancelRequested):
        button(panel, "Cancel").click()
    assert "Cancelling…" in texts(panel)
    panel.end_training()
    assert button(panel, "Train").isVisibleTo(panel)
    assert not button(panel, "Cancel").isVisibleTo(panel)


def test_patches_can_be_added_and_edited_while_training(panel: TrainPanel) -> None:
    panel.set_current_patch("p001")
    panel.begin_training()
    for text in ("Add patch here", "Draw a rectangle", "Prefill with model", "Delete patch"):
        assert button(panel, text).isEnabled(), text


def test_progress_is_said_with_the_time_left(panel: TrainPanel, qtbot: QtBot) -> None:
    panel.begin_training()
    panel.show_stage("Reading patches")
    assert "Reading patches" in texts(panel)
    panel.show_progress(1160, 2400, 125)
    qtbot.waitUntil(lambda: "Step 1,160 of 2,400, 2 min 05 s left" in texts(panel))
    panel.set_paused(True)
    assert "Paused · Step 1,160 of 2,400" in texts(panel)
    assert "left" not in texts(panel).split("Paused")[1].split("\n")[0]


def test_progress_is_shown_at_most_twice_a_second(panel: TrainPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    panel.begin_training()
    shown: list[str] = []
    monkeypatch.setattr(panel._status._bar, "show_progress", lambda text, *_: shown.append(text))
    for step in range(100):
        panel.show_progress(step, 100, None)
    assert shown == ["Step 0 of 100"]


def test_the_curve_is_shown_and_begins_anew(panel: TrainPanel) -> None:
    panel.begin_training()
    panel.add_point(10, 0.5, 0.75)
    panel.mark_best(10)
    assert panel.curve_text() == "Loss 0.5 · Validation 0.75 · Best 0.75 at step 10"
    panel.end_training()
    panel.begin_training()
    assert panel.curve_text() == "The curve starts after the first steps."


def test_a_new_training_takes_the_last_outcome_away(panel: TrainPanel) -> None:
    panel.show_message("Round 1 is in Segment.")
    panel.show_failure("The disk is full.")
    assert "Round 1 is in Segment." in texts(panel)
    assert "✕ The disk is full." in texts(panel)
    panel.begin_training()
    assert panel.result_text() == panel.failure_text() == ""


def test_a_note_is_shown_before_training(panel: TrainPanel) -> None:
    panel.set_note("One patch: there is no validation; training stops by a schedule.")
    assert "there is no validation" in texts(panel)


def test_a_read_only_project_can_be_looked_at_but_not_changed(panel: TrainPanel) -> None:
    panel.set_current_patch("p001")
    panel.set_rounds([RoundPlan(number=1, name="r", base="b")], None)
    panel.set_project("here", "Another viewer has it.", ["p002.paint.tif was damaged."])
    assert "⚠ Another viewer has it.\n⚠ p002.paint.tif was damaged." in texts(panel)
    off = ("Add patch here", "Draw a rectangle", "Prefill with model", "Delete patch", "Train", "Rename…", "Delete…")
    for text in (*off, "Objects", "Areas"):
        assert not button(panel, text).isEnabled(), text
        assert button(panel, text).toolTip() == "Another viewer has it.", text
    for text in ("Open project…", "Use in Segment"):
        assert button(panel, text).isEnabled(), text
    for editor in (panel._training._simple, panel._training._advanced, panel._patches._editor):
        assert not editor.isEnabled()
    panel.set_project("here", "", ())
    assert button(panel, "Train").isEnabled()
    assert button(panel, "Add patch here").isEnabled()


def test_rounds_are_forwarded(panel: TrainPanel, qtbot: QtBot) -> None:
    panel.set_rounds([RoundPlan(number=7, name="r", base="b")], None)
    with qtbot.waitSignal(panel.roundUsed) as told:
        button(panel, "Use in Segment").click()
    assert told.args == [7]


def test_every_control_has_a_tooltip_and_can_be_reached_by_keyboard(panel: TrainPanel) -> None:
    panel.set_kind("areas", CLASSES, locked=False)
    panel.set_current_patch("p001")
    kinds = (QPushButton, QComboBox, QAbstractSpinBox, QAbstractItemView)
    controls: list[QWidget] = [one for kind in kinds for one in panel.findChildren(kind) if one.isVisibleTo(panel)]
    controls += [one for one in panel.findChildren(QLineEdit) if not isinstance(one.parent(), QAbstractSpinBox)]
    assert len(controls) > 10
    for control in controls:
        assert control.toolTip(), control
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control


def test_nothing_is_cut_off_at_300_px(panel: TrainPanel, qtbot: QtBot) -> None:
    panel.set_kind("areas", CLASSES, locked=False)
    panel.set_current_patch("p001")
    panel.begin_training()
    panel.resize(300, 700)
    panel.show()
    qtbot.waitExposed(panel)
    area = panel.findChild(QScrollArea)
    assert panel.width() == 300
    assert area.widget().width() <= area.viewport().width()


def test_a_part_that_is_folded_away_says_what_is_in_it(panel: TrainPanel, qtbot: QtBot) -> None:
    header = button(panel, "1 · Image and base model")
    assert "field · nuclei" not in texts(panel)
    qtbot.mouseClick(header, Qt.MouseButton.LeftButton)
    assert not combo(panel, "nuclei").isVisibleTo(panel)
    assert "field · nuclei" in texts(panel)
    panel.set_models(MODELS, 1)
    assert "field · new" in texts(panel)
    qtbot.mouseClick(button(panel, "2 · Patches"), Qt.MouseButton.LeftButton)
    assert not panel.findChild(PatchList).isVisibleTo(panel)
    assert "3 patches" in texts(panel)
    qtbot.mouseClick(header, Qt.MouseButton.LeftButton)
    assert combo(panel, "new").isVisibleTo(panel)
    assert "field · new" not in texts(panel)


def test_a_folded_part_opens_once_where_something_is_wrong(panel: TrainPanel) -> None:
    header = button(panel, "1 · Image and base model")
    header.click()
    panel.set_project("here", "", ())
    assert not button(panel, "Open project…").isVisibleTo(panel)
    panel.set_project("here", "Another viewer has it.", ())
    assert "Another viewer has it." in texts(panel)
    header.click()
    panel.set_project("here", "Another viewer has it.", ())
    assert "Another viewer has it." not in texts(panel)


def test_the_curve_is_folded_in_a_low_window_unless_it_is_asked_for(panel: TrainPanel, qtbot: QtBot) -> None:
    panel.set_rounds([], None)
    panel.begin_training()
    panel.add_point(10, 0.5, 0.75)
    panel.resize(340, 1000)
    panel.show()
    qtbot.waitExposed(panel)
    (curve,) = [one for one in panel.findChildren(CurveView) if one.isVisibleTo(panel)]
    (arrow,) = curve.findChildren(QAbstractButton)
    assert curve.sizeHint().height() > PLOT_PX
    panel.resize(340, 700)
    assert curve.sizeHint().height() < PLOT_PX
    qtbot.waitUntil(lambda: "Loss 0.5" in texts(panel))
    assert arrow.toolTip() == "Show the curve."
    qtbot.mouseClick(arrow, Qt.MouseButton.LeftButton)
    assert curve.sizeHint().height() > PLOT_PX
    panel.resize(340, 650)
    assert curve.sizeHint().height() > PLOT_PX


@pytest.mark.parametrize("kind", ["objects", "areas"])
def test_the_time_of_a_round_is_not_cut_off_at_300_px(panel: TrainPanel, qtbot: QtBot, kind: str) -> None:
    name = "a section of the left hemisphere, trained on twelve patches, round"
    created = "2026-03-04T14:05:00+01:00"
    rounds = [
        RoundPlan(number=number, name=f"{name} {number}", base="b", created=created, score=score)
        for number, score in ((1, 0.76), (2, None))
    ]
    panel.set_kind("areas" if kind == "areas" else "objects", CLASSES, locked=True)
    panel.set_rounds(rounds, 1)
    panel.resize(300, 700)
    panel.show()
    qtbot.waitExposed(panel)
    (listed,) = [one for one in panel.findChildren(QListWidget) if one.accessibleName() == "Rounds"]
    margin = listed.style().pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin) + 1
    room = listed.visualItemRect(listed.item(0)).width() - 2 * margin
    for row in range(2):
        title, facts = listed.item(row).text().split("\n")
        assert name in title
        assert facts.endswith("2026-03-04 14:05")
        assert listed.fontMetrics().horizontalAdvance(facts) <= room
        assert name in listed.item(row).toolTip()
