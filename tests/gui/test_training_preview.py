"""The preview of what a model learns does not hold up the window."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING

import pytest

from helpers.desks import ENDLESS
from napari_mouse_seg import networks
from napari_mouse_seg.events import CheckpointReady
from napari_mouse_seg.plugin._rounds import PREVIEW
from napari_mouse_seg.session import TrainState

if TYPE_CHECKING:
    from pathlib import Path

    from helpers.desks import Desk
    from napari_mouse_seg.networks import Model


def show_checkpoint(desk: Desk, file: Path) -> None:
    """As a training does now and then; waits until that is over."""
    desk.session.checkpoint_ready.emit(CheckpointReady(10, str(file)))
    desk.until(lambda: not desk.widget.controller._previews.is_at_work)


def test_the_model_in_training_is_read_beside_the_main_thread(
    desk: Desk, brightness_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.add_patch()
    on_main: list[bool] = []
    load_model = networks.load_model

    def note(path: Path) -> Model:
        on_main.append(threading.current_thread() is threading.main_thread())
        return load_model(path)

    monkeypatch.setattr(networks, "load_model", note)
    show_checkpoint(desk, brightness_model.path)
    assert on_main == [False]
    assert desk.viewer.layers[PREVIEW].data.any()


@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_checkpoint_that_is_gone_already_is_passed_over(
    desk: Desk, brightness_model: Model, tmp_path: Path, is_damaged: bool
) -> None:
    desk.add_patch()
    file = tmp_path / "checkpoint.safetensors"
    if is_damaged:
        file.write_bytes(brightness_model.path.read_bytes()[:100])
    show_checkpoint(desk, file)
    assert PREVIEW not in desk.viewer.layers
    assert not desk.panel.failure_text()
    assert "preview failed" not in desk.texts()
    shutil.copy(brightness_model.path, file)
    show_checkpoint(desk, file)
    assert desk.viewer.layers[PREVIEW].data.any()


def test_the_layer_is_there_from_the_start_and_goes_if_nothing_came(desk: Desk, brightness_model: Model) -> None:
    paint = desk.add_patch()
    desk.prefill()
    process = desk.train(ENDLESS)
    layer = desk.viewer.layers[PREVIEW]
    assert not layer.data.any()
    assert desk.viewer.layers.selection.active is paint
    show_checkpoint(desk, brightness_model.path)
    assert desk.viewer.layers[PREVIEW] is layer  # Adding one would hold up who paints.
    assert layer.data.any()
    desk.press("Cancel")
    desk.until_idle()
    assert layer in desk.viewer.layers
    desk.viewer.layers.remove(layer)
    process = desk.train(ENDLESS)
    assert PREVIEW in desk.viewer.layers
    desk.press("Cancel")
    desk.until(lambda: desk.session.state is TrainState.IDLE)
    assert PREVIEW not in desk.viewer.layers
    assert not process.is_running()
