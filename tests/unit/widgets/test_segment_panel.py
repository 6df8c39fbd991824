"""The panel shows what it is told, and says what the user wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QLabel, QPushButton

from napari_mouse_seg.plans import ClassPlan, InstancesPlan, SegmentPlan
from napari_mouse_seg.widgets import ModelChoice, SegmentPanel
from napari_mouse_seg.widgets._run_bar import duration

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

MODELS = (
    ModelChoice("nuclei", "Nuclei, bright on dark (0.65 µm/px)", "details", InstancesPlan(min_area_px=40)),
    ModelChoice("cells", "Cells (1 µm/px)", "details", InstancesPlan(foreground_threshold=0.3)),
)


@pytest.fixture
def panel(qtbot: QtBot) -> SegmentPanel:
    panel = SegmentPanel()
    qtbot.addWidget(panel)
    panel.set_images(["field", "field"], 1)
    panel.set_models(MODELS)
    return panel


def button(panel: SegmentPanel, text: str) -> QPushButton:
    (found,) = [one for one in panel.findChildren(QPushButton) if one.text() == text]
    return found


def combo(panel: SegmentPanel) -> QComboBox:
    """Return the list of models."""
    (found,) = [one for one in panel.findChildren(QComboBox) if one.findText("cells") >= 0]
    return found


def texts(panel: SegmentPanel) -> str:
    """Return all text that is not hidden."""
    return "\n".join(label.text() for label in panel.findChildren(QLabel) if not label.isHidden())


def asked(panel: SegmentPanel) -> list[str]:
    """Return all labels that would be seen."""
    return [label.text() for label in panel.findChildren(QLabel) if label.isVisibleTo(panel)]


def test_defaults_can_run_at_once(panel: SegmentPanel) -> None:
    assert button(panel, "Segment visible region").isEnabled()
    assert button(panel, "Segment full image").isEnabled()


def test_buttons_say_what_the_user_wants(panel: SegmentPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.viewRequested):
        qtbot.mouseClick(button(panel, "Segment visible region"), Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(panel.fullRequested):
        qtbot.mouseClick(button(panel, "Segment full image"), Qt.MouseButton.LeftButton)


def test_thresholds_start_from_the_model(panel: SegmentPanel) -> None:
    assert panel.value().instances == InstancesPlan(min_area_px=40)


def test_another_model_brings_its_thresholds_and_its_card(panel: SegmentPanel, qtbot: QtBot) -> None:
    (box,) = [one for one in panel.findChildren(QComboBox) if one.currentText() == "nuclei"]
    with qtbot.waitSignal(panel.modelChosen):
        box.setCurrentIndex(1)
    assert panel.value().instances == InstancesPlan(foreground_threshold=0.3)
    assert "Cells (1 µm/px)" in texts(panel)


def test_plan_round_trip(panel: SegmentPanel) -> None:
    panel.set_channels(["DAPI", "GFP"])
    plan = SegmentPlan(channel=1, scale=2.0, core_px=512, instances=InstancesPlan(max_hole_px=3, min_area_px=9))
    panel.set_value(plan)
    assert panel.value() == plan


def test_reason_turns_one_button_off_and_is_shown(panel: SegmentPanel) -> None:
    panel.set_reasons("The layer is outside of the view.", "")
    view = button(panel, "Segment visible region")
    assert not view.isEnabled()
    assert view.toolTip() == "The layer is outside of the view."
    assert "outside of the view" in texts(panel)
    assert button(panel, "Segment full image").isEnabled()


def test_problem_turns_both_off_until_it_is_gone(panel: SegmentPanel) -> None:
    panel.set_check("There is no channel 3.", ())
    assert not button(panel, "Segment full image").isEnabled()
    assert "no channel 3" in button(panel, "Segment full image").toolTip()
    panel.set_check("", ("The pixel size is unknown.",))
    assert button(panel, "Segment full image").isEnabled()
    assert "⚠ The pixel size is unknown." in panel.warning_text()


@pytest.mark.parametrize(
    ("field", "title"), [("scale", "Scale"), ("core_px", "Tile (px)"), ("channel", "Image"), ("", "Model")]
)
def test_problem_is_shown_at_the_field_that_must_change(panel: SegmentPanel, field: str, title: str) -> None:
    panel.show()
    panel.set_check("It does not fit.", (), field)
    (note,) = [one for one in panel.findChildren(QLabel) if one.isVisible() and one.text() == "✕ It does not fit."]
    if field in ("scale", "core_px"):
        row = note.parentWidget()
        form = row.parentWidget().layout()
        assert form.labelForField(row).text() == title
    else:
        assert note.parentWidget().title() == title
    panel.set_check("", ())
    assert not [label for label in panel.findChildren(QLabel) if "does not fit" in label.text()]


def test_invalid_field_turns_the_buttons_off_with_its_reason(panel: SegmentPanel) -> None:
    panel.running_editor.input_widget("core_px").setValue(300)
    full = button(panel, "Segment full image")
    assert not full.isEnabled()
    assert "Tile (px): Input should be a multiple of 32" in full.toolTip()


def test_no_model_is_explained(panel: SegmentPanel) -> None:
    panel.set_models(())
    assert not button(panel, "Segment full image").isEnabled()
    assert "no model" in button(panel, "Segment full image").toolTip()


def test_channel_is_asked_for_only_where_there_are_several(panel: SegmentPanel) -> None:
    panel.set_channels(["only"])
    assert "Channel" not in asked(panel)
    panel.set_channels(["DAPI", "GFP"])
    assert "Channel" in asked(panel)


def test_progress_shows_time_left_and_cancel(panel: SegmentPanel, qtbot: QtBot) -> None:
    panel.begin_run()
    panel.show_progress("Running the network: 3 of 9 tiles", 0.3, 65)
    assert "3 of 9 tiles, 1 min 05 s left" in texts(panel)
    assert not button(panel, "Segment full image").isEnabled()
    with qtbot.waitSignal(panel.cancelRequested):
        button(panel, "Cancel").click()
    assert "Cancelling" in texts(panel)
    panel.end_run()
    assert button(panel, "Segment full image").isEnabled()


def test_result_line_counts_objects(panel: SegmentPanel) -> None:
    panel.show_result("1,234 objects", True, 2.34, ())
    assert "1,234 objects in the image, 2.3 s" in texts(panel)
    panel.show_result("1 object", False, 61, ())
    assert "1 object in the region, 1 min 01 s" in texts(panel)
    panel.show_result("2 objects", True, 1, (), "Others are kept.")
    assert "2 objects in the image, 1.0 s. Others are kept." in texts(panel)


def test_a_new_run_takes_the_last_failure_away(panel: SegmentPanel) -> None:
    panel.show_failure("The image is constant.")
    assert "constant" in texts(panel)
    panel.begin_run()
    assert "constant" not in texts(panel)


def test_threshold_settles_once_after_many_moves(panel: SegmentPanel, qtbot: QtBot) -> None:
    settled: list[bool] = []
    panel.thresholdsSettled.connect(lambda: settled.append(True))
    for value in (0.4, 0.3, 0.2):
        panel.thresholds.input_widget("foreground_threshold").setValue(value)
    assert settled == []
    qtbot.waitUntil(lambda: bool(settled))
    qtbot.wait(150)
    assert settled == [True]


def test_thresholds_of_a_model_come_all_at_once(panel: SegmentPanel) -> None:
    plans: list[SegmentPlan] = []
    panel.planChanged.connect(plans.append)
    panel.set_models((ModelChoice("a", "", "", InstancesPlan(foreground_threshold=0.3, max_hole_px=7)),))
    assert [(plan.instances.foreground_threshold, plan.instances.max_hole_px) for plan in plans] == [(0.3, 7)]


def test_a_new_list_can_leave_the_thresholds_alone(panel: SegmentPanel) -> None:
    plans: list[SegmentPlan] = []
    panel.thresholds.input_widget("foreground_threshold").setValue(0.2)
    panel.planChanged.connect(plans.append)
    panel.set_models((*MODELS, MODELS[0]), keep_thresholds=True)
    assert plans == []
    assert panel.value().instances.foreground_threshold == 0.2


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0 s"), (59, "59 s"), (65, "1 min 05 s"), (4200, "1 h 10 min")])
def test_durations_are_said_as_people_do(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_a_model_of_areas_does_not_ask_how_large_objects_are(panel: SegmentPanel, qtbot: QtBot) -> None:
    areas = ModelChoice("areas", "Tissue", "", InstancesPlan(), (ClassPlan(label=1, name="a", colour="#112233"),))
    panel.set_models((*MODELS, areas))
    panel.set_diameter(17.5)
    assert "Object diameter" in texts(panel)
    assert panel.value().object_diameter_px == 17.5
    button(panel, "Draw across one").click()
    with qtbot.waitSignals([panel.modelChosen, panel.drawDiameterRequested]) as told:
        combo(panel).setCurrentIndex(len(MODELS))
    assert [list(signal.args) for signal in told.all_signals_and_args] == [[False], [len(MODELS)]]
    assert "Object diameter" not in texts(panel)
    for text in ("Measure objects", "Draw across one"):
        assert not button(panel, text).isVisibleTo(panel)
    assert panel.value().object_diameter_px is None  # What cannot be seen has no effect.
    panel.set_diameter(30.0)  # Measuring had begun before.
    combo(panel).setCurrentIndex(0)
    assert "Object diameter" in texts(panel)
    assert panel.value().object_diameter_px == 17.5
