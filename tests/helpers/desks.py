"""A user at a napari viewer with the panel *Train* docked."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QLabel

from helpers.hands import Hands
from napari_mouse_seg.plans import RetrainPlan, RoundPlan
from napari_mouse_seg.plugin._model_shelf import shelf_of
from napari_mouse_seg.plugin._train_panel import TrainWidget
from napari_mouse_seg.session import TrainState
from napari_mouse_seg.widgets._patch_list import PatchList

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer
    from napari.layers import Image, Labels
    from pytestqt.qtbot import QtBot

    from napari_mouse_seg.networks import Model
    from napari_mouse_seg.projects import Project

LONG_MS = 240_000  # A process is started and loads torch, on a slow machine as well; only a hang takes this long.
PROMISED_MS = 2000  # Of strokes, no more than this is lost.
SHORT = RetrainPlan(steps=3, crop_px=64, batch_size=1, device="cpu", threads=1)
ENDLESS = SHORT.replace(steps=100_000)
MIDDLE = (192.0, 256.0)  # Image pixel.
SEEN_PX = 240.0  # Image pixels on the canvas from top to bottom.
_STILL_TURNS = 10


class Desk:
    """A viewer with one image and the panel docked, and a user at it."""

    def __init__(self, viewer: Viewer, qtbot: QtBot, path: Path, models: tuple[Model, ...], **placed: Any) -> None:
        self.viewer, self.qtbot, self.hands = viewer, qtbot, Hands(viewer)
        *_, self.image = viewer.open(path, plugin="napari-mouse-seg", **placed)  # The last is seen.
        shelf = shelf_of(viewer)
        for known in shelf.models:
            shelf.take_out(known)
        for model in models:
            shelf.put(model)
        self.widget = TrainWidget(viewer)
        viewer.window.add_dock_widget(self.widget, name="Train")
        self.panel, self.session = self.widget.panel, self.widget.controller.session
        self.until_still(lambda: tuple(viewer.canvas.size))  # The panel takes its place beside the canvas.
        self.until(lambda: not self.session.is_opening)
        self.look(MIDDLE)

    def look(self, centre: tuple[float, float]) -> None:
        """Show the surroundings of an image pixel."""
        height = self.viewer.canvas.size[0]
        pixel = np.linalg.norm(np.subtract(self.image.data_to_world((1, 0)), self.image.data_to_world((0, 0))))
        self.viewer.scene.camera.center = (0.0, *self.image.data_to_world(centre))
        self.viewer.scene.camera.zoom = height / (SEEN_PX * pixel)

    def keep_round(self, model: Model, name: str, number: int = 1) -> Path:
        """Put a model into the project as a finished round; return its file."""
        file = self.project.round_file(number)
        file.parent.mkdir(exist_ok=True)
        shutil.copy(model.path, file)
        self.project.add_round(RoundPlan(number=number, name=name, base=model.card.name))
        return file

    def button(self, text: str) -> QAbstractButton:
        buttons = self.widget.findChildren(QAbstractButton)
        (found,) = [one for one in buttons if one.text() == text and one.isVisibleTo(self.widget)]
        return found

    def press(self, text: str) -> None:
        """Click a button as a user does, once it is on."""
        target = self.button(text)
        self.until(target.isEnabled)
        self.qtbot.mouseClick(target, Qt.MouseButton.LeftButton)

    def until(self, condition: Callable[[], Any], timeout_ms: int = LONG_MS) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=timeout_ms)

    def until_still(self, seen: Callable[[], Any]) -> None:
        """Wait until what is seen has stayed the same for some turns of the event loop, however long these take."""
        past: list[Any] = []

        def is_still() -> bool:
            past.append(seen())
            last = past[-_STILL_TURNS:]
            return len(last) == _STILL_TURNS and all(one == last[0] for one in last)

        self.until(is_still)

    @property
    def is_at_work(self) -> bool:
        """Whether a patch is being cut out or filled in; its end comes after what it brings."""
        return bool(self.widget.controller.desk.at_work)

    def add_patch(self, centre: tuple[float, float] = MIDDLE) -> Labels:
        """Add a patch at an image pixel and return its paint."""
        self.look(centre)
        before = [layer.name for layer in self.paints()]
        self.press("Add patch here")
        self.until(lambda: self.paints() and [layer.name for layer in self.paints()] != before)
        self.until(lambda: not self.is_at_work)
        return self.paint

    def paints(self) -> list[Labels]:
        return [layer for layer in self.viewer.layers if layer.name.endswith("(paint)")]

    @property
    def paint(self) -> Labels:
        (found,) = self.paints()
        return found

    @property
    def pixels(self) -> Image:
        (found,) = [layer for layer in self.viewer.layers if layer.name.endswith("(pixels)")]
        return found

    @property
    def project(self) -> Project:
        assert self.session.project is not None
        return self.session.project

    def choose(self, row: int) -> None:
        """Click a patch in the list."""
        (patches,) = self.widget.findChildren(PatchList)
        where = patches.visualItemRect(patches.item(row)).center()
        self.qtbot.mouseClick(patches.viewport(), Qt.MouseButton.LeftButton, pos=where)

    def saved(self, patch_id: str = "p001") -> np.ndarray:
        return self.project.paint(patch_id)

    def until_saved(self, patch_id: str = "p001") -> None:
        """Wait until the disk has what the layer shows."""
        self.until_kept(lambda: np.array_equal(self.saved(patch_id), np.squeeze(self.paint.data)))

    def until_kept(self, condition: Callable[[], Any]) -> None:
        """Wait for what comes of the next saving, which must begin as soon as is promised.

        How long the disk takes then depends on the machine.
        """
        assert self.widget.controller.desk._timer.remainingTime() <= PROMISED_MS
        self.until(condition)

    def texts(self) -> str:
        return "\n".join(label.text() for label in self.widget.findChildren(QLabel) if label.isVisibleTo(self.widget))

    def prefill(self) -> None:
        self.press("Prefill with model")
        self.until(lambda: not self.is_at_work)
        assert (np.asarray(self.paint.data) > 1).any(), self.panel.failure_text()
        self.until_saved()

    def train(self, plan: RetrainPlan) -> psutil.Process:
        """Press Train and return the process, once it has made a step."""
        self.panel.set_plan(plan)
        steps: list[object] = []
        self.session.stepped.connect(steps.append)
        found: list[psutil.Process] = []
        self.press("Train")
        self.until(lambda: found.extend(workers()) or found)  # A short training may be over once its step is heard of.
        self.until(lambda: steps)
        (process,) = found
        return process

    def until_idle(self) -> None:
        self.until(lambda: self.session.state is TrainState.IDLE)


def workers() -> list[psutil.Process]:
    """Processes that train."""
    return [one for one in psutil.Process().children() if "napari_mouse_seg.pipeline._worker" in one.cmdline()]
