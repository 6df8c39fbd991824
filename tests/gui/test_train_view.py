"""What the view shows while patches are painted: the patch's frame, and what lies over what."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QPushButton, QScrollArea

from helpers.desks import LONG_MS, MIDDLE
from napari_mouse_seg.events import CheckpointReady
from napari_mouse_seg.networks import load_model
from napari_mouse_seg.plans import PatchPlan, RoundPlan
from napari_mouse_seg.plugin._model_shelf import shelf_of
from napari_mouse_seg.plugin._rounds import PREVIEW
from napari_mouse_seg.plugin._segment_panel import SegmentWidget
from napari_mouse_seg.projects import Project
from napari_mouse_seg.session import RunState
from napari_mouse_seg.widgets import CurveView, PatchRow
from napari_mouse_seg.widgets._patch_list import PatchList

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari.layers import Labels

    from helpers.desks import Desk
    from napari_mouse_seg.networks import Model

FRAME = (245, 158, 11)


def drawn_as_frame(desk: Desk) -> np.ndarray:
    """Which pixels of the canvas have the frame's colour."""
    picture = desk.viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    return (abs(picture - FRAME) < 40).all(-1)


def frame_seen(desk: Desk) -> tuple[np.ndarray, np.ndarray]:
    """Corners of what is drawn in the frame's colour, first and last, in pixels of the image."""
    drawn = drawn_as_frame(desk)
    places = np.argwhere(drawn)
    assert len(places), "no frame is drawn"
    scene, half = desk.viewer.scene.camera, np.array(drawn.shape) / 2
    world = [np.asarray(scene.center)[-2:] + (edge - half) / scene.zoom for edge in (places.min(0), places.max(0) + 1)]
    first, last = (np.asarray(desk.image.world_to_data(corner))[-2:] for corner in world)
    return first, last


def edges_of(paint: Labels, desk: Desk) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = paint.data.shape[-2:]
    corners = ((-0.5, -0.5), (rows - 0.5, columns - 0.5))
    first, last = (np.asarray(desk.image.world_to_data(paint.data_to_world(corner)))[-2:] for corner in corners)
    return first, last


@pytest.mark.parametrize("placed", [{}, {"scale": (0.5, 0.5), "translate": (100, -40)}], ids=["plain", "moved"])
def test_a_frame_shows_where_painting_is_possible(open_desk: Callable[..., Desk], placed: dict[str, object]) -> None:
    desk = open_desk(**placed)
    for centre in ((120.0, 140.0), MIDDLE):  # The second takes the place of the first.
        paint = desk.add_patch(centre)
        desk.viewer.scene.camera.zoom /= 1.5
        canvas_px = 1 / (
            desk.viewer.scene.camera.zoom * desk.image.scale[-1]
        )  # Of a pixel of the canvas, in the image.

        def check() -> None:
            np.testing.assert_allclose(frame_seen(desk), edges_of(paint, desk), atol=3 * canvas_px)  # noqa: B023

        desk.qtbot.waitUntil(check, timeout=LONG_MS)  # The canvas draws when the window is idle.
    desk.paint.visible = False
    desk.until(lambda: not drawn_as_frame(desk).any())


def test_a_frame_is_no_layer_and_leaves_what_is_selected_alone(desk: Desk) -> None:
    paint = desk.add_patch()
    assert list(desk.viewer.layers) == [desk.image, desk.pixels, paint]
    assert desk.viewer.layers.selection == {paint}
    desk.hands.stroke(paint, [(30, 20), (30, 40)])
    desk.until_saved()
    assert set(np.unique(desk.saved())) == {0, 2}


