"""A round of training as a session sees it: a process elsewhere, and what it is doing."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from typing import Literal

    from napari_mouse_seg.events import Event
    from napari_mouse_seg.plans import RetrainPlan
    from napari_mouse_seg.projects import Project
    from napari_mouse_seg.session._paint import UnsavedPaint


class TrainState(Enum):
    """What the round is doing."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    CANCELLING = "cancelling"


class Process(Protocol):
    """A round at work elsewhere; see ``pipeline.TrainingProcess``."""

    def events(self) -> Generator[Event, None, None]:
        """Start it and report what it does."""

    def order(self, what: Literal["pause", "resume", "stop"]) -> None:
        """Tell it something."""


def new_process(folder: Path, plan: RetrainPlan) -> Process:
    from napari_mouse_seg.pipeline import TrainingProcess

    return TrainingProcess(folder, plan)


def save_and_train(project: Project, unsaved: UnsavedPaint, process: Process) -> Generator[Event, None, None]:
    """Bring paint to the disk, then let a process learn from it."""
    yield from unsaved.write(project)
    yield from process.events()
