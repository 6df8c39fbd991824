"""The panel in a real viewer with a real network: what its buttons do to the layers."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.layers import Image, Labels
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QPushButton

from napari_mouse_seg.events import Event, TileDone
from napari_mouse_seg.session import RunState
from napari_mouse_seg.session._engine import PipelineEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_mouse_seg.pipeline import ScoreCache, SegmentJob
    from napari_mouse_seg.plugin._segment_panel import SegmentWidget

    MakeViewer = Callable[..., Viewer]
    OpenPanel = Callable[[Viewer], SegmentWidget]
    SetView = Callable[..., None]
    Discs = tuple[np.ndarray, list[tuple[int, int]]]

LONG_MS = 120_000  # A network is built and torch may be loaded; only a hang takes this long.


def button(widget: SegmentWidget, text: str) -> QPushButton:
    (found,) = [one for one in widget.findChildren(QPushButton) if one.text() == text]
    return found


def press(qtbot: QtBot, widget: SegmentWidget, text: str) -> None:
    """Click a button as a user does, once it is on."""
    target = button(widget, text)
    qtbot.waitUntil(target.isEnabled, timeout=LONG_MS)
    qtbot.mouseClick(target, Qt.MouseButton.LeftButton)


def run_to_end(qtbot: QtBot, widget: SegmentWidget, text: str) -> None:
    press(qtbot, widget, text)
    wait_idle(qtbot, widget)


def set_threshold(qtbot: QtBot, widget: SegmentWidget, **values: float) -> None:
    """Move threshold inputs, and wait for what comes of it."""
    with qtbot.waitSignal(widget.panel.thresholdsSettled, timeout=LONG_MS):
        for name, value in values.items():
            widget.panel.thresholds.input_widget(name).setValue(value)
    wait_idle(qtbot, widget)


def wait_idle(qtbot: QtBot, widget: SegmentWidget) -> None:
    qtbot.waitUntil(lambda: widget.controller.session.state is RunState.IDLE, timeout=LONG_MS)


def labels_layers(viewer: Viewer) -> list[Labels]:
    return [layer for layer in viewer.layers if isinstance(layer, Labels)]


def label_at(labels: Labels, image: Image, centres: list[tuple[int, int]]) -> list[int]:
    """Return the labels that lie on image pixels, by way of the world."""
    found = []
    for centre in centres:
        y, x = np.round(labels.world_to_data(image.data_to_world(centre))).astype(int)[-2:]
        found.append(int(np.asarray(labels.data)[..., y, x].ravel()[0]))
    return found


def is_in(box: tuple[float, float, float, float], centre: tuple[int, int]) -> bool:
    return box[0] <= centre[0] < box[2] and box[1] <= centre[1] < box[3]


@pytest.fixture
def viewer(make_napari_viewer: MakeViewer) -> Viewer:
    return make_napari_viewer()


@pytest.fixture
def go_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Return what lets a run go on, which stands still after each tile of the network until then.

    Without it, a run may be over before the test sees that it has begun.
    """
    go_on, segment = threading.Event(), PipelineEngine.segment

    def wait_after_tiles(engine: PipelineEngine, job: SegmentJob, cache: ScoreCache) -> Iterator[Event]:
        for event in segment(engine, job, cache):
            yield event
            if isinstance(event, TileDone) and event.stage == "scores":
                go_on.wait(LONG_MS / 1000)

    monkeypatch.setattr(PipelineEngine, "segment", wait_after_tiles)
    yield go_on
    go_on.set()


TRANSFORMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "placed": {"scale": (0.5, 0.5), "translate": (100, -40), "units": ("um", "um")},
    "turned": {"scale": (2, 2), "translate": (100, -40), "rotate": 30},
    "half resolution": {"scale": (0.25, 0.25), "units": ("um", "um")},  # the network works at 0.5 µm
}


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS.keys())
def test_full_image_finds_each_disc_where_it_lies(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs, transform: dict[str, Any]
) -> None:
    data, centres = discs
    image = viewer.add_image(data, **transform)
    widget = open_panel(viewer)
    run_to_end(qtbot, widget, "Segment full image")
    (labels,) = labels_layers(viewer)
    found = label_at(labels, image, centres)
    assert sorted(found) == list(range(1, len(centres) + 1))
    assert set(label_at(labels, image, [(y + 24, x + 24) for y, x in centres[:-12] if x < 480])) == {0}


