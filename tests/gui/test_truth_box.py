"""Labels beside the result in a real viewer: the score follows, and the search makes it better."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.layers import Labels
from qtpy.QtWidgets import QComboBox, QPushButton

from napari_mouse_seg.errors import UnsupportedImageError
from napari_mouse_seg.plugin._layers import AID
from napari_mouse_seg.plugin._truth_layers import Grid, place_labels
from napari_mouse_seg.session import RunState

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_mouse_seg.networks import Model
    from napari_mouse_seg.plugin._segment_panel import SegmentWidget

    MakeViewer = Callable[..., Viewer]
    OpenPanel = Callable[[Viewer], SegmentWidget]
    Discs = tuple[np.ndarray, list[tuple[int, int]]]

LONG_MS = 120_000  # A network is built and torch may be loaded; only a hang takes this long.


@pytest.fixture
def viewer(make_napari_viewer: MakeViewer) -> Viewer:
    return make_napari_viewer()


@pytest.fixture
def truth(discs: Discs) -> np.ndarray:
    """Return the drawn discs, numbered."""
    image, centres = discs
    labels = np.zeros(image.shape, np.int32)
    for number, (y, x) in enumerate(centres, start=1):
        labels[y - 8 : y + 9, x - 8 : x + 9][image[y - 8 : y + 9, x - 8 : x + 9] > 100] = number
    return labels


@pytest.fixture
def glow(discs: Discs) -> np.ndarray:
    """Return discs whose light falls off outwards, so that the threshold decides how large they are."""
    image, centres = discs
    rows, columns = np.indices(image.shape)
    nearest = np.min([np.hypot(rows - y, columns - x) for y, x in centres], axis=0)
    return (10 + 190 * np.clip(1 - nearest / 16, 0, 1)).astype(np.uint8)


def button(widget: SegmentWidget, text: str) -> QPushButton:
    (found,) = buttons_named(widget, text)
    return found


def buttons_named(widget: SegmentWidget, text: str) -> list[QPushButton]:
    return [one for one in widget.findChildren(QPushButton) if one.text() == text]


def press(qtbot: QtBot, widget: SegmentWidget, text: str) -> None:
    target = button(widget, text)
    qtbot.waitUntil(target.isEnabled, timeout=LONG_MS)
    target.click()


def segment(qtbot: QtBot, widget: SegmentWidget) -> None:
    press(qtbot, widget, "Segment full image")
    wait_idle(qtbot, widget)


def wait_idle(qtbot: QtBot, widget: SegmentWidget) -> None:
    qtbot.waitUntil(lambda: widget.controller.session.state is RunState.IDLE, timeout=LONG_MS)


def choose(widget: SegmentWidget, name: str) -> None:
    """Choose labels in the box as a user does."""
    (box,) = [one for one in widget.panel.truth_box.findChildren(QComboBox) if one.findText("None") == 0]
    box.setCurrentIndex(box.findText(name))


def score(widget: SegmentWidget) -> str:
    return str(widget.panel.truth_box.score_text())


def wait_score(qtbot: QtBot, widget: SegmentWidget, pattern: str) -> re.Match[str]:
    try:
        qtbot.waitUntil(lambda: re.search(pattern, score(widget)) is not None, timeout=LONG_MS)
    except qtbot.TimeoutError:
        pytest.fail(f"The box shows {score(widget)!r}, not {pattern!r}.")
    found = re.search(pattern, score(widget))
    assert found is not None
    return found


def set_foreground(qtbot: QtBot, widget: SegmentWidget, value: float) -> None:
    with qtbot.waitSignal(widget.panel.thresholdsSettled, timeout=LONG_MS):
        widget.panel.thresholds.input_widget("foreground_threshold").setValue(value)
    wait_idle(qtbot, widget)


def test_score_appears_with_the_labels_and_follows_the_thresholds(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, glow: np.ndarray, truth: np.ndarray
) -> None:
    viewer.add_image(glow)
    viewer.add_labels(truth, name="known")
    widget = open_panel(viewer)
    choose(widget, "known")
    assert "Segment the image" in score(widget)
    segment(qtbot, widget)
    first = wait_score(qtbot, widget, r"(?s)F1 1\.00 at IoU 0\.5\n(0\.\d\d) mean.*0 missed, 0 extra.*over 88 objects")
    set_foreground(qtbot, widget, 0.98)
    qtbot.waitUntil(lambda: "F1" in score(widget) and first[1] not in score(widget), timeout=LONG_MS)
    choose(widget, "None")
    assert score(widget) == ""
    assert not button(widget, "Find best").isEnabled()
    assert "Choose labels" in button(widget, "Find best").toolTip()


def test_find_best_moves_the_thresholds_and_undo_moves_them_back(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, glow: np.ndarray, truth: np.ndarray
) -> None:
    viewer.add_image(glow)
    viewer.add_labels(truth, name="known")
    widget = open_panel(viewer)
    segment(qtbot, widget)
    start = widget.panel.value().instances.replace(foreground_threshold=0.05)
    widget.panel.set_value(widget.panel.value().replace(instances=start))
    qtbot.waitUntil(lambda: widget.controller.session.workspace.instances == start, timeout=LONG_MS)
    choose(widget, "known")
    before = float(wait_score(qtbot, widget, r"\n(\d\.\d\d) mean")[1])
    press(qtbot, widget, "Find best")
    box = widget.panel.truth_box
    qtbot.waitUntil(lambda: "→" in box.found_text(), timeout=LONG_MS)
    said = re.findall(r"\d\.\d\d", box.found_text().partition("Mean F1")[2])
    assert float(said[0]) == before
    assert float(said[1]) > before + 0.05
    best = widget.panel.value().instances
    assert best.foreground_threshold > 0.05
    wait_idle(qtbot, widget)
    qtbot.waitUntil(lambda: widget.controller.session.workspace.instances == best, timeout=LONG_MS)
    wait_score(qtbot, widget, rf"\n{said[1]} mean")  # the labels agree as well as the search has said
    press(qtbot, widget, "Undo")
    assert widget.panel.value().instances == start
    wait_score(qtbot, widget, rf"\n{before:.2f} mean")
    assert button(widget, "Undo").isHidden()


def test_search_can_be_stopped_and_ends_when_a_threshold_is_moved(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, glow: np.ndarray, truth: np.ndarray
) -> None:
    viewer.add_image(glow)
    viewer.add_labels(truth, name="known")
    widget = open_panel(viewer)
    segment(qtbot, widget)
    choose(widget, "known")
    start = widget.panel.value().instances
    press(qtbot, widget, "Find best")
    press(qtbot, widget, "Stop searching")
    qtbot.waitUntil(lambda: "stopped" in widget.panel.truth_box.found_text(), timeout=LONG_MS)
    assert widget.panel.value().instances == start
    press(qtbot, widget, "Find best")
    widget.panel.thresholds.input_widget("foreground_threshold").setValue(0.31)
    qtbot.waitUntil(lambda: "stopped" in widget.panel.truth_box.found_text(), timeout=LONG_MS)
    assert widget.panel.value().instances == start.replace(foreground_threshold=0.31)
    wait_idle(qtbot, widget)


def test_box_clears_when_the_labels_are_removed_also_during_a_search(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, glow: np.ndarray, truth: np.ndarray
) -> None:
    viewer.add_image(glow)
    known = viewer.add_labels(truth, name="known")
    widget = open_panel(viewer)
    segment(qtbot, widget)
    choose(widget, "known")
    wait_score(qtbot, widget, "F1")
    press(qtbot, widget, "Find best")
    viewer.layers.remove(known)
    assert score(widget) == ""
    assert "known" not in widget.panel.truth_box.layer_names()
    qtbot.waitUntil(lambda: len(buttons_named(widget, "Find best")) == 1, timeout=LONG_MS)
    qtbot.wait(400)
    assert score(widget) == ""
    assert not button(widget, "Find best").isEnabled()
    assert widget.panel.truth_box.found_text() in ("", "The search was stopped; the thresholds are as they were.")


def test_painting_in_either_layer_changes_the_score(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs, truth: np.ndarray
) -> None:
    viewer.add_image(discs[0])
    known = viewer.add_labels(truth, name="known")
    widget = open_panel(viewer)
    segment(qtbot, widget)
    choose(widget, "known")
    wait_score(qtbot, widget, "0 missed, 0 extra, 0 split, 0 merged, over 88 objects")
    rows, columns = np.nonzero(truth == 1)
    known.data_setitem((rows, columns), 0)
    wait_score(qtbot, widget, "1 extra, .* over 87 objects")
    (result,) = [one for one in viewer.layers if isinstance(one, Labels) and one is not known]
    shown = np.asarray(result.data)
    result.data_setitem(np.nonzero(np.isin(shown, [shown[truth == 2][0], shown[truth == 3][0]])), 0)
    wait_score(qtbot, widget, "2 missed, 1 extra, .* over 87 objects")


def test_result_is_not_compared_with_itself(viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs) -> None:
    viewer.add_image(discs[0], name="field")
    widget = open_panel(viewer)
    segment(qtbot, widget)
    qtbot.waitUntil(lambda: len(widget.panel.truth_box.layer_names()) == 2, timeout=LONG_MS)
    choose(widget, widget.panel.truth_box.layer_names()[1])
    wait_score(qtbot, widget, "the result itself")
    assert not button(widget, "Find best").isEnabled()


def test_paint_of_a_patch_says_what_is_background(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs, truth: np.ndarray
) -> None:
    viewer.add_image(discs[0])
    paint = np.where(truth[100:200, 100:300] > 0, truth[100:200, 100:300] + 1, 0)
    paint[:, 100:] = 0  # the right half is not annotated
    patch = viewer.add_labels(paint, name="p1 (paint)", translate=(100, 100))
    patch.metadata[AID] = "p1"
    widget = open_panel(viewer)
    segment(qtbot, widget)
    choose(widget, "p1 (paint)")
    wait_score(qtbot, widget, r"F1 1\.00 .*\n.*\n0 missed, 0 extra")
    assert not widget.panel.truth_box.paint_editor.isHidden()
    box = widget.panel.truth_box
    box.paint_editor.set_value(box.paint_editor.value().replace(rest_is_background=True))
    wait_score(qtbot, widget, "0 missed, [1-9] extra")


PLACES: dict[str, dict[str, Any]] = {
    "same": {},
    "finer": {"scale": (0.5, 0.5)},
    "coarser": {"scale": (2.0, 2.0)},
    "moved": {"translate": (40, 60)},
    "turned": {"rotate": 25, "translate": (60, 20), "scale": (0.8, 1.25)},
    "sheared": {"shear": [0.3], "affine": np.array([[0.9, 0.1, 5], [-0.2, 1.1, 8], [0, 0, 1]])},
    "nanometres": {"scale": (500, 500), "units": ("nm", "nm")},
}


@pytest.mark.parametrize("image_place", [{}, {"scale": (0.7, 0.7), "rotate": -40, "translate": (3, 9)}])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_labels_are_found_under_every_grid_pixel_that_napari_shows_them_at(
    viewer: Viewer, place: dict[str, Any], image_place: dict[str, Any]
) -> None:
    units = {"units": ("um", "um")} if "units" in place else {}
    image = viewer.add_image(np.zeros((300, 400), np.uint8), **image_place, **units)
    labels = viewer.add_labels(np.zeros((200, 250), np.int32), **place)
    placed = place_labels(labels, Grid(image, (2.0, 1.6), ()), viewer.dims.point, None)
    to_nm = 1000 if units else 1
    for y, x in ((0.0, 0.0), (10.0, 70.0), (99.0, 3.0), (50.0, 180.0)):
        world = np.asarray(image.data_to_world((2 * y + 0.5, 1.6 * x + 0.3))) * to_nm
        assert placed.matrix @ (y, x, 1) == pytest.approx(np.asarray(labels.world_to_data(world)), abs=1e-6)


def test_plane_of_the_segmented_image_is_the_plane_of_the_labels(viewer: Viewer) -> None:
    image = viewer.add_image(np.zeros((5, 30, 40), np.uint8), scale=(2, 1, 1))
    stack = viewer.add_labels(np.arange(5)[:, None, None] * np.ones((1, 30, 40), np.int32), scale=(2, 1, 1))
    flat = viewer.add_labels(np.ones((30, 40), np.int32))
    grid = Grid(image, (1.0, 1.0), (3,))
    assert (place_labels(stack, grid, viewer.dims.point, None).levels[0][0:2, 0:2] == 3).all()
    assert (place_labels(flat, grid, viewer.dims.point, None).levels[0][0:2, 0:2] == 1).all()
    with pytest.raises(UnsupportedImageError, match="no labels at the plane"):
        place_labels(stack, Grid(image, (1.0, 1.0), (9,)), viewer.dims.point, None)


def test_network_at_another_scale_and_turned_labels_agree(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs, truth: np.ndarray, brightness_model: Model
) -> None:
    viewer.add_image(discs[0], scale=(0.25, 0.25), units=("um", "um"), rotate=30)  # the network works at 0.5 µm
    part = np.repeat(np.repeat(truth[20:340, 10:400], 2, axis=0), 2, axis=1)
    corner = viewer.layers[0].data_to_world((19.75, 9.75))
    viewer.add_labels(part, name="known", scale=(0.125, 0.125), rotate=30, translate=corner, units=("um", "um"))
    widget = open_panel(viewer)
    segment(qtbot, widget)
    choose(widget, "known")
    found = wait_score(qtbot, widget, r"(?s)F1 (\d\.\d\d) at.*over (\d+) objects.*(\d+) objects cut")
    assert float(found[1]) == 1
    assert int(found[2]) > 40


def test_without_labels_the_button_says_what_is_missing(viewer: Viewer, open_panel: OpenPanel, discs: Discs) -> None:
    viewer.add_image(discs[0])
    widget = open_panel(viewer)
    best = button(widget, "Find best")
    assert not best.isEnabled()
    assert "Choose labels" in best.toolTip()


def test_closing_the_window_ends_a_search(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, glow: np.ndarray, truth: np.ndarray
) -> None:
    viewer.add_image(glow, name="glow")
    viewer.add_labels(truth, name="known")
    widget = open_panel(viewer)
    segment(qtbot, widget)
    choose(widget, "known")
    press(qtbot, widget, "Find best")
    assert [thread for thread in threading.enumerate() if thread.name == "mouse-seg"]
    widget.controller.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "mouse-seg"]
    viewer.layers.remove("known")  # nobody listens any more
    assert widget.panel.truth_box.layer_names() == ["None", "known", "brightness in glow"]
