"""Areas of classes: choose, paint, train and look, in a real viewer with real clicks and strokes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QColorDialog, QComboBox, QLineEdit, QRadioButton, QToolButton

from helpers.desks import SHORT
from napari_mouse_seg.networks import load_model
from napari_mouse_seg.plans import AreaTargets, ClassPlan, RoundPlan
from napari_mouse_seg.plugin._segment_panel import SegmentWidget
from napari_mouse_seg.widgets._class_table import ClassTable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari.layers import Labels

    from helpers.desks import Desk
    from napari_mouse_seg.networks import Model

BACKGROUND, FIRST, SECOND = 1, 2, 3


def table(desk: Desk) -> ClassTable:
    (found,) = desk.widget.findChildren(ClassTable)
    return found


def row_part(desk: Desk, label: int, kind: type, text: str = "") -> Any:
    """A part of a class's row in the table."""
    (row,) = [row for row in table(desk)._rows if row.label == label]
    return next(part for part in row.findChildren(kind) if not text or part.text() == text)


def click(desk: Desk, target: Any) -> None:
    """Click in the middle; a radio button without words has its circle at the left."""
    place = target.rect().center()
    if isinstance(target, QRadioButton):
        place.setX(8)
    desk.qtbot.mouseClick(target, Qt.MouseButton.LeftButton, pos=place)


def chosen(desk: Desk) -> list[int]:
    """Labels of the rows that are marked."""
    return [row.label for row in table(desk)._rows if row.findChild(QRadioButton).isChecked()]


def choose_class(desk: Desk, label: int) -> None:
    click(desk, row_part(desk, label, QRadioButton))


def name_class(desk: Desk, label: int, name: str) -> None:
    line = row_part(desk, label, QLineEdit)
    line.selectAll()
    desk.qtbot.keyClicks(line, name)
    desk.qtbot.keyClick(line, Qt.Key.Key_Return)


def choose_areas(desk: Desk) -> None:
    click(desk, desk.button("Areas"))


def colour_at(layer: Labels, label: int) -> str:
    """How a label is shown, as #rrggbbaa."""
    red, green, blue, alpha = np.round(np.asarray(layer.colormap.map(np.uint32(label))).ravel() * 255).astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}{alpha:02x}"


def painted(desk: Desk) -> Labels:
    """A patch with a band of each of two classes, on the disk."""
    choose_areas(desk)
    paint = desk.add_patch()
    desk.hands.stroke(paint, [(30, 20), (30, 90)])
    choose_class(desk, BACKGROUND)
    desk.hands.stroke(paint, [(80, 20), (80, 90)])
    desk.until_saved()
    return paint


@pytest.fixture
def areas_model(brightness_model: Model, tmp_path: Path) -> Path:
    """A file of a real network: bright is class 1, everything else is background."""
    import torch

    from napari_mouse_seg.networks import build_network, save_model

    classes = (
        ClassPlan(label=BACKGROUND, name="Background", colour="#999999"),
        ClassPlan(label=FIRST, name="Class 1", colour="#0072b2"),
    )
    targets = AreaTargets(classes=classes)
    architecture = brightness_model.card.architecture.replace(outputs=targets.outputs)
    card = brightness_model.card.replace(name="areas", targets=targets, architecture=architecture)
    network = build_network(architecture)
    state = {key: value for key, value in brightness_model.network().state_dict().items() if "head" not in key}
    network.load_state_dict(state, strict=False)
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.weight[4:, 0, 1, 1] = 20.0  # four pixels of a block for each class
        network.head.bias[:] = torch.tensor([0.0, -10.0]).repeat_interleave(4)
    path = tmp_path / "areas.safetensors"
    save_model(path, card, network)
    return path


def add_round(desk: Desk, file: Path, number: int = 1) -> None:
    """Let the project have a finished round with a given model."""
    target = desk.project.round_file(number)
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(file.read_bytes())
    desk.project.add_round(RoundPlan(number=number, name=f"round {number}", base="brightness"))


