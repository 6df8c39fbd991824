"""Paint, train, look: the panel in a real viewer, with real clicks, strokes and processes."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QDockWidget

from helpers.desks import ENDLESS, MIDDLE, SHORT
from helpers.pyramids import halves, write_pyramid_tiff
from napari_mouse_seg.plugin._model_shelf import shelf_of
from napari_mouse_seg.plugin._segment_panel import SegmentWidget
from napari_mouse_seg.projects import Project, _opening, _project, default_folder
from napari_mouse_seg.session import TrainState
from napari_mouse_seg.widgets import _dialogs
from napari_mouse_seg.widgets._patch_list import PatchList

if TYPE_CHECKING:
    from collections.abc import Callable

    from helpers.desks import Desk
    from napari_mouse_seg.networks import Model

    Discs = tuple[np.ndarray, list[tuple[int, int]]]


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "mouse-seg"]


def centroid(pixels: np.ndarray, near: np.ndarray, reach: int) -> np.ndarray:
    """Centre of mass of what is bright around a place."""
    y, x = np.round(near).astype(int)
    rows, columns = slice(y - reach, y + reach + 1), slice(x - reach, x + reach + 1)
    weights = np.asarray(pixels[rows, columns], float) - 10
    index = np.indices(weights.shape).reshape(2, -1)
    return np.array([y - reach, x - reach]) + (index * weights.ravel()).sum(1) / weights.sum()


PLACES: dict[str, dict[str, Any]] = {
    "half resolution": {},  # 0.25 µm; the network works at 0.5
    "turned and moved": {"scale": (0.5, 0.5), "translate": (100, -40), "rotate": 30},
    "coarse level": {"scale": (0.1, 0.1)},
    "finer than stored": {"scale": (0.8, 0.8), "rotate": -20},
}


@pytest.mark.parametrize("placed", PLACES.values(), ids=PLACES.keys())
def test_a_patch_lies_exactly_over_what_it_was_cut_from(
    open_desk: Callable[..., Desk], slide: Path, discs: Discs, placed: dict[str, Any]
) -> None:
    desk = open_desk(**placed)
    paint = desk.add_patch()
    assert default_folder(slide).parent == slide.parent
    assert desk.project.folder == default_folder(slide)
    pixels = np.asarray(desk.pixels.data)
    assert pixels.shape == paint.data.shape == desk.saved().shape
    np.testing.assert_allclose(paint.extent.world, desk.pixels.extent.world)
    ratio = 0.5 / (placed.get("scale", (0.25,))[0])  # Image pixels per patch pixel.
    reach = int(np.ceil(11 / ratio))
    inner = [np.array(paint.world_to_data(desk.image.data_to_world(centre))) for centre in discs[1]]
    inside = [
        i for i, at in enumerate(inner) if (at > reach + 1).all() and (at < np.array(pixels.shape) - reach - 2).all()
    ]
    assert len(inside) >= 4
    offsets = [
        desk.image.world_to_data(paint.data_to_world(centroid(pixels, inner[i], reach))) - np.array(discs[1][i])
        for i in inside
    ]
    np.testing.assert_allclose(np.mean(offsets, 0), 0, atol=0.1)
    np.testing.assert_allclose(offsets, 0, atol=max(0.1, 0.1 * ratio))
    seen = desk.viewer.scene.camera.center[-2:]
    np.testing.assert_allclose(desk.image.world_to_data(seen), MIDDLE, atol=2)


def test_strokes_are_objects_and_reach_the_disk(desk: Desk) -> None:
    paint, hands = desk.add_patch(), desk.hands
    data = paint.data
    hands.stroke(paint, [(30, 20), (30, 40)], release=False)
    assert set(np.unique(data)) == {0, 2}
    desk.until_saved()  # The button is still down.
    hands.release()
    hands.stroke(paint, [(60, 20), (60, 30)])
    assert data[60, 25] == 3
    hands.stroke(paint, [(60, 30), (70, 36)])
    assert data[70, 36] == 3
    hands.stroke(paint, [(60, 25), (30, 30)])
    assert data[30, 30] == 2  # Painting keeps off another object.
    assert data[45, 28] == 3
    hands.press(Qt.Key.Key_B)
    hands.stroke(paint, [(90, 20), (90, 60)])
    assert data[90, 40] == 1
    hands.press(Qt.Key.Key_N)
    hands.stroke(paint, [(93, 40), (96, 40)])  # Beside background, and yet an object.
    assert data[97, 40] == 4
    assert data[90, 40] == 1
    hands.press(Qt.Key.Key_E)
    hands.stroke(paint, [(90, 25), (30, 25)])
    assert {data[90, 25], data[60, 25], data[30, 25]} == {0}
    hands.press(Qt.Key.Key_E)
    hands.stroke(paint, [(20, 70)])
    assert data[20, 70] == 5
    desk.until_saved()
    hands.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert data[20, 70] == 0
    desk.until_saved()
    desk.until(lambda: "3 objects" in desk.panel.findChildren(PatchList)[0].item(0).text())


def test_strokes_from_edge_to_edge_mark_the_background_beyond_their_ends(desk: Desk) -> None:
    paint = desk.add_patch()
    data = paint.data
    paint.brush_size = 4
    desk.hands.stroke(paint, [(20, 20), (20, 40)])
    assert set(np.unique(data)) == {0, 2}  # Not yet asked for.
    desk.button("Objects are painted whole").click()
    desk.button("Strokes end at the edges").click()
    assert "across objects, from edge to edge" in desk.texts()
    desk.hands.stroke(paint, [(60, 20), (60, 40)])
    assert {data[60, 20], data[60, 30], data[60, 40]} == {3}
    assert {data[60, 15], data[60, 45]} == {1}
    assert 20 <= (data == 1).sum() <= 28
    desk.until_saved()
    desk.hands.stroke(paint, [(60, 56), (60, 47)])  # Towards what is marked, which stays.
    assert {data[60, 50], data[60, 56]} == {4}
    assert {data[60, 45], data[60, 60]} == {1}
    desk.hands.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert {data[60, 50], data[60, 60]} == {0}  # One step takes back the stroke and what its ends say.
    assert data[60, 45] == 1
    desk.hands.press(Qt.Key.Key_B)
    before = (data > 1).sum()
    desk.hands.stroke(paint, [(80, 20), (80, 40)])
    assert data[80, 45] == 0  # Background has no edges.
    assert (data > 1).sum() == before
    desk.until_saved()


def test_each_patch_keeps_its_paint(desk: Desk) -> None:
    desk.hands.stroke(desk.add_patch((100.0, 120.0)), [(20, 20), (20, 60)])
    second = desk.add_patch((280.0, 380.0))
    assert not second.data.any()  # Another patch.
    desk.hands.stroke(second, [(70, 20), (70, 60)])
    for row in (0, 1, 0):  # Faster than the disk.
        desk.choose(row)
    assert desk.paint.name == "Patch 1 (paint)"
    assert desk.paint.data[20, 40] == 2
    assert desk.paint.data[70, 40] == 0
    desk.hands.press(Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    assert desk.paint.name == "Patch 2 (paint)"
    assert desk.paint.data[70, 40] == 2
    desk.until_kept(lambda: desk.saved("p001")[20, 40] == 2 and desk.saved("p002")[70, 40] == 2)
    assert len(desk.viewer.layers) == 3


def test_prefill_paints_what_the_model_finds(desk: Desk, discs: Discs) -> None:
    paint = desk.add_patch()
    desk.hands.stroke(paint, [np.round(paint.world_to_data(desk.image.data_to_world((168, 216))))])  # On a disc.
    mine = np.array(paint.data == 2)
    assert not desk.project.plan.patches[0].meaning.rest_is_background
    desk.press("Prefill with model")
    desk.until(lambda: paint.data.max() > 2)
    assert (paint.data[mine] == 2).all()
    labels = []
    for centre in discs[1]:
        at = np.round(paint.world_to_data(desk.image.data_to_world(centre))).astype(int)
        if (at > 6).all() and (at < np.array(paint.data.shape) - 6).all():
            labels.append(int(paint.data[tuple(at)]))
    assert len(labels) >= 9
    assert len(set(labels) - {0, 1}) == len(labels)
    assert desk.project.plan.patches[0].meaning.rest_is_background
    assert desk.button("The rest is background").isChecked()
    desk.until_saved()


def test_prefill_fits_where_the_project_has_another_grid_than_the_model(
    open_desk: Callable[..., Desk], brightness_model: Model, discs: Discs
) -> None:
    desk = open_desk(scale=(0.25, 0.25))
    desk.panel.modelChosen.emit(1)  # A new network, which works at the image's own pixels.
    paint = desk.add_patch()
    assert desk.project.plan.base.startswith("new:")
    assert desk.project.plan.network_shape == desk.project.plan.image.shape
    assert "There is no model to prefill with yet" in desk.texts()
    assert not desk.button("Prefill with model").isEnabled()
    desk.panel.modelChosen.emit(0)
    assert desk.project.plan.base == str(brightness_model.path)
    desk.prefill()
    box = desk.project.plan.patches[0].box
    for y, x in discs[1]:
        if box[0] + 9 < y < box[2] - 9 and box[1] + 9 < x < box[3] - 9:
            assert paint.data[y - box[0], x - box[1]] > 1
            assert paint.data[y - box[0] - 12, x - box[1]] == 0


def test_while_a_patch_is_cut_out_nothing_else_can_be_asked_for(desk: Desk) -> None:
    desk.add_patch()
    desk.look((100.0, 120.0))
    desk.press("Add patch here")
    assert "A patch is being cut out." in desk.texts()
    assert not desk.button("Add patch here").isEnabled()
    assert not desk.button("Prefill with model").isEnabled()
    said: list[str] = []
    desk.widget.controller.desk.said.connect(said.append)
    desk.panel.addPatchRequested.emit()  # As a shortcut would, past the button.
    assert said == ["A patch is being cut out. Try again in a moment."]
    desk.until(lambda: desk.button("Add patch here").isEnabled())
    assert len(desk.project.plan.patches) == 2
    desk.press("Prefill with model")
    desk.until(lambda: (np.asarray(desk.paint.data) > 1).any())
    assert "A patch is being cut out." not in desk.texts()


def test_a_rectangle_becomes_a_patch_where_it_was_drawn(desk: Desk) -> None:
    for number, corners in enumerate(([(120, 180), (220, 320)], [(130, 200), (200, 260)])):
        desk.look(MIDDLE)
        desk.press("Draw a rectangle")
        assert desk.button("Draw a rectangle").isChecked()
        desk.hands.stroke(desk.image, corners)
        desk.until(lambda: desk.paints() and desk.paint.name == f"Patch {number + 1} (paint)")  # noqa: B023
        assert not desk.button("Draw a rectangle").isChecked()
        box = np.array(desk.project.plan.patches[number].box) * 2
        np.testing.assert_allclose(box, np.ravel(corners), atol=4)
        assert len([layer for layer in desk.viewer.layers if layer.visible]) == 3
    desk.press("Draw a rectangle")
    desk.press("Draw a rectangle")  # Changes their mind.
    assert len(desk.project.plan.patches) == 2


def test_a_paint_layer_removed_by_hand_loses_nothing(desk: Desk) -> None:
    paint = desk.add_patch()
    desk.hands.stroke(paint, [(30, 20), (30, 40)])
    desk.viewer.layers.remove(paint)
    assert list(desk.viewer.layers) == [desk.image]
    desk.until_kept(lambda: desk.saved()[30, 30] == 2)
    assert desk.panel.current_patch() == ""
    desk.choose(0)
    assert desk.paint.data[30, 30] == 2


def test_a_second_viewer_can_only_look(desk: Desk, open_desk: Callable[..., Desk]) -> None:
    desk.hands.stroke(desk.add_patch(), [(30, 20), (30, 40)])
    desk.until_saved()
    second = open_desk()
    assert "another window of this program" in second.texts()
    assert second.paint.data[30, 30] == 2
    for text in ("Add patch here", "Prefill with model", "Train"):
        assert not second.button(text).isEnabled()
        assert "another window" in second.button(text).toolTip()
    second.hands.stroke(second.paint, [(60, 20), (60, 40)])
    assert second.paint.data[60, 30] == 0
    assert desk.saved()[60, 30] == 0


def test_everything_is_back_when_the_image_is_opened_again(
    desk: Desk, open_desk: Callable[..., Desk], brightness_model: Model
) -> None:
    desk.add_patch((100.0, 120.0))
    desk.hands.stroke(desk.add_patch((280.0, 380.0)), [(70, 20), (70, 60)])
    desk.panel.findChild(PatchList).item(0).setCheckState(Qt.CheckState.Unchecked)
    desk.panel.planChanged.emit(SHORT)
    desk.keep_round(brightness_model, "mine")
    desk.viewer.close()  # Without waiting for the paint.
    desk.widget.controller.close()
    again = open_desk()
    assert [patch.included for patch in again.project.plan.patches] == [False, True]
    assert not again.project.read_only
    assert again.paint.name == "Patch 2 (paint)"
    assert again.paint.data[70, 40] == 2
    assert again.panel.value() == SHORT
    assert "mine" in again.panel.findChild(type(again.panel._rounds)).text()
    again.until(lambda: "mine" in [model.card.name for model in shelf_of(again.viewer).models])
    again.choose(0)
    assert not again.paint.data.any()


def test_a_moved_image_is_found_again_and_another_one_refused(
    desk: Desk, open_desk: Callable[..., Desk], slide: Path, tmp_path: Path
) -> None:
    desk.add_patch()
    folder = desk.project.folder
    desk.widget.controller.close()
    desk.viewer.close()
    (tmp_path / "new").mkdir()
    moved = slide.rename(tmp_path / "new" / slide.name)
    folder.rename(default_folder(moved))
    again = open_desk(moved)
    assert again.project.plan.image.path == str(moved)
    again.widget.controller.close()
    again.viewer.close()
    other = write_pyramid_tiff(moved, halves(np.zeros((50, 60), np.uint8), 2))
    third = open_desk(other)
    assert third.session.project is None
    assert "384 x 512" in third.panel.failure_text()


def test_a_folder_that_vanishes_is_told_and_its_return_brings_the_paint(desk: Desk, tmp_path: Path) -> None:
    paint = desk.add_patch()
    folder = desk.project.folder
    folder.rename(tmp_path / "aside")
    desk.hands.stroke(paint, [(30, 20), (30, 40)])
    desk.until_kept(lambda: "still in the viewer" in desk.panel.failure_text())
    assert paint.data[30, 30] == 2
    (tmp_path / "aside").rename(folder)
    desk.hands.stroke(paint, [(60, 20), (60, 40)])
    desk.until_saved()


def test_training_runs_to_a_model_in_segment(desk: Desk) -> None:
    segment = SegmentWidget(desk.viewer)
    desk.viewer.window.add_dock_widget(segment, name="Segment")
    paint = desk.add_patch()
    desk.prefill()
    desk.train(SHORT)
    desk.hands.stroke(paint, [(5, 5), (5, 9)])  # Painting goes on.
    desk.until_idle()
    desk.until_saved()
    assert "slide" in desk.panel.result_text()
    assert "is ready" in desk.panel.result_text()
    (entry,) = desk.project.plan.rounds
    assert entry.steps == 3
    desk.until(lambda: entry.name in [box.currentText() for box in segment.findChildren(QComboBox)])
    desk.until(lambda: not desk.widget.controller._previews.is_at_work)
    assert "Preview of training" in desk.viewer.layers
    assert desk.viewer.layers.selection.active is paint
    assert not list(desk.project.round_file(1).parent.glob(".*"))


def test_a_rename_shows_in_segment_and_a_deleted_round_leaves_it(
    desk: Desk, brightness_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.add_patch()
    desk.keep_round(brightness_model, "first")
    desk.panel.roundUsed.emit(1)
    names = lambda: [model.card.name for model in shelf_of(desk.viewer).models]  # noqa: E731
    desk.until(lambda: names() == ["brightness", "first"])
    monkeypatch.setattr(_dialogs, "ask_name", lambda *_: "second")
    desk.press("Rename…")
    assert names() == ["brightness", "second"]
    monkeypatch.setattr(_dialogs, "confirm", lambda *_: True)
    desk.press("Delete…")
    assert names() == ["brightness"]
    assert desk.project.plan.rounds == ()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_a_training_that_is_cancelled_or_killed_or_left_leaves_nothing_behind(desk: Desk) -> None:
    desk.add_patch()
    desk.prefill()
    paint = desk.saved()

    process = desk.train(ENDLESS)
    desk.press("Pause")
    assert desk.session.state is TrainState.PAUSED
    desk.press("Cancel")
    desk.until_idle()
    assert not process.is_running()
    assert desk.project.plan.rounds == ()
    assert "as it was" in desk.panel.result_text()

    process = desk.train(ENDLESS)
    os.kill(process.pid, signal.SIGKILL)
    desk.until_idle()
    assert "was killed" in desk.panel.failure_text()
    np.testing.assert_array_equal(desk.saved(), paint)
    np.testing.assert_array_equal(desk.paint.data, paint)

    process = desk.train(ENDLESS)
    folder = desk.project.folder
    desk.viewer.close()
    assert not process.is_running()
    desk.until(lambda: threads() == [])
    assert not list((folder / "rounds").glob("*"))


def close_dock(desk: Desk) -> None:
    """Click the ✕ in the title of the panel's dock."""
    dock = desk.widget.parentWidget()
    while not isinstance(dock, QDockWidget):
        dock = dock.parentWidget()
    desk.qtbot.mouseClick(dock.titleBarWidget().close_button, Qt.MouseButton.LeftButton)


