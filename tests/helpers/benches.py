"""A session of training on a real project, with a runner that is stepped by hand and a process that is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.projects import SHORT, SIDE
from helpers.runners import FakeRunner
from napari_mouse_seg.events import CheckpointReady, Event, Finished, StepsDone, Validated, Warned
from napari_mouse_seg.plans import RoundPlan
from napari_mouse_seg.projects import Project
from napari_mouse_seg.session import TrainSession, TrainState

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from napari_mouse_seg.plans import RetrainPlan

STEP = StepsDone(1, 3, 0.5, 2.0)


@dataclass
class FakeProcess:
    """Writes the model of a round and tells of it, as the real one does; remembers orders and paint it has seen."""

    folder: Path
    plan: RetrainPlan
    error: Exception | None = None
    orders: list[str] = field(default_factory=list)
    paint: np.ndarray | None = None
    closed: bool = False

    def events(self) -> Generator[Event, None, None]:
        try:
            with Project.open(self.folder) as project:
                self.paint = project.paint("p001")
                number, file = project.next_round_number(), None
                file = project.round_file(number)
            yield Warned("No patch is used for validation.")
            yield STEP
            if self.error is not None:
                raise self.error
            yield Validated(3, 0.5, best=True)
            yield CheckpointReady(3, "preview.safetensors")
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(b"weights")
            yield Finished(RoundPlan(number=number, name=f"discs {number}", base="new:compact", steps=3))
        finally:
            self.closed = True

    def order(self, what: str) -> None:
        self.orders.append(what)


class Bench:
    """A session with everything that it says."""

    def __init__(self) -> None:
        self.runner = FakeRunner()
        self.error: Exception | None = None
        self.processes: list[FakeProcess] = []
        self.session = TrainSession(self.runner, self._make)
        self.heard: list[tuple[str, Any]] = []
        self.states: list[TrainState] = []
        self.n_changes = 0
        for name in (
            "stepped",
            "validated",
            "checkpoint_ready",
            "warned",
            "run_finished",
            "run_failed",
            "save_failed",
            "open_failed",
            "rescued",
        ):
            getattr(self.session, name).connect(lambda value, name=name: self.heard.append((name, value)))
        self.session.run_cancelled.connect(lambda: self.heard.append(("run_cancelled", None)))
        self.session.caught_up.connect(lambda: self.heard.append(("caught_up", None)))
        self.session.paint_saved.connect(lambda event: self.heard.append(("paint_saved", event.patch_id)))
        self.session.state_changed.connect(self.states.append)
        self.session.project_changed.connect(self._count)

    def _make(self, folder: Path, plan: RetrainPlan) -> FakeProcess:
        self.processes.append(FakeProcess(folder, plan, self.error))
        return self.processes[-1]

    def _count(self) -> None:
        self.n_changes += 1

    def finish(self) -> None:
        for task in self.runner.tasks:
            if not task.ended:
                task.finish()

    def open(self, folder: Path) -> None:
        """Open a project and forget how it went."""
        self.session.open(folder)
        self.finish()
        self.runner.tasks.clear()
        self.n_changes = 0

    def of(self, name: str) -> list[Any]:
        return [value for heard, value in self.heard if heard == name]

    def train(self, unsaved: dict[str, np.ndarray] | None = None) -> FakeProcess:
        self.session.train(SHORT, unsaved or {})
        return self.processes[-1]


def paint(label: int) -> np.ndarray:
    return np.full((SIDE, SIDE), label, np.uint32)


def on_disk(bench: Bench, patch_id: str = "p001") -> int:
    """The one label that a patch is painted with."""
    project = bench.session.project
    assert project is not None
    (label,) = np.unique(project.paint(patch_id))
    return int(label)
