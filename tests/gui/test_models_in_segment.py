"""Which model Segment shows, and that Train knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtWidgets import QComboBox

from napari_mouse_seg.plugin._model_shelf import shelf_of
from napari_mouse_seg.plugin._segment_panel import SegmentWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer

    from helpers.desks import Desk
    from napari_mouse_seg.networks import Model

HISTOLOGY = "nuclei-histology"


def add_segment(viewer: Viewer) -> SegmentWidget:
    segment = SegmentWidget(viewer)
    viewer.window.add_dock_widget(segment, name="Segment")
    return segment


def choose_model(segment: SegmentWidget, name: str) -> None:
    """Choose in the panel, as a user does."""
    (box,) = [one for one in segment.findChildren(QComboBox) if one.findText(segment.panel.model_name()) >= 0]
    box.setCurrentIndex(box.findText(name))


@pytest.mark.parametrize("is_trained", [False, True])
def test_on_colours_a_model_just_trained_comes_before_the_one_that_is_suggested(
    make_napari_viewer: Callable[..., Viewer], brightness_model: Model, is_trained: bool
) -> None:
    viewer = make_napari_viewer()
    viewer.add_image(np.full((64, 80, 3), 100, np.uint8), rgb=True)
    if is_trained:
        shelf = shelf_of(viewer)
        shelf.choose(shelf.put(brightness_model))  # As a training does at its end.
    segment = add_segment(viewer)  # Afterwards.
    assert segment.panel.model_name() == ("brightness" if is_trained else HISTOLOGY)


def test_a_model_chosen_by_hand_is_still_chosen_when_the_panel_is_opened_again(
    make_napari_viewer: Callable[..., Viewer], brightness_model: Model
) -> None:
    viewer = make_napari_viewer()
    viewer.add_image(np.full((64, 80, 3), 100, np.uint8), rgb=True)
    shelf_of(viewer).put(brightness_model)
    segment = add_segment(viewer)
    choose_model(segment, "brightness")
    assert segment.panel.model_name() == "brightness"
    viewer.window.remove_dock_widget(segment)
    segment.controller.close()
    assert add_segment(viewer).panel.model_name() == "brightness"


def test_the_list_of_rounds_follows_what_segment_shows(desk: Desk, brightness_model: Model) -> None:
    shelf_of(desk.viewer).choose(0)
    segment = add_segment(desk.viewer)
    desk.add_patch()
    desk.keep_round(brightness_model, "first")
    desk.panel.roundUsed.emit(1)
    rounds = desk.panel._rounds
    assert segment.panel.model_name() == "first"
    assert "● first" in rounds.text()
    assert not desk.button("Use in Segment").isEnabled()
    choose_model(segment, "brightness")
    assert segment.panel.model_name() == "brightness"
    assert "●" not in rounds.text()
    assert "in Segment" not in rounds.text()
    desk.press("Use in Segment")
    assert segment.panel.model_name() == "first"
    assert "● first" in rounds.text()
    desk.until(lambda: not desk.widget.controller._previews.is_at_work)