def test_a_panel_that_is_closed_by_its_dock_saves_and_lets_go(desk: Desk, open_desk: Callable[..., Desk]) -> None:
    desk.hands.stroke(desk.add_patch(), [(30, 20), (30, 40)])
    project, folder = desk.project, desk.project.folder
    close_dock(desk)
    desk.until(lambda: list(desk.viewer.layers) == [desk.image], timeout_ms=20_000)
    desk.until(lambda: threads() == [], timeout_ms=20_000)
    assert project.paint("p001")[30, 30] == 2
    with Project.open(folder) as again:
        assert not again.read_only


def test_a_panel_that_is_closed_by_its_dock_during_training_ends_it(desk: Desk) -> None:
    desk.add_patch()
    desk.prefill()
    process = desk.train(ENDLESS)
    close_dock(desk)
    desk.until(lambda: not process.is_running(), timeout_ms=60_000)
    desk.until(lambda: threads() == [], timeout_ms=20_000)


def test_a_panel_that_is_removed_during_training_ends_it(desk: Desk) -> None:
    desk.add_patch()
    desk.prefill()
    process = desk.train(ENDLESS)
    folder = desk.project.folder
    desk.viewer.window.remove_dock_widget(desk.widget)
    desk.widget.deleteLater()
    desk.until(lambda: not process.is_running())
    desk.until(lambda: threads() == [])
    desk.viewer.layers.remove(desk.image)  # A listener left behind would fail here.
    with Project.open(folder) as project:
        assert not project.read_only