@pytest.mark.parametrize(("height", "has_curve"), [(800, False), (1150, True)])
def test_while_training_four_patches_are_in_sight(desk: Desk, height: int, has_curve: bool) -> None:
    window, panel = desk.viewer.window._qt_window, desk.panel
    window.resize(1240, height)
    panel.set_project("/data/slide.mouse-seg", "", ())
    plans = [PatchPlan(id=f"p{number:03d}", box=(0, 0, 64, 64)) for number in range(1, 5)]
    panel.set_patches([PatchRow(plan, None, 0.1, 3) for plan in plans])
    panel.begin_training()
    panel.add_point(10, 0.5, 0.75)
    panel.show_progress(10, 100, 60.0)
    area, patches = panel.findChild(QScrollArea), panel.findChild(PatchList)
    (curve,) = [one for one in panel.findChildren(CurveView) if one.isVisibleTo(panel)]
    desk.until(lambda: any("0.75" in label.text() for label in curve.findChildren(QLabel)))  # Drawn now and then.
    desk.until_still(lambda: [one.geometry().getRect() for one in (window, panel, area, patches, curve)])
    assert window.height() == height
    seen = [patches.visualItemRect(patches.item(row)) for row in range(4)]
    lowest = max(patches.viewport().mapTo(area, rect.bottomLeft()).y() for rect in seen)
    assert lowest < area.height()
    assert (curve.height() > 80) is has_curve
    for text in ("Pause", "Stop and keep best", "Cancel"):
        target = desk.button(text)
        assert panel.rect().contains(target.mapTo(panel, target.rect().bottomRight()))
    panel.end_training()


def order(desk: Desk) -> list[str]:
    """Names of the layers from the lowest to the uppermost."""
    return [layer.name for layer in desk.viewer.layers]


def add_rounds(desk: Desk, file: Path, *numbers: int) -> None:
    """Let the project have finished rounds with a given model."""
    for number in numbers:
        target = desk.project.round_file(number)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(file, target)
        desk.project.add_round(RoundPlan(number=number, name=f"round {number}", base="brightness"))


def shown(desk: Desk) -> set[str]:
    """Names of the results that are in sight."""
    return {layer.name for layer in desk.viewer.layers if layer.visible} - {
        desk.image.name,
        desk.pixels.name,
        desk.paint.name,
    }


@pytest.mark.parametrize("is_active", [True, False])
def test_the_preview_of_objects_lies_beneath_the_paint(desk: Desk, brightness_model: Model, is_active: bool) -> None:
    desk.hands.stroke(desk.add_patch(), [(30, 20), (30, 40)])
    add_rounds(desk, brightness_model.path, 1)
    active = desk.paint if is_active else desk.image
    desk.viewer.layers.selection.active = active
    desk.panel.roundUsed.emit(1)
    desk.until(lambda: PREVIEW in desk.viewer.layers)
    assert order(desk) == [desk.image.name, desk.pixels.name, PREVIEW, desk.paint.name]
    assert desk.viewer.layers.selection.active is active


def test_a_renamed_round_can_be_used_after_its_file_was_opened_in_segment(desk: Desk, brightness_model: Model) -> None:
    desk.add_patch()
    add_rounds(desk, brightness_model.path, 1)
    desk.session.rename_round(1, "better")
    desk.panel.roundUsed.emit(1)
    shelf = shelf_of(desk.viewer)
    desk.until(lambda: shelf.used is not None and shelf.used.card.name == "better")
    opened = shelf.put(load_model(desk.project.round_file(1)))  # As Open… in Segment does.
    shelf.choose(opened)
    assert shelf.used is not None
    assert shelf.used.card.name == "brightness"
    desk.panel.roundUsed.emit(1)
    desk.until(lambda: shelf.used is not None and shelf.used.card.name == "better")
    desk.panel.roundDeleted.emit(1)
    desk.until(lambda: not desk.project.plan.rounds)
    assert desk.project.round_file(1) not in [model.path for model in shelf.models]