def test_areas_are_chosen_named_painted_and_come_back(desk: Desk, open_desk: Callable[..., Desk]) -> None:
    assert not table(desk).isVisibleTo(desk.widget)
    choose_areas(desk)
    assert [entry.name for entry in table(desk).value()] == ["Background", "Class 1"]
    assert "outputs are new" in desk.texts()
    desk.press("Add class")
    name_class(desk, SECOND, "Wall")
    paint = desk.add_patch()
    assert desk.project.plan.kind == "areas"
    assert [(entry.label, entry.name) for entry in desk.project.plan.classes] == [
        (1, "Background"),
        (2, "Class 1"),
        (3, "Wall"),
    ]
    assert not desk.button("Objects").isEnabled()
    assert "keeps to one kind of paint" in desk.button("Objects").toolTip()
    assert not paint.preserve_labels
    choose_class(desk, FIRST)
    desk.hands.stroke(paint, [(30, 20), (30, 90)])
    choose_class(desk, SECOND)
    desk.hands.stroke(paint, [(60, 20), (60, 90)])
    data = paint.data
    assert (data[30, 50], data[60, 50], data[95, 50]) == (FIRST, SECOND, 0)
    desk.hands.stroke(paint, [(20, 50), (70, 50)])
    assert data[30, 50] == SECOND  # No pixel has two classes.
    assert data[30, 80] == FIRST
    desk.until_saved()
    desk.until(lambda: "Wall" in desk.texts() and " px" in desk.texts())
    assert "What is not painted is left out." in desk.texts()
    desk.viewer.close()
    desk.widget.controller.close()
    again = open_desk()
    assert [entry.name for entry in table(again).value()] == ["Background", "Class 1", "Wall"]
    assert again.button("Areas").isChecked()
    assert again.paint.data[30, 50] == SECOND
    assert again.paint.data[30, 80] == FIRST
    assert [colour_at(again.paint, entry.label)[:7] for entry in table(again).value()] == [
        entry.colour for entry in again.project.plan.classes
    ]
    assert colour_at(again.paint, 0)[7:] == "00"


def test_keys_and_napari_choose_classes_too(desk: Desk) -> None:
    choose_areas(desk)
    desk.press("Add class")
    paint, hands = desk.add_patch(), desk.hands
    assert chosen(desk) == [SECOND] == [paint.selected_label]
    hands.press(Qt.Key.Key_N)
    assert chosen(desk) == [BACKGROUND] == [paint.selected_label]
    hands.press(Qt.Key.Key_N)
    assert chosen(desk) == [FIRST] == [paint.selected_label]
    hands.stroke(paint, [(30, 20), (30, 90)])
    hands.press(Qt.Key.Key_B)
    assert chosen(desk) == [BACKGROUND]
    hands.press(Qt.Key.Key_E)
    hands.stroke(paint, [(20, 50), (70, 50)])
    assert paint.data[30, 50] == 0
    assert paint.data[30, 80] == FIRST
    hands.press(Qt.Key.Key_E)
    paint.selected_label = SECOND  # As napari's own field does.
    assert chosen(desk) == [SECOND]
    paint.selected_label = 9
    assert paint.selected_label == SECOND
    paint.selected_label = 0
    assert chosen(desk) == []
    desk.until_saved()
    hands.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert paint.data[30, 50] == FIRST


def test_the_class_under_the_mouse_has_its_name_in_the_status_bar(desk: Desk) -> None:
    paint = painted(desk)
    told = paint.get_status(paint.data_to_world((30, 50)), world=True)
    assert "Class 1" in told["coordinates"]


def test_a_painted_class_stays_and_others_can_be_changed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    painted(desk)
    desk.press("Add class")
    desk.hands.stroke(desk.paint, [(55, 20), (55, 90)])  # Not on the disk yet.
    click(desk, row_part(desk, SECOND, QToolButton, "✕"))
    assert "Class 2 cannot be removed: Patch 1 is painted with it" in desk.panel.failure_text()
    assert [entry.label for entry in table(desk).value()] == [BACKGROUND, FIRST, SECOND]
    assert desk.saved()[55, 50] == SECOND
    choose_class(desk, BACKGROUND)
    desk.paint.data[desk.paint.data == SECOND] = 0
    click(desk, row_part(desk, SECOND, QToolButton, "✕"))
    assert [entry.label for entry in desk.project.plan.classes] == [BACKGROUND, FIRST]
    name_class(desk, FIRST, "Muscle")
    monkeypatch.setattr(QColorDialog, "getColor", lambda *_: QColor("#123456"))
    click(desk, row_part(desk, FIRST, QToolButton))
    assert desk.project.plan.classes[1] == ClassPlan(label=FIRST, name="Muscle", colour="#123456")
    assert colour_at(desk.paint, FIRST) == "#123456ff"
    assert "Muscle" in list(desk.paint.features["class"])