def test_a_project_that_cannot_be_opened_leaves_the_present_one(desk: Desk, tmp_path: Path) -> None:
    desk.hands.stroke(desk.add_patch(), [(70, 20), (70, 60)])
    before = desk.project
    broken = tmp_path / "broken.mouse-seg"
    broken.mkdir()
    (broken / "project.json").write_text("{")
    desk.panel.projectRequested.emit(broken)
    desk.until(lambda: "cannot be opened" in desk.panel.failure_text())
    assert desk.project is before
    desk.hands.stroke(desk.paint, [(20, 20), (20, 60)])
    desk.until_saved()


@pytest.fixture
def stack(tmp_path: Path, discs: Discs) -> Path:
    """Five planes, the discs on each."""
    path = tmp_path / "stack.ome.tif"
    pixels = np.stack([discs[0]] * 5)
    tifffile.imwrite(path, pixels, photometric="minisblack", metadata={"axes": "ZYX"})
    return path


def test_a_project_keeps_to_its_plane_and_says_so(open_desk: Callable[..., Desk], stack: Path) -> None:
    desk = open_desk(stack)
    desk.viewer.dims.set_point(0, 3 * desk.image.scale[0])
    paint = desk.add_patch()
    assert desk.project.plan.image.plane_z == 3
    desk.hands.stroke(paint, [(30, 20), (30, 60)])
    desk.until_saved()
    assert desk.button("Add patch here").isEnabled()
    desk.viewer.dims.set_point(0, 1 * desk.image.scale[0])
    desk.until(lambda: "painted on plane 3, and the viewer shows plane 1" in desk.texts())
    assert not desk.button("Add patch here").isEnabled()
    desk.panel.addPatchRequested.emit()  # A rectangle that is being drawn gets here, too.
    assert "painted on plane 3" in desk.panel.failure_text()
    desk.press("Go to the painted plane")
    assert desk.viewer.dims.point[0] == pytest.approx(3 * desk.image.scale[0])
    desk.until(desk.button("Add patch here").isEnabled)
    desk.viewer.dims.set_point(0, 0)
    desk.qtbot.keyClick(desk.panel.findChild(PatchList), Qt.Key.Key_Return)
    assert desk.viewer.dims.point[0] == pytest.approx(3 * desk.image.scale[0])  # Where the patch can be seen.
    assert len(desk.project.plan.patches) == 1


