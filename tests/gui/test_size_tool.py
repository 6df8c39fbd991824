"""A diameter is taken over only for what it was measured on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

from napari_mouse_seg.plugin._draw_tool import DrawTool
from napari_mouse_seg.plugin._segment_panel import SegmentWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_mouse_seg.networks import Model

    MakeViewer = Callable[..., Viewer]
    Discs = tuple[np.ndarray, list[tuple[int, int]]]

LONG_MS = 240_000
MEASURE, DRAW = "Measure objects", "Draw across one"


def button(widget: SegmentWidget, text: str) -> QPushButton:
    (found,) = [one for one in widget.findChildren(QPushButton) if one.text() == text]
    return found


def choose_image(widget: SegmentWidget) -> None:
    widget.panel.imageChosen.emit(0)


def choose_model(widget: SegmentWidget) -> None:
    widget.panel.modelChosen.emit(1)


def choose_plane(widget: SegmentWidget) -> None:
    widget.controller._viewer.dims.set_point(0, 1)
    widget.controller.update_view()


def choose_threshold(widget: SegmentWidget) -> None:
    widget.panel.thresholds.input_widget("min_area_px").setValue(9)


@pytest.fixture
def widget(make_napari_viewer: MakeViewer, discs: Discs, brightness_model: Model) -> SegmentWidget:
    """Two stacks of discs, the second one chosen, and two models, the first one chosen."""
    from napari_mouse_seg.networks import list_models

    viewer = make_napari_viewer()
    for name in ("other", "discs"):
        viewer.add_image(np.stack([discs[0]] * 2), name=name, axis_labels=("z", "y", "x"))
    viewer.dims.set_point(0, 0)
    widget = SegmentWidget(viewer, (brightness_model, *list_models()[:1]))
    viewer.window.add_dock_widget(widget, name="Segment")
    widget.controller.update_view()
    return widget


def measure(qtbot: QtBot, widget: SegmentWidget, meanwhile: Callable[[SegmentWidget], None]) -> None:
    """Press the button, do something else at once, and wait for the end."""
    qtbot.waitUntil(button(widget, MEASURE).isEnabled, timeout=LONG_MS)
    qtbot.mouseClick(button(widget, MEASURE), Qt.MouseButton.LeftButton)
    assert not button(widget, MEASURE).isEnabled()
    meanwhile(widget)  # Before the event loop turns: nothing can have been found yet.
    qtbot.waitUntil(button(widget, MEASURE).isEnabled, timeout=LONG_MS)


@pytest.mark.parametrize("meanwhile", [choose_image, choose_model, choose_plane])
def test_a_diameter_measured_on_something_else_is_dropped(
    qtbot: QtBot, widget: SegmentWidget, meanwhile: Callable[[SegmentWidget], None]
) -> None:
    measure(qtbot, widget, meanwhile)
    assert widget.panel.value().object_diameter_px is None
    assert "measure them again" in widget.panel.failure_text()


def test_a_diameter_is_taken_over_whatever_else_has_changed(qtbot: QtBot, widget: SegmentWidget) -> None:
    measure(qtbot, widget, choose_threshold)
    assert widget.panel.value().object_diameter_px == pytest.approx(16, abs=2)


def test_a_line_begun_on_another_image_is_given_up(qtbot: QtBot, widget: SegmentWidget) -> None:
    qtbot.mouseClick(button(widget, DRAW), Qt.MouseButton.LeftButton)
    assert button(widget, DRAW).isChecked()
    choose_image(widget)
    assert not button(widget, DRAW).isChecked()
    shapes = widget.controller._viewer.layers["Draw a line"]
    assert not shapes.visible
    qtbot.mouseClick(button(widget, DRAW), Qt.MouseButton.LeftButton)
    shapes.add_lines(np.array([(0, 16, 24), (0, 32, 24)]))
    qtbot.waitUntil(lambda: widget.panel.value().object_diameter_px is not None, timeout=LONG_MS)
    assert widget.panel.value().object_diameter_px == pytest.approx(16)


@pytest.mark.parametrize("line", [[(25.0, 50.0), (35.0, 50.0)], [(30.0, 45.0), (30.0, 55.0)]], ids=["rows", "columns"])
def test_a_line_means_the_same_whatever_its_direction(
    make_napari_viewer: MakeViewer, qtbot: QtBot, brightness_model: Model, line: list[tuple[float, float]]
) -> None:
    viewer = make_napari_viewer()
    viewer.add_image(np.zeros((400, 400), np.uint8), scale=(0.25, 0.5), units=("um", "um"))
    widget = SegmentWidget(viewer, (brightness_model,))
    viewer.window.add_dock_widget(widget, name="Segment")
    widget.controller.update_view()
    qtbot.mouseClick(button(widget, DRAW), Qt.MouseButton.LeftButton)
    shapes = viewer.layers["Draw a line"]
    shapes.add_lines(np.array([shapes.world_to_data(end) for end in line]))
    qtbot.waitUntil(lambda: widget.panel.value().object_diameter_px is not None, timeout=LONG_MS)
    assert widget.panel.value().object_diameter_px == pytest.approx(40)  # 10 µm.


def test_a_line_means_the_same_on_an_image_in_other_units(make_napari_viewer: MakeViewer, qtbot: QtBot) -> None:
    viewer = make_napari_viewer()
    images = [
        viewer.add_image(np.zeros((100, 100)), scale=(size, size), units=(unit, unit))
        for size, unit in ((0.5, "um"), (500, "nm"))
    ]
    tool = DrawTool(viewer, "line")
    drawn: list[np.ndarray] = []
    tool.drawn.connect(drawn.append)
    for image in images:
        tool.begin(image)
    viewer.layers["Draw a line"].add_lines(np.array([(5.0, 5.0), (5.0, 15.0)]))  # µm, as the first image.
    qtbot.waitUntil(lambda: len(drawn) > 0, timeout=LONG_MS)
    tool.close()
    np.testing.assert_allclose(drawn[-1], [(10, 10), (10, 30)])


def test_a_measured_diameter_belongs_to_its_image(widget: SegmentWidget) -> None:
    def shown() -> float | None:
        return widget.panel.value().object_diameter_px

    widget.controller._size._on_line(np.array([(0.0, 0.0), (0.0, 20.04)]))
    assert shown() == 20
    widget.panel.imageChosen.emit(0)
    assert shown() is None
    assert "20 px was measured in another image" in widget.panel.result_text()
    widget.panel.imageChosen.emit(1)
    assert shown() == 20
    widget.panel.set_diameter(33.0)  # Typed: it is meant for all.
    widget.panel.imageChosen.emit(0)
    assert shown() == 33


def test_a_measured_diameter_does_not_outlive_its_image(widget: SegmentWidget) -> None:
    viewer = widget.controller._viewer
    widget.controller._size._on_line(np.array([(0.0, 0.0), (0.0, 20.0)]))
    for layer in list(viewer.layers):
        viewer.layers.remove(layer)
    viewer.add_image(np.zeros((64, 64)))
    assert widget.panel.value().object_diameter_px is None


def test_while_objects_are_measured_another_image_does_not_come_in_between(widget: SegmentWidget) -> None:
    controller = widget.controller
    assert not controller._is_at_work
    controller._on_draw(True)
    assert controller._is_at_work
    controller._on_draw(False)
    assert not controller._is_at_work
