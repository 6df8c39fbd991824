"""Which model the panels start with."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtWidgets import QComboBox, QLabel

from helpers.scenes import stained_section
from napari_mouse_seg import images
from napari_mouse_seg.networks import find_model
from napari_mouse_seg.plugin._segment_panel import SegmentWidget
from napari_mouse_seg.plugin._train_panel import TrainWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from napari import Viewer
    from pytestqt.qtbot import QtBot

LIMIT_MS = 60_000
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
    slide = viewer.add_image(stained_section(), name="slide")
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
    viewer.add_image(stained_section(), name="slide")
    widget.panel.imageChosen.emit(widget.panel.image_names().index("slide"))
    assert widget.panel.model_name() == GREY
    assert "RGB" in widget.panel.warning_text()


def test_training_starts_from_a_model_that_sees_colours(make_napari_viewer: Callable[..., Viewer]) -> None:
    viewer = make_napari_viewer()
    viewer.add_image(stained_section(), name="slide")
    widget = TrainWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Train")
    box = models(widget)
    assert box.currentText() == COLOURED
    box.setCurrentIndex(box.findText(GREY))
    viewer.add_image(stained_section(), name="other")
    widget.panel.imageChosen.emit(1)
    assert box.currentText() == GREY


def test_a_picture_of_fluorescence_gets_a_model_for_it_though_it_has_colours(
    make_napari_viewer: Callable[..., Viewer], qtbot: QtBot
) -> None:
    viewer = make_napari_viewer()
    viewer.add_image(stained_section(), name="slide")
    viewer.add_image(255 - stained_section(), name="picture")
    segment, train = open_panel(viewer), TrainWidget(viewer)
    viewer.window.add_dock_widget(train, name="Train")
    for widget in (segment, train):
        widget.panel.imageChosen.emit(1)
    qtbot.waitUntil(lambda: segment.panel.model_name() == GREY == models(train).currentText(), timeout=LIMIT_MS)
    for widget in (segment, train):
        widget.panel.imageChosen.emit(0)
    assert segment.panel.model_name() == COLOURED == models(train).currentText()
    for widget in (segment, train):
        widget.panel.imageChosen.emit(1)
    assert segment.panel.model_name() == GREY  # It has been looked at already.


def test_a_model_chosen_before_an_image_was_looked_at_stays(
    make_napari_viewer: Callable[..., Viewer], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def look(_image: object) -> bool:
        begun.set()
        return not go_on.wait(LIMIT_MS / 1000)

    monkeypatch.setattr(images, "looks_stained", look)
    viewer = make_napari_viewer()
    viewer.add_image(255 - stained_section(), name="picture")
    widget = open_panel(viewer)
    seen: list[object] = []
    widget.controller._look.changed.connect(seen.append)
    qtbot.waitUntil(begun.is_set, timeout=LIMIT_MS)
    box = models(widget)
    box.setCurrentIndex(box.findText(GREY))
    box.setCurrentIndex(box.findText(COLOURED))
    go_on.set()
    qtbot.waitUntil(lambda: bool(seen), timeout=LIMIT_MS)
    assert widget.panel.model_name() == COLOURED