def test_a_base_model_that_is_gone_is_told(desk: Desk, open_desk: Callable[..., Desk]) -> None:
    desk.add_patch()
    desk.prefill()
    desk.session.update(base="/nowhere/mine.safetensors")
    desk.until(lambda: "base model “mine” is not here any more" in desk.texts())
    desk.until(lambda: "base model “mine”" in desk.button("Train").toolTip())
    desk.widget.controller.close()
    desk.viewer.close()
    again = open_desk()
    again.until(lambda: "base model “mine” is not here any more" in again.texts())
    boxes = [box for box in again.widget.findChildren(QComboBox) if box.currentText() == "mine (missing)"]
    assert len(boxes) == 1
    assert again.project.plan.base == "/nowhere/mine.safetensors"
    boxes[0].setCurrentIndex(0)
    assert again.project.plan.base != "/nowhere/mine.safetensors"
    assert "not here any more" not in again.texts()
    assert again.button("Train").isEnabled()


def test_a_base_model_of_the_users_own_is_found_where_it_lies(
    desk: Desk, open_desk: Callable[..., Desk], brightness_model: Model, tmp_path: Path
) -> None:
    desk.add_patch()
    mine = Path(shutil.copy(brightness_model.path, tmp_path / "mine.safetensors"))
    desk.session.update(base=str(mine))
    desk.widget.controller.close()
    desk.viewer.close()
    again = open_desk()
    again.until(lambda: mine in [model.path for model in shelf_of(again.viewer).models])
    again.until(lambda: "not here any more" not in again.texts())
    assert again.project.plan.base == str(mine)


def test_opening_reads_the_patches_beside_the_main_thread(
    desk: Desk, open_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    for centre in ((100.0, 120.0), (190.0, 250.0), (280.0, 380.0)):
        desk.add_patch(centre)
    desk.widget.controller.close()
    desk.viewer.close()
    read: list[tuple[bool, str]] = []
    for name in ("read_pixels", "read_paint"):
        original = getattr(_project, name)

        def note(path: Path, *rest: Any, original: Any = original) -> Any:
            read.append((threading.current_thread() is threading.main_thread(), path.name))
            return original(path, *rest)

        for module in (_project, _opening):
            monkeypatch.setattr(module, name, note)
    again = open_desk()
    again.until(lambda: all(row.thumbnail is not None for row in again.panel._patches.rows()))
    assert len(again.panel._patches.rows()) == 3
    beside = {name for is_main, name in read if not is_main}
    on_main = [name for is_main, name in read if is_main]
    assert len(beside) == 6
    assert len(on_main) == 2  # Pixels and paint of the patch that is shown.
