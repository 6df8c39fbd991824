"""Which model Segment shows, and that Train knows it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QPushButton

from helpers.scenes import stained_section
from napari_mouse_seg import networks
from napari_mouse_seg.plugin._model_shelf import shelf_of
from napari_mouse_seg.plugin._segment_panel import SegmentWidget
from napari_mouse_seg.widgets import _dialogs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from helpers.desks import Desk
    from napari_mouse_seg.networks import Model

HISTOLOGY = "nuclei-histology"
LIMIT_S = 240


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
    viewer.add_image(stained_section(), rgb=True)
    if is_trained:
        shelf = shelf_of(viewer)
        shelf.choose(shelf.put(brightness_model))  # As a training does at its end.
    segment = add_segment(viewer)  # Afterwards.
    assert segment.panel.model_name() == ("brightness" if is_trained else HISTOLOGY)


def test_a_model_chosen_by_hand_is_still_chosen_when_the_panel_is_opened_again(
    make_napari_viewer: Callable[..., Viewer], brightness_model: Model
) -> None:
    viewer = make_napari_viewer()
    viewer.add_image(stained_section(), rgb=True)
    shelf_of(viewer).put(brightness_model)
    segment = add_segment(viewer)
    choose_model(segment, "brightness")
    assert segment.panel.model_name() == "brightness"
    viewer.window.remove_dock_widget(segment)
    segment.controller.close()
    assert add_segment(viewer).panel.model_name() == "brightness"


def test_a_model_is_opened_from_a_file(
    make_napari_viewer: Callable[..., Viewer],
    brightness_model: Model,
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    segment = add_segment(make_napari_viewer())
    (button,) = [one for one in segment.findChildren(QPushButton) if one.text() == "Open…"]
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(brightness_model.path.read_bytes()[:100])
    answers = iter([None, damaged, brightness_model.path])
    monkeypatch.setattr(_dialogs, "ask_file", lambda *_: next(answers))
    before = segment.panel.model_name()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)  # And given up.
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "damaged.safetensors" in segment.panel.failure_text(), timeout=20_000)
    assert segment.panel.model_name() == before
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: segment.panel.model_name() == "brightness", timeout=20_000)
    assert segment.panel.failure_text() == ""


def test_the_list_of_rounds_follows_what_segment_shows(desk: Desk, brightness_model: Model) -> None:
    shelf_of(desk.viewer).choose(0)
    segment = add_segment(desk.viewer)
    desk.add_patch()
    desk.keep_round(brightness_model, "first")
    desk.panel.roundUsed.emit(1)
    rounds = desk.panel._rounds
    desk.until(lambda: segment.panel.model_name() == "first")
    desk.until(lambda: "● first" in rounds.text())
    assert not desk.button("Use in Segment").isEnabled()
    choose_model(segment, "brightness")
    assert segment.panel.model_name() == "brightness"
    assert "●" not in rounds.text()
    assert "in Segment" not in rounds.text()
    desk.press("Use in Segment")
    assert segment.panel.model_name() == "first"
    assert "● first" in rounds.text()
    desk.until(lambda: not desk.widget.controller._previews.is_at_work)


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, list[threading.Thread]]]:
    """Return what lets model files be read, and the threads that have done so."""
    gate, readers, load = threading.Event(), list[threading.Thread](), networks.load_model

    def wait_and_load(path: Path) -> Model:
        readers.append(threading.current_thread())
        gate.wait(LIMIT_S)
        return load(path)

    monkeypatch.setattr(networks, "load_model", wait_and_load)
    yield gate, readers
    gate.set()


@pytest.mark.parametrize("is_left", [False, True], ids=["in its project", "left"])
def test_a_new_round_is_read_beside_the_main_thread_and_used_in_any_case(
    desk: Desk, brightness_model: Model, reading: tuple[threading.Event, list[threading.Thread]], is_left: bool
) -> None:
    gate, readers = reading
    shelf_of(desk.viewer).choose(0)
    segment = add_segment(desk.viewer)
    desk.add_patch()
    desk.keep_round(brightness_model, "first")
    desk.widget.controller._rounds.use(1)  # As at the end of a training.
    assert segment.panel.model_name() == "brightness"
    desk.until(lambda: readers)
    assert readers[0] is not threading.main_thread()
    if is_left:
        desk.viewer.layers.remove(desk.image)
        assert desk.session.project is None
    gate.set()
    desk.until(lambda: segment.panel.model_name() == "first")
    desk.until(lambda: not desk.widget.controller._previews.is_at_work)
