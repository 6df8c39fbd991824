"""The state of one viewer: what is chosen, what runs, what was found."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.events import Event, Warned
from napari_mouse_seg.session._choices import Choices
from napari_mouse_seg.session._engine import Engine, PipelineEngine
from napari_mouse_seg.session._messages import Check, Progress, RunState, Summary, in_words
from napari_mouse_seg.session._runs import Merged, Run, decode_regions
from napari_mouse_seg.session._shelf import Shelf
from napari_mouse_seg.session._workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from napari_mouse_seg.images import MultiscaleImage
    from napari_mouse_seg.networks import Model
    from napari_mouse_seg.pipeline import Canvas, SegmentJob
    from napari_mouse_seg.plans import SegmentPlan
    from napari_mouse_seg.session._runner import Runner
    from napari_mouse_seg.tiling import Box

_KEPT = (
    "The labels that you painted in are kept, in a layer whose eye is closed now; what the new settings find has a "
    "layer of its own. With the former settings, or when the new layer is deleted, yours are back."
)
_BACK = "The labels that you painted in are back."


class SegmentSession:
    """Choices, at most one run at a time, and the labels that runs add to.

    All methods are called on the main thread, and all signals are emitted there.

    Parameters
    ----------
    runner
        Does the work elsewhere.
    engine
        What the work is; the pipeline if None.

    Attributes
    ----------
    checked
        The choices changed; carries a ``Check``.
    state_changed
        Carries a ``RunState``.
    progressed
        Carries a ``Progress``.
    workspace_opened
        A new, empty canvas that wants a layer; carries a ``Workspace``.
    workspace_closed
        A ``Workspace`` will not change any more; its labels belong to the user.
    workspace_aside, workspace_resumed
        Another ``Workspace`` of the same scores takes its place for the time being; it is back.
    canvas_changed
        The labels of a ``Workspace`` have changed; its canvas may be another one.
    noted
        Carries what became of labels, in words.
    run_finished
        Carries a ``Summary``.
    run_failed
        Carries the reason in words.
    run_cancelled
        What was finished is kept.
    """

    checked = Signal(Check)
    state_changed = Signal(RunState)
    progressed = Signal(Progress)
    workspace_opened = Signal(Workspace)
    workspace_closed = Signal(Workspace)
    workspace_aside = Signal(Workspace)
    workspace_resumed = Signal(Workspace)
    canvas_changed = Signal(Workspace)
    noted = Signal(str)
    run_finished = Signal(Summary)
    run_failed = Signal(str)
    run_cancelled = Signal()

    def __init__(self, runner: Runner, engine: Engine | None = None) -> None:
        self._runner = runner
        self._engine = engine or PipelineEngine()
        self._choices = Choices(self._engine)
        self._state = RunState.IDLE
        self._shelf = Shelf(
            self._engine,
            self.workspace_opened.emit,
            self.workspace_closed.emit,
            self.workspace_aside.emit,
            self.workspace_resumed.emit,
        )
        self._run: Run | None = None
        self._runs_begun = 0
        self._pending: Callable[[], None] | None = None

    @property
    def state(self) -> RunState:
        """Idle, running or cancelling."""
        return self._state

    @property
    def workspace(self) -> Workspace | None:
        """Scores and labels of the last run; None before the first, and when its labels were given up."""
        return self._shelf.current

    def set_image(self, image: MultiscaleImage | None) -> None:
        """Choose the image; a run on the earlier one is cancelled."""
        if image is not self._choices.image:
            self.cancel()
            self._choices.image = image
            self._check()

    def set_model(self, model: Model | None) -> None:
        """Choose the model."""
        if model is not self._choices.model:
            self._choices.model = model
            self._check()

    def set_plan(self, plan: SegmentPlan) -> None:
        """Choose everything else."""
        if plan != self._choices.plan:
            self._choices.plan = plan
            self._check()

    def job(self) -> SegmentJob | None:
        """Return the job of the full image as chosen; None if something is missing or does not fit."""
        try:
            return self._choices.job(None)
        except MouseSegError:
            return None

    def workspace_here(self) -> Workspace | None:
        """Return scores and labels of the present choices, whatever the thresholds; None if there are none."""
        job = self.job()
        return None if job is None else self._shelf.find(job)

    def segment(self, region: Box | None) -> None:
        """Segment a region of the image, or all of it, and add what is found to the labels.

        Scores that are known are reused. A run at work is cancelled first.

        Parameters
        ----------
        region
            In image pixels; None is the full image.
        """
        self._begin(partial(self._segment_now, region))

    def apply_thresholds(self) -> None:
        """Find the objects of all segmented regions anew from the known scores, if thresholds have changed.

        Waits for a run that computes scores; replaces one that does the same.
        """
        waiting = self._pending is not None and self._pending != self._redecode_now
        if waiting:
            return  # A segmentation that is asked for uses the new thresholds anyway.
        if self._run is None or self._run.only_thresholds:
            self._begin(self._redecode_now)
        else:
            self._pending = self._redecode_now

    def cancel(self) -> None:
        """Stop the run; it answers before its next tile."""
        self._pending = None
        self._stop()

    def mark_edited(self, workspace: Workspace, ids: Iterable[int] = ()) -> None:
        """Note that the user has painted in the labels, with these ids.

        New thresholds then go to labels of their own, until these thresholds are back or those labels are given up.
        """
        workspace.edited = True
        workspace.canvas.claim(set(ids))

    def forget_labels(self, workspace: Workspace) -> None:
        """Give up labels, because their layer is gone; scores are kept. A run that adds to them is cancelled."""
        if self._run is not None and self._run.workspace is workspace:
            self.cancel()
        before = self._shelf.find(workspace.job)
        self._shelf.drop(workspace)
        resumed = self._shelf.find(workspace.job)
        if resumed is not None and resumed is not before:
            self._tell_back(resumed)

    def forget_image(self, image: MultiscaleImage) -> None:
        """Let go of the scores of an image that is gone or has other pixels now; its labels stay with the user."""
        if self._run is not None and self._run.workspace.job.image is image:
            self.cancel()
        self._shelf.forget_image(image)

    def close(self) -> None:
        """End: cancel, and let go of scores and labels. Late answers are dropped."""
        self._pending = None
        if self._run is not None and self._run.task is not None:
            self._run.task.cancel()
        self._run = None
        self._state = RunState.IDLE
        self._choices.image = self._choices.model = None
        self._shelf.clear()

    def _check(self) -> None:
        self.checked.emit(self._choices.check())

    def _begin(self, action: Callable[[], None]) -> None:
        """Do it now, or as soon as the present run has ended."""
        if self._state is RunState.IDLE:
            action()
        else:
            self._stop()
            self._pending = action

    def _segment_now(self, region: Box | None) -> None:
        try:
            job = self._choices.job(region)
            if job is None:
                return
            workspace = self._shelf.open(job)
            if workspace.instances != job.instances and (known := self._shelf.corrected(job)) is not None:
                workspace = self._bring_back(known)
            replace = workspace.instances is not None and workspace.instances != job.instances
            others = [known for known in workspace.with_region(region) if known != region] if replace else []
            jobs = [found for known in others if (found := self._choices.job(known)) is not None]
        except MouseSegError as error:
            self.run_failed.emit(str(error))
            return
        self._start([*jobs, job], workspace, workspace.with_region(region), replace, only_thresholds=False)

    def _redecode_now(self) -> None:
        try:
            present = self._choices.job(None)
            workspace = self._shelf.find(present) if present is not None else None
            if present is None or workspace is None or not workspace.regions:
                return
            if present.instances == workspace.instances:
                return
            if (known := self._shelf.corrected(present)) is not None:
                self._bring_back(known)
                return
            jobs = [job for region in workspace.regions if (job := self._choices.job(region)) is not None]
        except MouseSegError as error:
            self.run_failed.emit(str(error))
            return
        regions = workspace.regions
        self._start(jobs, workspace, regions, replace=True, only_thresholds=True)

    def _start(
        self,
        jobs: list[SegmentJob],
        workspace: Workspace,
        regions: tuple[Box | None, ...],
        replace: bool,
        only_thresholds: bool,
    ) -> None:
        self._runs_begun += 1
        whole_image = jobs[-1].box == jobs[-1].bounds
        run = Run(self._runs_begun, workspace, regions, whole_image, only_thresholds)
        self._run = run
        self._set_state(RunState.RUNNING)
        run.task = self._runner.start(
            decode_regions(self._engine, jobs, workspace, replace),
            partial(self._on_event, run.number),
            partial(self._on_end, run.number),
        )

    def _stop(self) -> None:
        if self._state is RunState.RUNNING and self._run is not None and self._run.task is not None:
            self._set_state(RunState.CANCELLING)
            self._run.task.cancel()

    def _on_event(self, number: int, event: Event) -> None:
        run = self._run
        if run is None or run.number != number:
            return
        if isinstance(event, Merged):
            self._take_in(run, event)
        elif isinstance(event, Warned):
            run.note(event.message)
        elif self._state is RunState.RUNNING and (progress := run.meter.update(event)) is not None:
            self.progressed.emit(progress)

    def _take_in(self, run: Run, event: Merged) -> None:
        workspace = run.workspace
        if self._shelf.find(workspace.job) is not workspace:
            return  # Its layer or its image has gone meanwhile.
        if event.canvas is not None and workspace.edited:
            workspace = run.workspace = self._put_beside(workspace, event.result.job, event.canvas)
            run.remark = _KEPT
        elif event.canvas is not None:
            workspace.canvas = event.canvas
        elif event.merge is not None:
            workspace.canvas.apply(event.merge)
        workspace.regions, workspace.instances = run.regions, event.result.job.instances
        workspace.device = event.result.device
        run.end(event.result)
        self.canvas_changed.emit(workspace)

    def _put_beside(self, painted: Workspace, job: SegmentJob, canvas: Canvas[Any]) -> Workspace:
        """Leave what the user painted as it is; the objects of the new thresholds get labels of their own."""
        spare = self._shelf.spare(job)
        if spare is None:
            return self._shelf.show(Workspace(job, painted.cache, canvas))
        spare.canvas = canvas
        return self._shelf.resume(spare)

    def _bring_back(self, painted: Workspace) -> Workspace:
        """Show what the user painted again, because the thresholds are those that it was made with."""
        self._tell_back(self._shelf.resume(painted))
        return painted

    def _tell_back(self, painted: Workspace) -> None:
        self.canvas_changed.emit(painted)
        self.noted.emit(_BACK)

    def _on_end(self, number: int, error: Exception | None) -> None:
        run = self._run
        if run is None or run.number != number:
            return
        self._run = None
        pending, self._pending = self._pending, None
        self._set_state(RunState.IDLE)
        if error is not None:
            self.run_failed.emit(in_words(error, "The run"))
        elif run.outcome is not None:
            self.run_finished.emit(run.outcome)
        elif pending is None:
            self.run_cancelled.emit()
        if pending is not None:
            pending()

    def _set_state(self, state: RunState) -> None:
        if state is not self._state:
            self._state = state
            self.state_changed.emit(state)