def test_visible_region_finds_what_is_in_view_and_no_more(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, set_view: SetView, discs: Discs
) -> None:
    data, centres = discs
    image = viewer.add_image([data, data[::2, ::2]], multiscale=True)
    widget = open_panel(viewer)
    viewer.canvas.size = (200, 200)
    set_view(viewer, (96, 96), 2.0)  # 46..146 in rows and columns
    run_to_end(qtbot, widget, "Segment visible region")
    (labels,) = labels_layers(viewer)
    inside = [centre for centre in centres if is_in((60, 60, 132, 132), centre)]
    outside = [centre for centre in centres if not is_in((38, 38, 154, 154), centre)]
    assert len(inside) == 4
    assert len(set(label_at(labels, image, inside)) - {0}) == 4
    assert set(label_at(labels, image, outside)) == {0}


def test_panning_and_running_again_adds_to_the_same_layer(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, set_view: SetView, discs: Discs
) -> None:
    data, centres = discs
    image = viewer.add_image(data, rotate=20, scale=(0.7, 0.7))
    widget = open_panel(viewer)
    viewer.canvas.size = (200, 200)
    set_view(viewer, image.data_to_world((100, 100)), 2.0)
    run_to_end(qtbot, widget, "Segment visible region")
    (labels,) = labels_layers(viewer)
    before = label_at(labels, image, centres)
    set_view(viewer, image.data_to_world((140, 190)), 2.0)
    run_to_end(qtbot, widget, "Segment visible region")
    assert labels_layers(viewer) == [labels]
    after = label_at(labels, image, centres)
    assert all(new == old for old, new in zip(before, after, strict=True) if old)
    assert sum(label > 0 for label in after) > sum(label > 0 for label in before)
    used = [label for label in after if label]
    assert len(used) == len(set(used))


def test_full_image_after_a_view_gives_what_the_full_image_alone_gives(
    make_napari_viewer: MakeViewer, qtbot: QtBot, open_panel: OpenPanel, set_view: SetView, discs: Discs
) -> None:
    data, centres = discs
    shapes = []
    for view_first in (True, False):
        viewer = make_napari_viewer()
        viewer.add_image(data)
        widget = open_panel(viewer)
        if view_first:
            viewer.canvas.size = (200, 200)
            set_view(viewer, (110, 110), 2.0)
            run_to_end(qtbot, widget, "Segment visible region")
        run_to_end(qtbot, widget, "Segment full image")
        (labels,) = labels_layers(viewer)
        shapes.append(np.asarray(labels.data) > 0)
        assert len(np.unique(labels.data)) == len(centres) + 1
    np.testing.assert_array_equal(*shapes)


def test_labels_of_a_stack_appear_on_the_plane_that_was_shown(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs
) -> None:
    data, centres = discs
    stack = np.stack([np.full_like(data, 10), data, np.full_like(data, 10)])
    image = viewer.add_image(stack)
    widget = open_panel(viewer)
    viewer.dims.set_point(0, 1)
    run_to_end(qtbot, widget, "Segment full image")
    (labels,) = labels_layers(viewer)
    assert labels.data_to_world((0, 0, 0))[0] == 1
    assert label_at(labels, image, [(1, *centre) for centre in centres]) == list(range(1, len(centres) + 1))
    assert np.any(labels._slice.image.view)  # what the canvas draws
    viewer.dims.set_point(0, 2)
    assert not np.any(labels._slice.image.view)