def test_the_preview_of_training_is_hidden_while_rounds_are_compared(desk: Desk, brightness_model: Model) -> None:
    desk.add_patch()
    add_rounds(desk, brightness_model.path, 1, 2, 3)
    desk.panel.roundUsed.emit(1)
    desk.until(lambda: PREVIEW in desk.viewer.layers)
    desk.panel.roundsCompared.emit(1, 2)
    desk.until(lambda: shown(desk) == {"round 1", "round 2"})
    assert order(desk)[-1] == desk.paint.name
    event = CheckpointReady(10, str(desk.project.round_file(3)))
    desk.widget.controller._rounds.show_checkpoint(event)  # As training goes on.
    desk.until(lambda: not desk.widget.controller._previews.is_at_work)
    assert shown(desk) == {"round 1", "round 2"}
    desk.panel.roundsCompared.emit(2, 3)
    desk.until(lambda: shown(desk) == {"round 2", "round 3"})
    desk.panel.roundUsed.emit(2)
    desk.until(lambda: shown(desk) == {PREVIEW})


def test_a_comparison_put_away_by_hand_is_over(desk: Desk, brightness_model: Model) -> None:
    desk.add_patch()
    add_rounds(desk, brightness_model.path, 1, 2)
    desk.panel.roundsCompared.emit(1, 2)
    desk.until(lambda: shown(desk) == {"round 1", "round 2"})
    desk.until(lambda: not desk.widget.controller._previews.is_at_work)  # Its end comes after its layer.
    desk.viewer.layers["round 1"].visible = False
    desk.viewer.layers.remove(desk.viewer.layers["round 2"])
    desk.widget.controller._rounds.use(2)  # As at the end of a training.
    desk.until(lambda: shown(desk) == {PREVIEW})


def test_after_segment_a_stroke_does_not_go_beneath_the_result(desk: Desk) -> None:
    shelf_of(desk.viewer).choose(0)
    segment = SegmentWidget(desk.viewer)
    desk.viewer.window.add_dock_widget(segment, name="Segment")
    paint = desk.add_patch()
    assert desk.viewer.layers.selection.active is paint
    (button,) = [one for one in segment.findChildren(QPushButton) if one.text() == "Segment visible region"]
    desk.until(button.isEnabled)
    desk.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    desk.until(lambda: order(desk)[-1].startswith("brightness in"))
    desk.until(lambda: segment.controller.session.state is RunState.IDLE)
    result = desk.viewer.layers[-1]
    assert desk.viewer.layers.selection.active is desk.image
    before = np.array(result.data)
    desk.hands.stroke(paint, [(30, 20), (30, 40)])
    assert not paint.data.any()
    np.testing.assert_array_equal(result.data, before)
    desk.choose(0)  # The patch that is chosen already: back to painting, in sight.
    assert desk.viewer.layers.selection.active is paint
    assert order(desk)[-1] == paint.name
    desk.hands.stroke(paint, [(30, 20), (30, 40)])
    assert paint.data[30, 30] == 2


@pytest.mark.parametrize("is_all", [False, True])
def test_layers_of_a_patch_can_be_removed_together(desk: Desk, is_all: bool) -> None:
    paint, layers = desk.add_patch(), desk.viewer.layers
    desk.hands.stroke(paint, [(30, 20), (30, 40)])
    folder = desk.project.folder
    other = desk.viewer.add_labels(np.zeros((4, 4), int))
    layers.selection = set(layers) if is_all else {paint, desk.pixels, other}
    layers.remove_selected()  # As napari's bin does.
    desk.until(lambda: list(layers) == ([] if is_all else [desk.image]))
    with Project.open(folder) as project:
        desk.until_kept(lambda: project.paint("p001")[30, 30] == 2)
    if not is_all:
        desk.choose(0)
        assert desk.paint.data[30, 30] == 2


def test_a_comparison_given_up_while_it_is_made_does_not_come(desk: Desk, brightness_model: Model) -> None:
    desk.add_patch()
    add_rounds(desk, brightness_model.path, 1, 2)
    desk.panel.roundsCompared.emit(1, 2)
    desk.panel.roundUsed.emit(2)
    desk.until(lambda: shown(desk) == {PREVIEW})
    controller = desk.widget.controller
    desk.until(lambda: {1, 2} <= controller._rounds._models.keys() and not controller._previews.is_at_work)
    assert shown(desk) == {PREVIEW}