def test_a_trained_model_of_areas_shows_its_classes_and_is_in_segment(desk: Desk) -> None:
    segment = SegmentWidget(desk.viewer)
    desk.viewer.window.add_dock_widget(segment, name="Segment")
    paint = painted(desk)
    desk.train(SHORT)
    desk.until_idle()
    assert "is ready" in desk.panel.result_text(), desk.panel.failure_text()
    (entry,) = desk.project.plan.rounds
    desk.until(lambda: entry.name in [box.currentText() for box in segment.findChildren(QComboBox)])
    card = load_model(desk.project.round_file(1)).card
    assert card.classes == desk.project.plan.classes
    desk.until(lambda: np.asarray(desk.viewer.layers["Preview of training"].data).any())
    preview = desk.viewer.layers["Preview of training"]
    assert set(np.unique(preview.data)) <= {0, BACKGROUND, FIRST}
    assert colour_at(preview, FIRST)[:7] == desk.project.plan.classes[1].colour
    assert desk.viewer.layers.selection.active is paint
    desk.panel.roundUsed.emit(1)
    desk.until(lambda: not desk.widget.controller._previews.is_at_work)
    assert [layer.name for layer in desk.viewer.layers].count("Preview of training") == 1


def test_prefill_puts_classes_where_nothing_is_painted(
    desk: Desk, areas_model: Path, discs: tuple[np.ndarray, list[tuple[int, int]]]
) -> None:
    paint = painted(desk)
    assert "finds objects, and this project paints areas" in desk.texts()
    assert not desk.button("Prefill with model").isEnabled()
    mine = np.array(paint.data)
    add_round(desk, areas_model)
    desk.panel.roundUsed.emit(1)
    desk.press("Prefill with model")
    desk.until(lambda: (np.asarray(paint.data)[mine == 0] > 0).all())
    np.testing.assert_array_equal(paint.data[mine > 0], mine[mine > 0])
    found = 0
    for centre in discs[1]:
        at = tuple(np.round(paint.world_to_data(desk.image.data_to_world(centre))).astype(int))
        if all(6 < index < size - 6 for index, size in zip(at, mine.shape, strict=True)) and mine[at] == 0:
            found += 1
            assert paint.data[at] == FIRST
            assert mine[at[0] - 6, at[1]] or paint.data[at[0] - 6, at[1]] == BACKGROUND
    assert found >= 4
    assert not desk.project.plan.patches[0].meaning.rest_is_background
    desk.until_saved()
    desk.hands.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    np.testing.assert_array_equal(paint.data, mine)


def test_a_model_with_a_class_that_the_project_lacks_does_not_prefill(desk: Desk, areas_model: Path) -> None:
    from napari_mouse_seg.networks import save_model

    painted(desk)
    model = load_model(areas_model)
    other = tuple(entry.replace(label=entry.label + 5) for entry in model.card.classes)
    save_model(areas_model, model.card.replace(targets=AreaTargets(classes=other)), model.network())
    add_round(desk, areas_model)
    desk.panel.roundUsed.emit(1)
    desk.until(lambda: "is no class of this project" in desk.texts())
    assert not desk.button("Prefill with model").isEnabled()


def test_two_rounds_of_areas_are_compared_in_two_layers(desk: Desk, areas_model: Path) -> None:
    painted(desk)
    add_round(desk, areas_model, 1)
    add_round(desk, areas_model, 2)
    desk.panel.roundsCompared.emit(1, 2)
    desk.until(lambda: {"round 1", "round 2"} <= {layer.name for layer in desk.viewer.layers})
    for name in ("round 1", "round 2"):
        layer = desk.viewer.layers[name]
        assert {BACKGROUND, FIRST} <= set(np.unique(layer.data))
        assert colour_at(layer, BACKGROUND)[7:] == "00"  # The image shows there.


def test_another_project_of_objects_is_painted_as_objects_again(
    desk: Desk, open_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    painted(desk)
    areas_folder = desk.project.folder
    desk.widget.controller.close()
    desk.viewer.close()
    areas_folder = areas_folder.rename(tmp_path / "areas.mouse-seg")
    second = open_desk()
    assert second.session.project is None
    assert second.button("Objects").isChecked()
    paint = second.add_patch()
    assert paint.preserve_labels
    second.hands.stroke(paint, [(30, 20), (30, 90)])
    second.until_saved()
    second.panel.projectRequested.emit(areas_folder)
    second.until(lambda: second.project.plan.kind == "areas")
    assert second.paint.data[80, 50] == BACKGROUND
    assert not second.paint.preserve_labels
    assert second.button("Areas").isChecked()
    second.until_idle()