def test_threshold_reruns_only_the_instance_step(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs
) -> None:
    data, centres = discs
    dim = data.copy()
    dim[:, :256][dim[:, :256] > 100] = 90  # these discs score between the two thresholds
    viewer.add_image(dim)
    widget = open_panel(viewer)
    run_to_end(qtbot, widget, "Segment full image")
    (labels,) = labels_layers(viewer)
    n_before = len(np.unique(labels.data)) - 1
    stages: list[str] = []
    widget.controller.session.progressed.connect(lambda progress: stages.append(progress.text))
    set_threshold(qtbot, widget, foreground_threshold=0.05, split_depth=0.05)
    assert labels_layers(viewer) == [labels]
    assert n_before == len([centre for centre in centres if centre[1] >= 256])
    assert len(np.unique(labels.data)) - 1 == len(centres)
    assert stages
    assert not [text for text in stages if "network" in text]


def test_painted_labels_survive_a_new_threshold(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs
) -> None:
    viewer.add_image(discs[0])
    widget = open_panel(viewer)
    run_to_end(qtbot, widget, "Segment full image")
    (labels,) = labels_layers(viewer)
    with labels.block_history():  # as a stroke of the mouse does
        labels.paint((48, 48), 999)
    viewer.layers.selection.active = labels
    set_threshold(qtbot, widget, foreground_threshold=0.4)
    assert labels.data[48, 48] == 999
    _, beside = labels_layers(viewer)
    assert (labels.visible, beside.visible) == (False, True)
    assert viewer.layers.selection.active is not labels  # A stroke would go where nobody sees it.
    assert "in a layer whose eye is closed" in widget.panel.result_text()
    set_threshold(qtbot, widget, foreground_threshold=0.5)
    assert (labels.visible, beside.visible) == (True, False)
    set_threshold(qtbot, widget, foreground_threshold=0.3)
    viewer.layers.remove(beside)
    assert labels.visible
    assert widget.controller.session.workspace_here().canvas.array[48, 48] == 999


def test_a_new_threshold_shows_at_once_and_can_be_painted_in(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs
) -> None:
    data, centres = discs
    viewer.add_image(data)
    widget = open_panel(viewer)
    run_to_end(qtbot, widget, "Segment full image")
    (labels,) = labels_layers(viewer)
    set_threshold(qtbot, widget, min_area_px=100_000)
    assert labels_layers(viewer) == [labels]
    assert not np.any(labels._slice.image.view)  # what the canvas draws
    with labels.block_history():
        labels.paint((48, 48), 7)
    workspace = widget.controller.session.workspace
    assert workspace is not None
    assert workspace.edited
    assert workspace.canvas.array[48, 48] == 7
    set_threshold(qtbot, widget, min_area_px=20)
    assert len(labels_layers(viewer)) == 2
    assert labels.data[48, 48] == 7
    assert len(np.unique(labels_layers(viewer)[1].data)) - 1 == len(centres)


def test_a_stroke_that_is_still_drawn_is_safe_from_new_thresholds(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs
) -> None:
    viewer.add_image(discs[0])
    widget = open_panel(viewer)
    run_to_end(qtbot, widget, "Segment full image")
    (labels,) = labels_layers(viewer)
    assert labels.selected_label not in np.unique(labels.data)
    with labels.block_history():  # the mouse is held
        labels.paint((48, 48), labels.selected_label)
        set_threshold(qtbot, widget, foreground_threshold=0.4)
        labels.paint((48, 49), labels.selected_label)
        assert labels.visible  # napari loses a stroke whose layer goes meanwhile.
    assert not labels.visible
    assert len(labels_layers(viewer)) == 2
    assert labels.data[48, 48] == labels.data[48, 49] == labels.selected_label
    labels.undo()
    assert labels.data[48, 48] == 0


def test_going_back_to_a_layer_finds_its_labels_and_scores(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs
) -> None:
    first, second = viewer.add_image(discs[0], name="first"), viewer.add_image(discs[0][::-1], name="second")
    widget = open_panel(viewer)
    stages: list[str] = []
    widget.controller.session.progressed.connect(lambda progress: stages.append(progress.text))
    for layer in (first, second, first):
        widget.panel.imageChosen.emit(0 if layer is first else 1)
        stages.clear()
        run_to_end(qtbot, widget, "Segment full image")
    assert len(labels_layers(viewer)) == 2
    assert not [text for text in stages if "network" in text]
    first.data = discs[0][:, ::-1].copy()  # other pixels: nothing that is known holds any more
    run_to_end(qtbot, widget, "Segment full image")
    assert [text for text in stages if "network" in text]
    assert len(labels_layers(viewer)) == 3


