"""How well the labels of a workspace agree with others, kept current, and the search for thresholds that agree best."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_mouse_seg.errors import PlanError
from napari_mouse_seg.events import Event, Finished
from napari_mouse_seg.session._messages import in_words

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_mouse_seg.metrics import InstanceScores
    from napari_mouse_seg.pipeline import PlacedLabels, Truth
    from napari_mouse_seg.plans import InstancesPlan
    from napari_mouse_seg.session._runner import Runner, RunningTask
    from napari_mouse_seg.session._workspace import Workspace


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What to compare with what.

    Attributes
    ----------
    workspace
        Scores, labels, and which regions have them.
    labels
        Known to be right.
    centre
        Pixel of the network's grid around which to look where there is too much; None for the middle.
    """

    workspace: Workspace
    labels: PlacedLabels
    centre: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """How well labels agree.

    Attributes
    ----------
    objects
        Counts and scores; None for areas.
    areas
        Intersection over union by the name of the class; empty for objects.
    n_cut
        True objects that are left out because an edge cuts them.
    shape
        Rows and columns that were compared, in pixels of the network's grid.
    is_cropped
        Whether more could have been compared.
    """

    objects: InstanceScores | None
    areas: tuple[tuple[str, float], ...]
    n_cut: int
    shape: tuple[int, int]
    is_cropped: bool

    @property
    def score(self) -> str:
        """The scores, for people; a line each."""
        if self.objects is None:
            mean = sum(score for _, score in self.areas) / max(1, len(self.areas))
            return f"Mean IoU {mean:.2f} over {_count(len(self.areas), 'class', 'classes')}"
        if self.objects.n_truth == 0:
            return "No object of these labels lies whole in what was segmented"
        return f"F1 {self.objects.at('f1', 0.5):.2f} at IoU 0.5\n{self.mean_f1:.2f} mean over 0.50–0.95"

    @property
    def details(self) -> str:
        """Where it disagrees, for people."""
        if self.objects is None:
            return " · ".join(f"{name} {score:.2f}" for name, score in self.areas)
        found = self.objects
        errors = f"{found.misses} missed, {found.extras} extra, {found.splits} split, {found.merges} merged"
        return f"{errors}, over {_count(found.n_truth, 'object', 'objects')}"

    @property
    def remarks(self) -> str:
        """What was left out, for people; empty if nothing was."""
        remarks = []
        if self.n_cut:
            remarks.append(f"{_count(self.n_cut, 'object', 'objects')} cut by the edge left out.")
        if self.is_cropped:
            remarks.append(f"Only {self.shape[0]:,} × {self.shape[1]:,} px around the middle of the view are compared.")
        return " ".join(remarks)

    @property
    def mean_f1(self) -> float:
        """Over ten IoU thresholds; 0 for areas."""
        from napari_mouse_seg.pipeline import mean_f1

        return 0.0 if self.objects is None else mean_f1(self.objects)


class Sampled:
    """The truth that was sampled last: it stays the same while thresholds move."""

    def __init__(self) -> None:
        self._last: tuple[PlacedLabels, tuple[object, ...], Truth] | None = None

    def read(self, question: Question) -> Truth:
        """Return what is known of the workspace's regions.

        Raises
        ------
        ImageError
            If the labels lie beside them.
        """
        from napari_mouse_seg.pipeline import read_truth, segmented_boxes

        job, regions, last = question.workspace.job, question.workspace.regions, self._last
        key = (job.key, regions)
        if last is not None and last[0] is question.labels and last[1] == key and not last[2].is_cropped:
            return last[2]
        truth = read_truth(question.labels, segmented_boxes(job, regions), job.bounds, question.centre)
        self._last = question.labels, key, truth
        return truth


