"""The state of training in one viewer: the project, its paint on the way to the disk, and the round at work."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_mouse_seg.errors import MouseSegError, ProjectError, TrainingError
from napari_mouse_seg.events import CheckpointReady, Event, StepsDone, Validated, Warned
from napari_mouse_seg.plans import PatchPlan, RoundPlan
from napari_mouse_seg.session._known_paint import KnownPaint
from napari_mouse_seg.session._messages import in_words
from napari_mouse_seg.session._opening import Opening
from napari_mouse_seg.session._paint import PaintSaved, PaintSummary
from napari_mouse_seg.session._readiness import paint_problem
from napari_mouse_seg.session._round import RoundAtWork, TrainState
from napari_mouse_seg.session._saving import ProjectSaving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from napari_mouse_seg.plans import ProjectPlan, RetrainPlan
    from napari_mouse_seg.projects import Project
    from napari_mouse_seg.session._round import Process
    from napari_mouse_seg.session._runner import Runner


_OPENING = "The project is still being opened; wait a moment."


class TrainSession:
    """One project at most, one round of training at a time.

    All methods are called on the main thread, and all signals are emitted there.

    Parameters
    ----------
    runner
        Does the work elsewhere.
    new_process
        Makes the process of a round; one of the operating system's if None.

    Attributes
    ----------
    project_changed
        Another project, or other patches, rounds or settings.
    leaving
        The project is about to be closed; what is painted in it can still be saved.
    opened, open_failed
        What ``open`` was asked for; the latter carries the reason in words.
    paint_saved
        Carries a ``PaintSaved``.
    state_changed
        Carries a ``TrainState``.
    stepped, validated, checkpoint_ready
        Carry the events of the round at work.
    warned
        Carries words.
    run_finished
        Carries the ``RoundPlan`` that was added.
    run_failed, save_failed
        Carry the reason in words.
    caught_up
        What could not be saved before is on the disk now.
    rescued
        The project was left, and its folder did not take everything; carries in words where that is now.
    run_cancelled
        The project is as it was.
    """

    project_changed = Signal()
    leaving = Signal()
    opened = Signal()
    open_failed = Signal(str)
    paint_saved = Signal(PaintSaved)
    state_changed = Signal(TrainState)
    stepped = Signal(StepsDone)
    validated = Signal(Validated)
    checkpoint_ready = Signal(CheckpointReady)
    warned = Signal(str)
    run_finished = Signal(RoundPlan)
    run_failed = Signal(str)
    save_failed = Signal(str)
    caught_up = Signal()
    rescued = Signal(str)
    run_cancelled = Signal()

    def __init__(self, runner: Runner, new_process: Callable[[Path, RetrainPlan], Process] | None = None) -> None:
        self._runner = runner
        self._project: Project | None = None
        self._opening: Opening | None = None
        self._saving = ProjectSaving(runner)
        self._saving.saved.connect(self._on_saved)
        self._saving.listed.connect(self._on_listed)
        self._saving.failed.connect(self.save_failed.emit)
        self._saving.not_listed.connect(self.run_failed.emit)
        self._saving.caught_up.connect(self.caught_up.emit)
        self._saving.rescued.connect(self.rescued.emit)
        self._known = KnownPaint(self._saving.unsaved)
        self._round = RoundAtWork(runner, new_process)
        self._round.state_changed.connect(self.state_changed.emit)
        self._round.reported.connect(self._on_event)
        self._round.done.connect(self._saving.keep)
        self._round.failed.connect(self._on_round_failed)
        self._round.cancelled.connect(self._on_round_cancelled)

    @property
    def project(self) -> Project | None:
        """The open project."""
        return self._project

    @property
    def state(self) -> TrainState:
        """What the round is doing."""
        return self._round.state

    @property
    def is_opening(self) -> bool:
        """Whether a project is on its way from the disk."""
        return self._opening is not None

    @property
    def is_behind(self) -> bool:
        """Whether something could not be saved and waits for ``retry_unsaved``, the next save or the project's end."""
        return self._saving.is_behind

    def summary(self, patch_id: str) -> PaintSummary:
        """Return how much of a patch is painted."""
        return self._known.summary(self._opened(), patch_id)

    def paint(self, patch_id: str) -> NDArray[Any]:
        """Return the newest (Y, X) paint of a patch, also if it is not on the disk yet; not to be changed."""
        return self._known.paint(self._opened(), patch_id)

    def open(self, folder: Path, check: Callable[[Project], None] | None = None) -> None:
        """Open a project beside the main thread; it takes the place of the present one, which stays if that fails.

        Parameters
        ----------
        folder
            Of the project.
        check
            Raises an error in words if the project is not to be taken; called beside the main thread.

        Raises
        ------
        TrainingError
            If a round is at work.
        """
        self.search(lambda: folder, check)

    def search(self, find: Callable[[], Path | None], check: Callable[[Project], None] | None = None) -> None:
        """Open the project that is found, as ``open`` does; where none is, the present one stays.

        Parameters
        ----------
        find
            Returns the folder, or None; called beside the main thread.
        check
            As for ``open``.

        Raises
        ------
        TrainingError
            If a round is at work.
        """
        self._check_idle()
        self._drop_opening()
        project = self._project
        present = None if project is None or project.read_only else project.folder
        opening = self._opening = Opening(find, check, present)
        self._runner.start(opening.events(), _listen_not, partial(self._on_open_end, opening))

    def create(self, folder: Path, plan: ProjectPlan) -> None:
        """Make a project and open it.

        Raises
        ------
        ProjectError
            If the folder holds one already or cannot be written to, or a round is at work.
        """
        from napari_mouse_seg.projects import Project

        self._check_idle()
        self._check_no_opening()
        self._take(Project.create(folder, plan), {})

    def close(self) -> None:
        """End the round, save what is unsaved, and let go of the project, also of one that is being opened."""
        self._round.close()
        self._drop_opening()
        self._let_go()

    def update(self, **changes: Any) -> None:  # Any: the fields of the project's plan
        """Change settings of the project."""
        project = self._opened()
        project.update(labels_of=partial(self._known.labels, project), **changes)
        self.project_changed.emit()

    def add_patch(self, pixels: NDArray[Any], box: tuple[int, int, int, int]) -> PatchPlan:
        """Add a patch of (C, Y, X) raw pixels at a place on the network's grid."""
        project = self._opened()
        patch_id = project.next_patch_id()
        patch = PatchPlan(id=patch_id, name=f"Patch {int(patch_id[1:])}", box=box)
        project.add_patch(pixels, patch)
        self._known.note(patch_id, PaintSummary(0.0, 0, False))
        self.project_changed.emit()
        return patch

    def update_patch(self, patch: PatchPlan) -> None:
        """Change what a patch is used for or how its paint is read."""
        self._opened().update_patch(patch)
        self.project_changed.emit()

    def delete_patch(self, patch_id: str) -> None:
        """Take a patch out; its files are kept in the project's trash."""
        self._opened().delete_patch(patch_id)
        self._known.forget(patch_id)
        self._saving.forget(patch_id)
        self.project_changed.emit()

    def rename_round(self, number: int, name: str) -> None:
        """Give a round's model another name."""
        project = self._opened()
        entry = next((entry for entry in project.plan.rounds if entry.number == number), None)
        if entry is None:
            raise ProjectError(f"There is no round {number} in the project.")
        project.update_round(entry.replace(name=name))
        self.project_changed.emit()

    def delete_round(self, number: int) -> None:
        """Take a round out; its model is kept in the project's trash."""
        self._opened().delete_round(number)
        self.project_changed.emit()

    def save_paint(self, patch_id: str, paint: NDArray[Any]) -> None:
        """Bring paint to the disk beside the main thread, and what could not be written before.

        Parameters
        ----------
        patch_id
            Of the patch.
        paint
            (Y, X) labels that do not change any more.
        """
        if self._project is not None and not self._project.read_only:
            self._known.put(patch_id, paint)
            self._saving.save()

    def retry_unsaved(self) -> None:
        """Try again to save what could not be saved, paint beside the main thread; that it fails again is not told."""
        self._saving.retry()

    def save_now(self) -> None:
        """Bring what is not on the disk yet there before this returns."""
        self._saving.save_now()

    def problem(self) -> str:
        """Return why training cannot start, in words; empty if it can as far as is known without reading files."""
        project = self._project
        if self._opening is not None:
            return _OPENING
        if project is None:
            return "Add a patch and paint in it first."
        if project.read_only:
            return project.read_only_reason
        if self._round.state is not TrainState.IDLE:
            return "A round is at work; wait for it, stop it or cancel it."
        return paint_problem(project, self.summary)

    def train(self, plan: RetrainPlan, unsaved: dict[str, NDArray[Any]]) -> None:
        """Save what is unsaved, then train a round on the project as it is on the disk; saves also if it cannot begin.

        Parameters
        ----------
        plan
            How.
        unsaved
            (Y, X) paint by patch, which does not change any more.

        Raises
        ------
        ProjectError
            If the plan cannot be written.
        TrainingError
            If a round is at work, or a project on its way from the disk.
        """
        project = self._opened()
        for patch_id, paint in ({} if project.read_only else unsaved).items():
            self._known.put(patch_id, paint)
        try:
            self._check_idle()
            self._check_no_opening()
            project.update(retrain=plan)
        except MouseSegError:
            self._saving.save()
            raise
        self._round.begin(project, plan, self._saving.unsaved)

    def pause(self, paused: bool) -> None:
        """Hold the round after its present step, or let it go on."""
        self._round.pause(paused)

    def stop(self) -> None:
        """End the round after its present step and keep what is best."""
        self._round.stop()

    def cancel(self) -> None:
        """End the round and forget it."""
        self._round.cancel()

    def _on_open_end(self, opening: Opening, error: Exception | None) -> None:
        if opening is not self._opening:
            opening.abandon()
            return
        self._opening = None
        project = opening.take()
        if project is not None:
            self._take(project, opening.summaries)
            self.opened.emit()
        elif error is not None:
            self.open_failed.emit(in_words(error, "Opening the project"))
        else:
            self.project_changed.emit()  # None was found: the first patch begins one.

    def _drop_opening(self) -> None:
        if self._opening is not None:
            self._opening.abandon()
            self._opening = None

    def _take(self, project: Project, summaries: dict[str, PaintSummary]) -> None:
        self._let_go()
        self._project = project
        self._saving.follow(project)
        self._known.begin(summaries)
        self.project_changed.emit()

    def _let_go(self) -> None:
        project = self._project
        if project is not None:
            self.leaving.emit()
        self._saving.leave()
        self._known.begin({})
        if project is not None:
            project.close()
            self._project = None

    def _opened(self) -> Project:
        if self._project is None:
            raise ProjectError("There is no project yet; add a patch first.")
        return self._project

    def _check_idle(self) -> None:
        if self._round.state is not TrainState.IDLE:
            raise TrainingError("A round is at work; stop or cancel it first.")

    def _check_no_opening(self) -> None:
        if self._opening is not None:
            raise TrainingError(_OPENING)

    def _on_saved(self, event: PaintSaved) -> None:
        self._known.note(event.patch_id, event.summary)
        self.paint_saved.emit(event)

    def _on_listed(self, done: RoundPlan) -> None:
        self.project_changed.emit()
        self.run_finished.emit(done)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, PaintSaved) and self._project is not None:
            self._saving.note_saved(event)
        elif isinstance(event, StepsDone):
            self.stepped.emit(event)
        elif isinstance(event, Validated):
            self.validated.emit(event)
        elif isinstance(event, CheckpointReady):
            self.checkpoint_ready.emit(event)
        elif isinstance(event, Warned):
            self.warned.emit(event.message)

    def _on_round_failed(self, reason: str) -> None:
        self._saving.note_failure()
        self.run_failed.emit(reason)

    def _on_round_cancelled(self) -> None:
        self._saving.save()
        self.run_cancelled.emit()


def _listen_not(_event: Event) -> None:
    """Wait for the end."""