class Heartbeat:
    """Times between two events of a timer on the main thread."""

    def __init__(self) -> None:
        self.gaps_ms: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.timeout.connect(self._beat)
        self._timer.start(5)

    def stop(self) -> None:
        self._timer.stop()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.gaps_ms.append((now - self._last) * 1000)
        self._last = now


def test_viewer_answers_all_through_a_run(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs, record_property: Callable[[str, object], None]
) -> None:
    viewer.add_image(np.tile(discs[0], (4, 4)))
    widget = open_panel(viewer)
    run_to_end(qtbot, widget, "Segment full image")  # torch is loaded, the labels layer is made
    widget.panel.fit_editor.input_widget("scale").setValue(0.9)  # scores are computed anew
    threads: set[int] = set()
    widget.controller.session.progressed.connect(lambda _: threads.add(threading.get_ident()))
    heart = Heartbeat()
    run_to_end(qtbot, widget, "Segment full image")
    heart.stop()
    gaps = np.array(heart.gaps_ms)
    record_property("longest_gap_ms", float(gaps.max()))
    record_property("share_over_50_ms", float((gaps > 50).mean()))
    # Seconds depend on the machine; that beats go on through the run, far more than its events, does not.
    assert len(gaps) > 20
    assert np.percentile(gaps, 90) < 50
    assert threads == {threading.main_thread().ident}


def test_cancel_stops_the_run_and_leaves_no_layer(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs, go_on: threading.Event
) -> None:
    viewer.add_image(np.tile(discs[0], (6, 6)))
    widget = open_panel(viewer)
    session = widget.controller.session
    with qtbot.waitSignal(widget.panel.fullRequested):
        press(qtbot, widget, "Segment full image")
    first: list[object] = []
    session.progressed.connect(first.append)
    qtbot.waitUntil(lambda: bool(first), timeout=LONG_MS)
    cancelled: list[bool] = []
    session.run_cancelled.connect(lambda: cancelled.append(True))
    button(widget, "Cancel").click()
    assert not button(widget, "Cancel").isEnabled()
    go_on.set()
    wait_idle(qtbot, widget)
    assert cancelled == [True]
    assert labels_layers(viewer) == []
    qtbot.waitUntil(button(widget, "Segment full image").isEnabled, timeout=LONG_MS)


def test_run_after_cancel_goes_on_from_finished_tiles(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs, go_on: threading.Event
) -> None:
    data, centres = discs
    viewer.add_image(np.tile(data, (3, 3)))
    widget = open_panel(viewer)
    session = widget.controller.session
    totals: list[str] = []
    session.progressed.connect(lambda progress: totals.append(progress.text))
    press(qtbot, widget, "Segment full image")
    network = "Running the network: 0 of "
    first_tile = "Running the network: 1 of "
    qtbot.waitUntil(lambda: any(text.startswith(first_tile) for text in totals), timeout=LONG_MS)
    widget.panel.cancelRequested.emit()
    go_on.set()
    wait_idle(qtbot, widget)
    run_to_end(qtbot, widget, "Segment full image")
    first, again = [int(text.removeprefix(network).split()[0]) for text in totals if text.startswith(network)]
    assert again < first
    (labels,) = labels_layers(viewer)
    assert len(np.unique(labels.data)) - 1 == 9 * len(centres)


def test_layer_removed_during_a_run_ends_it_without_error(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs, go_on: threading.Event
) -> None:
    image = viewer.add_image(np.tile(discs[0], (6, 6)))
    widget = open_panel(viewer)
    failures: list[str] = []
    widget.controller.session.run_failed.connect(failures.append)
    begun: list[object] = []
    widget.controller.session.progressed.connect(begun.append)
    press(qtbot, widget, "Segment full image")
    qtbot.waitUntil(lambda: bool(begun), timeout=LONG_MS)
    viewer.layers.remove(image)
    go_on.set()
    wait_idle(qtbot, widget)
    assert failures == []
    assert len(viewer.layers) == 0
    assert not button(widget, "Segment full image").isEnabled()


