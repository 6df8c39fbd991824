"""Which model the panels start with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtWidgets import QComboBox, QLabel

from napari_mouse_seg.networks import find_model
from napari_mouse_seg.plugin._segment_panel import SegmentWidget
from napari_mouse_seg.plugin._train_panel import TrainWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer

GREY, COLOURED = "nuclei-fluorescence", "nuclei-histology"


def open_panel(viewer: Viewer) -> SegmentWidget:
    widget = SegmentWidget(viewer, models=(find_model(GREY), find_model(COLOURED)))
    viewer.window.add_dock_widget(widget, name="Segment")
    return widget


def models(widget: SegmentWidget | TrainWidget) -> QComboBox:
    return next(box for box in widget.findChildren(QComboBox) if box.findText(GREY) >= 0)


def test_an_rgb_image_gets_a_model_that_sees_colours(make_napari_viewer: Callable[..., Viewer]) -> None:
    viewer = make_napari_viewer()
    grey = viewer.add_image(np.zeros((64, 64), np.uint8) + np.arange(64, dtype=np.uint8), name="grey")
    widget = open_panel(viewer)
    assert widget.panel.model_name() == GREY
    slide = viewer.add_image(np.full((64, 64, 3), 200, np.uint8) - np.arange(64, dtype=np.uint8)[:, None], name="slide")
    viewer.layers.selection.active = slide
    widget.panel.show_message("7 objects in the image")
    widget.panel.imageChosen.emit(widget.panel.image_names().index("slide"))
    assert not any("7 objects" in label.text() for label in widget.findChildren(QLabel))
    assert widget.panel.model_name() == COLOURED
    assert widget.panel.warning_text() == ""
    viewer.layers.selection.active = grey
    widget.panel.imageChosen.emit(widget.panel.image_names().index("grey"))
    assert widget.panel.model_name() == GREY


def test_a_model_that_the_user_has_chosen_stays(make_napari_viewer: Callable[..., Viewer]) -> None:
    viewer = make_napari_viewer()
    viewer.add_image(np.zeros((64, 64), np.uint8) + np.arange(64, dtype=np.uint8), name="grey")
    widget = open_panel(viewer)
    box = models(widget)
    box.setCurrentIndex(1)
    box.setCurrentIndex(0)
    viewer.add_image(np.full((64, 64, 3), 200, np.uint8) - np.arange(64, dtype=np.uint8)[:, None], name="slide")
    widget.panel.imageChosen.emit(widget.panel.image_names().index("slide"))
    assert widget.panel.model_name() == GREY
    assert "RGB" in widget.panel.warning_text()


def test_training_starts_from_a_model_that_sees_colours(make_napari_viewer: Callable[..., Viewer]) -> None:
    viewer = make_napari_viewer()
    viewer.add_image(np.full((64, 64, 3), 200, np.uint8) - np.arange(64, dtype=np.uint8)[:, None], name="slide")
    widget = TrainWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Train")
    box = models(widget)
    assert box.currentText() == COLOURED
    box.setCurrentIndex(box.findText(GREY))
    viewer.add_image(np.full((32, 32, 3), 200, np.uint8) - np.arange(32, dtype=np.uint8)[:, None], name="other")
    widget.panel.imageChosen.emit(1)
    assert box.currentText() == GREY
