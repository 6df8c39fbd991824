"""Which thresholds of the instance step agree best with known objects: a search on scores that are there already.

One parameter after the other, coarse steps first. A search over all combinations was rejected: it takes a thousand
decodings where this takes about 25, and the parameters hardly depend on each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.errors import PlanError
from napari_mouse_seg.events import Event, Finished
from napari_mouse_seg.metrics import IOU_TEN
from napari_mouse_seg.pipeline._agreement import compare_objects

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from napari_mouse_seg.instances._decode import ReadScores
    from napari_mouse_seg.metrics import InstanceScores
    from napari_mouse_seg.pipeline._truth import Truth
    from napari_mouse_seg.plans import InstancesPlan
    from napari_mouse_seg.tiling import Box

_COARSE: dict[str, tuple[float, ...]] = {
    "foreground_threshold": (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
    "split_depth": (0.08, 0.15, 0.25, 0.35, 0.5, 0.7),
    "boundary_weight": (0.0, 0.5, 1.0, 1.5),
}
_STEPS: tuple[dict[str, float], ...] = (
    {"foreground_threshold": 0.05, "split_depth": 0.05, "boundary_weight": 0.25},
    {"foreground_threshold": 0.02},
)
_SPANS = {"foreground_threshold": 1.0, "split_depth": 1.0, "boundary_weight": 2.0}
_AREAS_PX = (1, 5, 10, 20, 30, 50, 80, 120, 200)
_EQUAL = 1e-9


@dataclass(frozen=True, slots=True)
class Tried(Event):
    """So many sets of thresholds were tried, of at most how many, and the best mean F1 so far."""

    done: int
    total: int
    best: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a search came to.

    Attributes
    ----------
    start, plan
        Thresholds before and the best ones; equal if none are better.
    before, after
        Their scores; the mean F1 over ten IoU thresholds never falls.
    """

    start: InstancesPlan
    plan: InstancesPlan
    before: InstanceScores
    after: InstanceScores

    @property
    def is_better(self) -> bool:
        """Whether something better was found."""
        return self.plan != self.start


@dataclass(slots=True)
class _Search:
    """Everything tried so far; the best has the highest score, and of equal ones is the nearest to the start."""

    start: InstancesPlan
    total: int
    best: InstancesPlan
    best_score: float = -1.0
    labels: NDArray[np.uint32] | None = None  # Of the best, with small objects.
    tried: dict[InstancesPlan, InstanceScores] = field(default_factory=dict)
    n_decoded: int = 0

    def note(self, plan: InstancesPlan, scores: InstanceScores, labels: NDArray[np.uint32]) -> None:
        self.tried[plan] = scores
        gain = mean_f1(scores) - self.best_score
        if gain > _EQUAL or (gain > -_EQUAL and self._distance(plan) < self._distance(self.best)):
            self.best, self.best_score, self.labels = plan, mean_f1(scores), labels

    def progress(self) -> Tried:
        return Tried(self.n_decoded, self.total, max(0.0, self.best_score))

    def _distance(self, plan: InstancesPlan) -> float:
        """How far the sliders would move, in shares of their length; areas by their ratio."""
        steps = [abs(getattr(plan, name) - getattr(self.start, name)) / span for name, span in _SPANS.items()]
        return float(sum(steps) + abs(np.log(plan.min_area_px / self.start.min_area_px)) / 10)


def mean_f1(scores: InstanceScores) -> float:
    """Return the mean F1 over ten IoU thresholds, which the search makes as high as it can."""
    return scores.mean("f1", IOU_TEN)


def find_best(
    read: ReadScores, bounds: Box, region: Box, truth: Truth, start: InstancesPlan
) -> Generator[Event, None, None]:
    """Search thresholds that agree best with a truth; close the generator to cancel.

    Foreground, split depth and boundary weight are moved one after the other, first over their whole range, then by
    finer steps around the best; the minimum area is chosen last, since it needs no decoding. About 25 decodings of the
    region, always the same ones for the same scores. The holes to fill are left as they are.

    Parameters
    ----------
    read, bounds
        Scores of an image, as for ``decode_blocks``.
    region
        Where the scores are complete; holds the truth's box.
    truth
        What to agree with.
    start
        Thresholds to begin with; among equally good ones the nearest to them win.

    Yields
    ------
    Event
        ``Tried`` during and after each decoding, at the end ``Finished`` with a ``Tuned``.

    Raises
    ------
    PlanError
        If there is no object to agree with.
    """
    if truth.n_objects == 0:
        raise PlanError("The labels hold no whole object where something was segmented; paint or choose some.")
    total = 1 + sum(map(len, _COARSE.values())) + 2 * sum(map(len, _STEPS))
    search = _Search(start, total, best=start)
    task = (search, read, bounds, region, truth)
    yield from _try(*task, [start])
    yield from _try_areas(search, region, truth)
    for name, values in _COARSE.items():
        yield from _try(*task, [_with(search.best, name, value) for value in values])
    for steps in _STEPS:
        for name, step in steps.items():
            here = search.best
            yield from _try(*task, [_with(here, name, getattr(here, name) + move) for move in (-step, step)])
    yield from _try_areas(search, region, truth)
    plan = search.best
    yield Finished(Tuned(start, plan, search.tried[start], search.tried[plan]))


def _try(
    search: _Search, read: ReadScores, bounds: Box, region: Box, truth: Truth, plans: list[InstancesPlan]
) -> Generator[Event, None, None]:
    """Decode with some thresholds and note what they are worth."""
    for plan in plans:
        if plan in search.tried:
            search.total -= 1
            continue
        labels = yield from _decode(search, read, bounds, region, plan)
        search.note(plan, compare_objects(_drop_small(labels, plan.min_area_px), region, truth), labels)
        yield search.progress()


def _try_areas(search: _Search, region: Box, truth: Truth) -> Generator[Event, None, None]:
    """Try minimum areas on what the best thresholds have found."""
    labels, here = search.labels, search.best
    for min_area_px in _AREAS_PX:
        plan = here.replace(min_area_px=min_area_px)
        if labels is not None and plan not in search.tried:
            search.note(plan, compare_objects(_drop_small(labels, min_area_px), region, truth), labels)
            yield search.progress()


def _decode(
    search: _Search, read: ReadScores, bounds: Box, region: Box, plan: InstancesPlan
) -> Generator[Event, None, NDArray[np.uint32]]:
    """Decode with everything that a plan says but the minimum area, which any labels can be filtered by later."""
    from napari_mouse_seg.instances import decode_blocks

    steps = decode_blocks(read, bounds, region, plan.replace(min_area_px=1))
    try:
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                labels: NDArray[np.uint32] = stop.value.labels
                break
            yield search.progress()
    finally:
        steps.close()
    search.n_decoded += 1
    return labels


def _drop_small(labels: NDArray[np.uint32], min_area_px: int) -> NDArray[np.uint32]:
    """Return the labels of objects that are large enough."""
    large = np.bincount(labels.ravel()) >= min_area_px
    large[0] = False
    return np.where(large[labels], labels, 0)


def _with(plan: InstancesPlan, name: str, value: Any) -> InstancesPlan:  # Any: a field's value
    """Return a plan with one value changed, within its bounds and as fine as a slider shows."""
    low, high = (0.0, 2.0) if name == "boundary_weight" else (0.02, 0.98)
    return plan.replace(**{name: round(min(max(value, low), high), 2)})