def test_removed_labels_come_back_with_the_next_run(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs
) -> None:
    data, centres = discs
    viewer.add_image(data)
    widget = open_panel(viewer)
    run_to_end(qtbot, widget, "Segment full image")
    viewer.layers.remove(labels_layers(viewer)[0])
    run_to_end(qtbot, widget, "Segment full image")
    (labels,) = labels_layers(viewer)
    assert len(np.unique(labels.data)) - 1 == len(centres)


def test_viewer_closed_during_a_run_leaves_no_thread(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs, go_on: threading.Event
) -> None:
    viewer.add_image(np.tile(discs[0], (6, 6)))
    widget = open_panel(viewer)
    begun: list[object] = []
    widget.controller.session.progressed.connect(begun.append)
    press(qtbot, widget, "Segment full image")
    qtbot.waitUntil(lambda: bool(begun), timeout=LONG_MS)
    assert [thread for thread in threading.enumerate() if thread.name == "mouse-seg"]
    del widget
    go_on.set()  # Closing waits for the tile under way.
    viewer.close()
    qtbot.waitUntil(
        lambda: not [thread for thread in threading.enumerate() if thread.name == "mouse-seg"], timeout=LONG_MS
    )


def test_removed_panel_lets_go_of_the_viewer(viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs) -> None:
    viewer.add_image(discs[0])
    widget = open_panel(viewer)
    controller = widget.controller
    viewer.window.remove_dock_widget(widget)  # What the ✕ of its dock does; nothing deletes the widget.
    qtbot.waitUntil(lambda: controller.is_closed, timeout=LONG_MS)
    viewer.add_image(discs[0])  # a listener left behind would fail here
    assert not [thread for thread in threading.enumerate() if thread.name == "mouse-seg"]


def test_panel_removed_during_a_run_leaves_no_thread(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs, go_on: threading.Event
) -> None:
    viewer.add_image(np.tile(discs[0], (6, 6)))
    widget = open_panel(viewer)
    begun: list[object] = []
    widget.controller.session.progressed.connect(begun.append)
    press(qtbot, widget, "Segment full image")
    qtbot.waitUntil(lambda: bool(begun), timeout=LONG_MS)
    viewer.window.remove_dock_widget(widget)
    go_on.set()  # Closing waits for the tile under way.
    qtbot.waitUntil(
        lambda: not [thread for thread in threading.enumerate() if thread.name == "mouse-seg"], timeout=LONG_MS
    )
    press(qtbot, open_panel(viewer), "Segment full image")
    qtbot.waitUntil(lambda: bool(labels_layers(viewer)), timeout=LONG_MS)


def test_3d_view_turns_the_buttons_off_and_says_why(viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel) -> None:
    viewer.add_image(np.zeros((4, 64, 64), np.uint8))
    widget = open_panel(viewer)
    view = button(widget, "Segment visible region")
    qtbot.waitUntil(view.isEnabled, timeout=LONG_MS)
    viewer.dims.ndisplay = 3
    qtbot.waitUntil(lambda: not view.isEnabled(), timeout=LONG_MS)
    assert "2-D view" in view.toolTip()
    viewer.dims.ndisplay = 2
    qtbot.waitUntil(view.isEnabled, timeout=LONG_MS)


def test_view_beside_the_image_turns_only_its_button_off(
    viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, set_view: SetView, discs: Discs
) -> None:
    viewer.add_image(discs[0])
    widget = open_panel(viewer)
    view, full = (button(widget, text) for text in ("Segment visible region", "Segment full image"))
    qtbot.waitUntil(view.isEnabled, timeout=LONG_MS)
    set_view(viewer, (9000, 9000), 1.0)
    qtbot.waitUntil(lambda: not view.isEnabled(), timeout=LONG_MS)
    assert "outside of the view" in view.toolTip()
    assert full.isEnabled()