class Tuning:
    """Answers the latest question, and searches at most once at a time.

    All methods are called on the main thread, and all signals are emitted there.

    Parameters
    ----------
    runner
        Does the work elsewhere.

    Attributes
    ----------
    compared
        Carries a ``Comparison``.
    not_compared
        Carries in words why there is nothing to compare.
    tried
        The search goes on; carries a ``pipeline`` event ``Tried``.
    found
        The search has ended well; carries a ``pipeline`` ``Tuned``.
    search_failed
        Carries the reason in words.
    search_ended
        Always the last word of a search, cancelled or not.
    """

    compared = Signal(object)
    not_compared = Signal(str)
    tried = Signal(object)
    found = Signal(object)
    search_failed = Signal(str)
    search_ended = Signal()

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._sampled = Sampled()
        self._asked = 0
        self._waiting: Question | None = None
        self._comparing: RunningTask | None = None
        self._searching: RunningTask | None = None

    @property
    def is_searching(self) -> bool:
        """Whether a search is at work."""
        return self._searching is not None

    def compare(self, question: Question) -> None:
        """Answer a question as soon as the one before is answered; of those that wait only the last counts."""
        self._waiting = question
        self._next()

    def forget(self) -> None:
        """Drop all questions and what is still to be said to them, and cancel the search."""
        self._asked += 1
        self._waiting = None
        self._sampled = Sampled()
        self.cancel_search()

    def find_best(self, question: Question, start: InstancesPlan) -> None:
        """Search thresholds that agree best; a search at work goes on instead."""
        if self._searching is None:
            self._searching = self._runner.start(
                search(question, start, self._sampled), self._on_search, self._on_search_end
            )

    def cancel_search(self) -> None:
        """Stop the search; nothing changes."""
        if self._searching is not None:
            self._searching.cancel()

    def _next(self) -> None:
        if self._comparing is not None or self._waiting is None:
            return
        question, self._waiting = self._waiting, None
        self._asked += 1
        number = self._asked
        self._comparing = self._runner.start(
            answer(question, self._sampled), partial(self._on_answer, number), partial(self._on_answer_end, number)
        )

    def _on_answer(self, number: int, event: Event) -> None:
        if number == self._asked and isinstance(event, Finished):
            self.compared.emit(event.result)

    def _on_answer_end(self, number: int, error: Exception | None) -> None:
        self._comparing = None
        if error is not None and number == self._asked:
            self.not_compared.emit(in_words(error, "The comparison"))
        self._next()

    def _on_search(self, event: Event) -> None:
        if isinstance(event, Finished):
            self.found.emit(event.result)
        else:
            self.tried.emit(event)

    def _on_search_end(self, error: Exception | None) -> None:
        self._searching = None
        if error is not None:
            self.search_failed.emit(in_words(error, "The search"))
        self.search_ended.emit()


def answer(question: Question, sampled: Sampled) -> Generator[Event, None, None]:
    """Compare what a workspace's canvas holds; the last event is ``Finished`` with a ``Comparison``.

    Raises
    ------
    ImageError
        If the labels lie beside what was segmented, or cannot be read.
    """
    import numpy as np

    from napari_mouse_seg.pipeline import CONTEXT_PX, compare_areas, compare_objects

    workspace = question.workspace
    truth = sampled.read(question)
    # A copy: the main thread goes on writing.
    at = truth.box.grow(CONTEXT_PX).intersect(workspace.job.bounds)
    found = np.array(workspace.canvas.array[at.slices])
    card = workspace.job.model.card
    if card.targets.kind == "areas":
        names = {entry.label: entry.name for entry in card.targets.classes}
        inner = truth.box.shift(-at.y0, -at.x0).slices
        scores = compare_areas(found[inner], truth, tuple(names))
        areas = tuple((names[label], score) for label, score in scores.items())
        yield Finished(Comparison(None, areas, 0, truth.box.shape, truth.is_cropped))
    else:
        objects = compare_objects(found, at, truth)
        yield Finished(Comparison(objects, (), truth.n_cut, truth.box.shape, truth.is_cropped))


def search(question: Question, start: InstancesPlan, sampled: Sampled) -> Generator[Event, None, None]:
    """Search thresholds on a workspace's scores; the last event is ``Finished`` with a ``Tuned``.

    Raises
    ------
    ImageError
        If the labels lie beside what was segmented, or cannot be read.
    PlanError
        If they hold no whole object, or the model makes areas.
    """
    from napari_mouse_seg.instances import decoder_maps
    from napari_mouse_seg.pipeline import CONTEXT_PX, box_around, find_best, segmented_boxes

    workspace = question.workspace
    job = workspace.job
    if job.model.card.targets.kind == "areas":
        raise PlanError(f"{job.model.card.name} tells areas apart, which have no thresholds to search.")
    truth = sampled.read(question)
    store = workspace.cache.scorer(job).store
    complete = store.grid.complete_box(box_around(segmented_boxes(job, workspace.regions)))
    region = truth.box.grow(CONTEXT_PX).intersect(complete)
    read = decoder_maps(job.model.card.targets, store.read)
    yield from find_best(read, store.grid.bounds, region, truth, start)


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
