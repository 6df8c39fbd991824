"""The search finds thresholds that are known to be best, and never worse ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.scenes import draw_discs, random_scores
from napari_mouse_seg.errors import PlanError
from napari_mouse_seg.events import Finished
from napari_mouse_seg.instances import decode
from napari_mouse_seg.pipeline import PlacedLabels, Tried, Tuned, find_best, mean_f1, read_truth
from napari_mouse_seg.plans import InstancesPlan
from napari_mouse_seg.tiling import SCORE_ONE, Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_mouse_seg.events import Event
    from napari_mouse_seg.pipeline import Truth

SHAPE = (160, 200)
BOUNDS = Box(0, 0, *SHAPE)
CENTRES = [(float(y), float(x)) for y in range(20, 160, 30) for x in range(20, 200, 32)]
SAME_GRID = np.array([[1.0, 0, 0], [0, 1, 0]])


def truth_of(labels: NDArray[np.int32]) -> Truth:
    return read_truth(PlacedLabels((labels,), SAME_GRID), [BOUNDS], BOUNDS)


def run(scores: NDArray[np.uint16], truth: Truth, start: InstancesPlan) -> tuple[Tuned, list[Event]]:
    events = list(find_best(lambda box: scores[:, *box.slices], BOUNDS, BOUNDS, truth, start))
    assert isinstance(events[-1], Finished)
    return events[-1].result, events


def cones(radius: float) -> NDArray[np.uint16]:
    """Scores that fall from every centre outwards, linearly from 1 to 0 at twice the radius."""
    rows, columns = np.indices(SHAPE)
    nearest = np.min([np.hypot(rows - y, columns - x) for y, x in CENTRES], axis=0)
    height = np.clip(1 - nearest / (2 * radius), 0, 1) * SCORE_ONE
    return np.stack([height, np.zeros(SHAPE), height]).astype(np.uint16)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_foreground_threshold_that_draws_the_true_outline_is_found(share: float) -> None:
    # At a distance d the score is 1 - d / 12, so the outline of radius r lies at the threshold 1 - r / 12.
    truth = truth_of(draw_discs(SHAPE, CENTRES, 12 * (1 - share)))
    start = InstancesPlan(foreground_threshold=0.55, min_area_px=1)
    tuned, _ = run(cones(6), truth, start)
    assert tuned.plan.foreground_threshold == pytest.approx(share, abs=0.03)
    assert mean_f1(tuned.after) > 0.95
    assert mean_f1(tuned.after) > mean_f1(tuned.before)


def test_minimum_area_that_leaves_debris_out_is_found() -> None:
    labels = draw_discs(SHAPE, CENTRES, 7)
    speckled = labels.copy()
    speckled[2:158:30, 2:198:32] = 1000  # single pixels far from the discs
    speckled[3:158:30, 2:198:32] = 1000
    shown = (speckled > 0) * SCORE_ONE
    scores = np.stack([shown, np.zeros(SHAPE), shown]).astype(np.uint16)
    tuned, _ = run(scores, truth_of(labels), InstancesPlan(min_area_px=1))
    assert tuned.before.extras > 10
    assert tuned.after.extras == 0
    assert 2 < tuned.plan.min_area_px < 100


def test_split_depth_that_parts_touching_objects_is_found() -> None:
    pairs = [(float(y), float(x)) for y in (30, 80, 130) for x in (40, 56, 130, 146)]
    labels = draw_discs(SHAPE, pairs, 10)
    rows, columns = np.indices(SHAPE)
    nearest = np.min([np.hypot(rows - y, columns - x) for y, x in pairs], axis=0)
    core = np.clip(1 - nearest / 20, 0, 1) * SCORE_ONE  # falls to 0.6 between the two of a pair
    scores = np.stack([(labels > 0) * SCORE_ONE, np.zeros(SHAPE), core]).astype(np.uint16)
    tuned, _ = run(scores, truth_of(labels), InstancesPlan(split_depth=0.7))
    assert tuned.before.merges == 6
    assert tuned.after.merges == 0
    assert 0.3 < tuned.plan.split_depth <= 0.4  # of those that part them, the nearest to the start


@settings(max_examples=12)
@given(seed=st.integers(0, 1000), threshold=st.floats(0.25, 0.75), depth=st.floats(0.05, 0.9))
def test_what_is_found_is_never_below_the_start(seed: int, threshold: float, depth: float) -> None:
    scores = random_scores(seed, SHAPE)
    truth = truth_of(decode(random_scores(seed + 1, SHAPE), InstancesPlan(min_area_px=5)).labels.astype(np.int32))
    start = InstancesPlan(foreground_threshold=threshold, split_depth=depth, min_area_px=7)
    tuned, events = run(scores, truth, start)
    assert tuned.start == start
    assert mean_f1(tuned.after) >= mean_f1(tuned.before)
    tried = [event for event in events if isinstance(event, Tried)]
    assert tried[-1].done <= tried[-1].total <= 40
    assert [event.best for event in tried] == sorted(event.best for event in tried)
    assert run(scores, truth, start)[0] == tuned


def test_present_thresholds_stay_where_nothing_is_better() -> None:
    labels = draw_discs(SHAPE, CENTRES, 7)
    scores = np.stack([(labels > 0) * SCORE_ONE, np.zeros(SHAPE), (labels > 0) * SCORE_ONE]).astype(np.uint16)
    start = InstancesPlan(foreground_threshold=0.37, split_depth=0.41, boundary_weight=0.9, min_area_px=23)
    tuned, _ = run(scores, truth_of(labels), start)
    assert tuned.plan == start
    assert not tuned.is_better
    assert mean_f1(tuned.before) == 1


def test_search_can_be_closed_at_any_event() -> None:
    steps = find_best(lambda box: cones(6)[:, *box.slices], BOUNDS, BOUNDS, truth_of(_discs()), InstancesPlan())
    next(steps)
    steps.close()
    with pytest.raises(StopIteration):
        next(steps)


def test_nothing_to_agree_with_is_said() -> None:
    with pytest.raises(PlanError, match="no whole object"):
        run(cones(6), truth_of(np.zeros(SHAPE, np.int32)), InstancesPlan())


def _discs() -> NDArray[np.int32]:
    return draw_discs(SHAPE, CENTRES, 6)