def test_without_an_image_the_panel_says_what_to_do(viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel) -> None:
    widget = open_panel(viewer)
    full = button(widget, "Segment full image")
    assert not full.isEnabled()
    assert "no image" in full.toolTip()
    viewer.add_image(np.zeros((64, 64), np.uint8))
    qtbot.waitUntil(full.isEnabled, timeout=LONG_MS)


def test_unsupported_layer_is_explained(viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel) -> None:
    viewer.add_image(np.zeros((1, 1, 1, 1, 8, 8), np.uint8))
    widget = open_panel(viewer)
    full = button(widget, "Segment full image")
    assert not full.isEnabled()
    assert "at most 3" in full.toolTip()


def test_constant_image_fails_in_words(viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel) -> None:
    viewer.add_image(np.full((64, 64), 7, np.uint8))
    widget = open_panel(viewer)
    failures: list[str] = []
    widget.controller.session.run_failed.connect(failures.append)
    run_to_end(qtbot, widget, "Segment full image")
    (message,) = failures
    assert "unexpectedly" not in message
    assert labels_layers(viewer) == []


def test_unknown_pixel_size_and_rgb_are_warned_of(viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel) -> None:
    viewer.add_image(np.zeros((64, 64, 3), np.uint8), rgb=True)
    widget = open_panel(viewer)
    text = widget.panel.warning_text()
    assert "RGB" in text
    assert "pixel size of the image is unknown" in text


def test_renamed_and_added_layers_are_listed(viewer: Viewer, qtbot: QtBot, open_panel: OpenPanel, discs: Discs) -> None:
    image = viewer.add_image(discs[0], name="first")
    widget = open_panel(viewer)
    viewer.add_image(discs[0], name="second")
    image.name = "renamed"
    assert widget.panel.image_names() == ["renamed", "second"]
    assert widget.panel.value().instances is not None
    viewer.layers.remove(image)
    assert widget.panel.image_names() == ["second"]


def test_measured_objects_set_their_diameter(
    qtbot: QtBot, make_napari_viewer: MakeViewer, open_panel: OpenPanel, discs: Discs
) -> None:
    viewer = make_napari_viewer()
    viewer.add_image(discs[0], name="discs")
    widget = open_panel(viewer)
    press(qtbot, widget, "Measure objects")
    qtbot.waitUntil(lambda: widget.panel.value().object_diameter_px is not None, timeout=LONG_MS)
    assert widget.panel.value().object_diameter_px == pytest.approx(16, abs=2)
    qtbot.waitUntil(button(widget, "Measure objects").isEnabled, timeout=LONG_MS)


def test_a_line_across_an_object_sets_its_diameter_in_image_pixels(
    qtbot: QtBot, make_napari_viewer: MakeViewer, open_panel: OpenPanel, discs: Discs
) -> None:
    viewer = make_napari_viewer()
    layer = viewer.add_image(discs[0], name="discs", scale=(0.5, 0.5), translate=(7, 3))
    widget = open_panel(viewer)
    draw = button(widget, "Draw across one")
    qtbot.mouseClick(draw, Qt.MouseButton.LeftButton)
    shapes = viewer.layers["Draw a line"]
    ends = [layer.data_to_world(point) for point in ((16, 24), (32, 24))]
    shapes.add_lines(np.array(ends))
    qtbot.waitUntil(lambda: widget.panel.value().object_diameter_px is not None, timeout=LONG_MS)
    assert widget.panel.value().object_diameter_px == pytest.approx(16)
    assert not shapes.visible
    assert not draw.isChecked()
    qtbot.mouseClick(draw, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(draw, Qt.MouseButton.LeftButton)  # given up
    assert not shapes.visible
    viewer.window.remove_dock_widget(widget)
    qtbot.waitUntil(lambda: shapes not in viewer.layers, timeout=LONG_MS)
    qtbot.wait(100)  # What follows layers a moment later must not reach a panel that is gone.


def test_nothing_to_measure_is_said(qtbot: QtBot, make_napari_viewer: MakeViewer, open_panel: OpenPanel) -> None:
    widget = open_panel(make_napari_viewer())
    press(qtbot, widget, "Measure objects")
    assert "nothing to measure" in widget.panel.failure_text()
