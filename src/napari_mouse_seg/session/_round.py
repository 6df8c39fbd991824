"""A round of training as a session sees it: a process elsewhere, and what it is doing."""

from __future__ import annotations

from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Protocol

from psygnal import Signal

from napari_mouse_seg.events import Event, Finished
from napari_mouse_seg.plans import RoundPlan
from napari_mouse_seg.session._messages import in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path
    from typing import Literal

    from napari_mouse_seg.plans import RetrainPlan
    from napari_mouse_seg.projects import Project
    from napari_mouse_seg.session._paint import UnsavedPaint
    from napari_mouse_seg.session._runner import Runner, RunningTask


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


class RoundAtWork:
    """At most one round: its process, what it is doing, and how it ends.

    All methods are called on the main thread, and all signals are emitted there.

    Parameters
    ----------
    runner
        Listens to the process elsewhere.
    new_process
        Makes the process of a round; one of the operating system's if None.

    Attributes
    ----------
    state_changed
        Carries a ``TrainState``.
    reported
        Carries an ``Event`` on the way to the end.
    done
        Carries the ``RoundPlan`` of a round that ended well; its model is on the disk.
    failed
        Carries the reason in words.
    cancelled
        There is nothing to keep.
    """

    state_changed = Signal(TrainState)
    reported = Signal(Event)
    done = Signal(RoundPlan)
    failed = Signal(str)
    cancelled = Signal()

    def __init__(self, runner: Runner, new_process: Callable[[Path, RetrainPlan], Process] | None) -> None:
        self._runner = runner
        self._new_process = new_process or _new_process
        self._state = TrainState.IDLE
        self._process: Process | None = None
        self._task: RunningTask | None = None
        self._result: RoundPlan | None = None

    @property
    def state(self) -> TrainState:
        """What the round is doing."""
        return self._state

    def begin(self, project: Project, plan: RetrainPlan, unsaved: UnsavedPaint) -> None:
        """Bring paint to the disk, and train on the project as it is there; only while there is no round."""
        self._result = None
        process = self._process = self._new_process(project.folder, plan)
        self._set_state(TrainState.RUNNING)
        self._task = self._runner.start(
            save_and_train(project, unsaved, process), partial(self._on_event, process), partial(self._on_end, process)
        )

    def pause(self, paused: bool) -> None:
        """Hold the round after its present step, or let it go on."""
        if self._process is not None and self._state in (TrainState.RUNNING, TrainState.PAUSED):
            self._process.order("pause" if paused else "resume")
            self._set_state(TrainState.PAUSED if paused else TrainState.RUNNING)

    def stop(self) -> None:
        """End the round after its present step and keep what is best."""
        if self._process is not None and self._state in (TrainState.RUNNING, TrainState.PAUSED):
            self._process.order("stop")
            self._set_state(TrainState.STOPPING)

    def cancel(self) -> None:
        """End the round and forget it."""
        if self._task is not None and self._state is not TrainState.IDLE:
            self._set_state(TrainState.CANCELLING)
            self._task.cancel()

    def close(self) -> None:
        """Cancel, and drop late answers."""
        self.cancel()
        self._task = self._process = None
        self._state = TrainState.IDLE

    def _on_event(self, process: Process, event: Event) -> None:
        if process is not self._process:
            return
        if isinstance(event, Finished):
            self._result = event.result
        else:
            self.reported.emit(event)

    def _on_end(self, process: Process, error: Exception | None) -> None:
        if process is not self._process:
            return
        self._process = self._task = None
        is_cancelled = self._state is TrainState.CANCELLING
        self._set_state(TrainState.IDLE)
        if self._result is not None and error is None:
            self.done.emit(self._result)
        elif error is not None and not is_cancelled:
            self.failed.emit(in_words(error, "Training"))
        else:
            self.cancelled.emit()

    def _set_state(self, state: TrainState) -> None:
        if state is not self._state:
            self._state = state
            self.state_changed.emit(state)


def _new_process(folder: Path, plan: RetrainPlan) -> Process:
    from napari_mouse_seg.pipeline import TrainingProcess

    return TrainingProcess(folder, plan)


def save_and_train(project: Project, unsaved: UnsavedPaint, process: Process) -> Generator[Event, None, None]:
    """Bring paint to the disk, then let a process learn from it."""
    yield from unsaved.write(project)
    yield from process.events()
