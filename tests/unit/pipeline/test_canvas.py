from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.models import write_random_model
from helpers.scenes import cell_image, draw_discs
from napari_mouse_seg.events import Finished
from napari_mouse_seg.images import from_arrays
from napari_mouse_seg.instances import Instances, decode_blocks, encode_targets, keep_inside
from napari_mouse_seg.pipeline import ObjectCanvas, ScoreCache, SegmentJob, SegmentResult, resolve, segment
from napari_mouse_seg.plans import InstancesPlan, SegmentPlan
from napari_mouse_seg.tiling import SCORE_ONE, Box

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

SHAPE = (120, 140)
CENTRES = [(20.0, 20.0), (20.0, 36.0), (60.0, 60.0), (60.0, 76.0), (60.0, 92.0), (100.0, 120.0)]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> SegmentJob:
    model = write_random_model(tmp_path_factory.mktemp("model"))
    return resolve(from_arrays([cell_image(SHAPE)], axes="YX", name="x"), model, SegmentPlan(core_px=64, device="cpu"))


def view_of(job: SegmentJob, region: Box, box: Box | None = None) -> SegmentResult:
    """Decode discs in a region, as a run would."""
    scores = np.rint(encode_targets(draw_discs(SHAPE, CENTRES, 9)) * SCORE_ONE).astype(np.uint16)
    steps = decode_blocks(lambda part: scores[:, *part.slices], Box(0, 0, *SHAPE), region, InstancesPlan())
    found = keep_inside(run_out(steps), box or region)
    return SegmentResult(found.labels, found.box, found.cut, found.count, "CPU", job)


def run_out(steps: Generator[object, None, Instances]) -> Instances:
    """Return what a decoding generator returns."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def test_objects_cut_by_a_view_are_completed_by_the_next_and_keep_their_id(job: SegmentJob) -> None:
    canvas = ObjectCanvas(SHAPE)
    canvas.add(view_of(job, Box(0, 0, 120, 76)))
    assert canvas.array[60, 74] in canvas.cut
    before = canvas.array[60, 74]
    canvas.add(view_of(job, Box(0, 40, 120, 140)))
    assert canvas.array[60, 82] == canvas.array[60, 74] == before
    assert not canvas.cut


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 70), st.integers(0, 90)), min_size=1, max_size=5))
def test_views_in_any_order_end_in_the_full_result(job: SegmentJob, corners: list[tuple[int, int]]) -> None:
    canvas = ObjectCanvas(SHAPE)
    for y, x in corners:
        canvas.add(view_of(job, Box(y, x, y + 50, x + 50)))
    full = view_of(job, Box(0, 0, *SHAPE))
    canvas.add(full)
    np.testing.assert_array_equal(canvas.array > 0, full.labels > 0)
    pairs = set(zip(canvas.array.ravel().tolist(), full.labels.ravel().tolist(), strict=True))
    assert len(pairs) == full.n_objects + 1


def test_the_same_view_twice_changes_nothing(job: SegmentJob) -> None:
    canvas = ObjectCanvas(SHAPE)
    view = view_of(job, Box(0, 0, 90, 70))
    canvas.add(view)
    before = canvas.array.copy()
    assert canvas.add(view) is None
    np.testing.assert_array_equal(canvas.array, before)


@pytest.mark.parametrize(
    "box", [Box(0, 0, 90, 70), Box(5, 5, 95, 75), Box(0, 0, *SHAPE)], ids=["same", "moved", "full"]
)
def test_what_the_user_erased_does_not_come_again(job: SegmentJob, box: Box) -> None:
    canvas = ObjectCanvas(SHAPE)
    canvas.add(view_of(job, Box(0, 0, 90, 70)))
    erased = canvas.array == canvas.array[20, 20]
    canvas.array[erased] = 0
    trimmed = np.s_[11:15, 30:42]  # Of the object beside it.
    canvas.array[trimmed] = 0
    canvas.add(view_of(job, box))
    assert not canvas.array[erased].any()
    assert not canvas.array[trimmed].any()
    assert canvas.array[22, 36]
    full = view_of(job, box).labels[60 - box.y0, 60 - box.x0]
    assert bool(canvas.array[60, 60]) == bool(full)


def test_what_was_painted_and_erased_again_is_found(job: SegmentJob) -> None:
    canvas = ObjectCanvas(SHAPE)
    canvas.add(view_of(job, Box(80, 100, 120, 140)))
    canvas.array[10:30, 10:30] = 7
    canvas.array[10:30, 10:30] = 0
    canvas.add(view_of(job, Box(0, 0, 90, 70)))
    assert canvas.array[20, 20]


def test_new_ids_are_above_ids_painted_anywhere(job: SegmentJob) -> None:
    canvas = ObjectCanvas(SHAPE)
    canvas.array[110:115, 5:10] = 1
    canvas.add(view_of(job, Box(0, 0, 90, 90)))
    assert np.unique(canvas.array[:90, :90])[1] == 2


def test_ids_do_not_run_out_when_somebody_paints_with_the_highest(job: SegmentJob) -> None:
    canvas = ObjectCanvas(SHAPE)
    canvas.add(view_of(job, Box(0, 0, 50, 40)))
    assert canvas.cut
    cut = canvas.array[20, 36]
    canvas.array[110:115, 5:10] = np.iinfo(np.uint32).max
    canvas.array[110:115, 15:20] = 1_000_000_000
    canvas.claim({1_000_000_000, int(np.iinfo(np.uint32).max), 4})
    canvas.add(view_of(job, Box(0, 0, *SHAPE)))
    assert canvas.array[20, 36] == cut
    assert np.unique(canvas.array).tolist() == [0, 1, 2, 3, 5, 6, 7, 1_000_000_000, np.iinfo(np.uint32).max]
    assert (canvas.array[110:115, 5:10] == np.iinfo(np.uint32).max).all()
    assert not canvas.cut
    assert canvas.paint_label == 8


def test_an_object_cut_by_both_views_keeps_its_first_part(job: SegmentJob) -> None:
    bar = np.zeros(SHAPE, np.int32)
    bar[50:60, 5:135] = 1
    scores = np.rint(encode_targets(bar) * SCORE_ONE).astype(np.uint16)
    canvas = ObjectCanvas(SHAPE)
    for region in (Box(0, 10, 120, 60), Box(0, 50, 120, 130)):
        steps = decode_blocks(lambda part: scores[:, *part.slices], Box(0, 0, *SHAPE), region, InstancesPlan())
        found = run_out(steps)
        assert found.cut == {1}
        canvas.add(SegmentResult(found.labels, found.box, found.cut, found.count, "CPU", job))
    assert set(canvas.array[55, 10:130].tolist()) == {1}


def test_what_is_painted_between_comparing_and_writing_stays(job: SegmentJob) -> None:
    canvas = ObjectCanvas(SHAPE)
    view = view_of(job, Box(0, 0, *SHAPE))
    merge = canvas.compare(view)
    assert not canvas.array.any()
    canvas.array[10:30, 10:30] = 3
    canvas.apply(merge)
    assert (canvas.array[10:30, 10:30] == 3).all()
    ids = np.unique(canvas.array[canvas.array != 3])
    np.testing.assert_array_equal(ids, [0, 5, 6, 7, 8, 9])  # the disc at (20, 20) was id 4, all under the paint


def bars(*spans: tuple[int, int], shape: tuple[int, int] = (60, 400)) -> np.ndarray:
    """Draw bars one behind the other, each over a span of columns."""
    labels = np.zeros(shape, np.uint32)
    for number, (start, stop) in enumerate(spans, start=1):
        labels[20:40, start:stop] = number
    return labels


def part_of(job: SegmentJob, labels: np.ndarray, box: Box, cut: set[int]) -> SegmentResult:
    """Make a result of drawn labels."""
    return SegmentResult(labels[box.slices], box, frozenset(cut), int(labels.max()), "CPU", job)


@pytest.mark.parametrize("spans", [((50, 150), (150, 260)), ((150, 260), (50, 150))])
def test_a_cut_object_that_turns_out_to_be_two_becomes_two(job: SegmentJob, spans: tuple[tuple[int, int], ...]) -> None:
    canvas = ObjectCanvas((60, 400))
    canvas.add(part_of(job, bars((50, 200)), Box(0, 0, 60, 200), {1}))
    assert canvas.cut == {1}
    still_cut = {number for number, span in enumerate(spans, start=1) if span[1] == 260}
    canvas.add(part_of(job, bars(*spans), Box(0, 0, 60, 260), still_cut))
    whole, cut = canvas.array[30, 100], canvas.array[30, 200]
    assert whole == 1
    assert cut == 2
    assert canvas.cut == {2}
    canvas.add(part_of(job, bars((150, 360)), Box(0, 140, 60, 400), set()))
    assert set(canvas.array[30, 150:360].tolist()) == {2}
    assert not canvas.cut


def test_what_is_painted_with_the_id_of_a_cut_object_stays(job: SegmentJob) -> None:
    canvas = ObjectCanvas((60, 400))
    canvas.add(part_of(job, bars((50, 200)), Box(0, 0, 60, 200), {1}))
    for claim_first in (True, False):
        merge = None if claim_first else canvas.compare(part_of(job, bars((50, 260)), Box(0, 0, 60, 260), set()))
        canvas.array[50:55, 10:20] = 1
        canvas.claim({1})
        canvas.apply(merge or canvas.compare(part_of(job, bars((50, 260)), Box(0, 0, 60, 260), set())))
        assert (canvas.array[50:55, 10:20] == 1).all()
        assert (canvas.array[20:40, 50:200] == 1).all()


def test_completing_many_cut_objects_leaves_no_old_pixel(job: SegmentJob) -> None:
    rows = np.broadcast_to(np.arange(600)[:, np.newaxis], (600, 600))
    labels = ((rows // 8 % 2 == 0) * (rows // 16 + 1)).astype(np.int32)  # bars across the whole width
    scores = np.rint(encode_targets(labels) * SCORE_ONE).astype(np.uint16)

    def found(region: Box) -> SegmentResult:
        steps = decode_blocks(lambda part: scores[:, *part.slices], Box(0, 0, 600, 600), region, InstancesPlan())
        done = run_out(steps)
        return SegmentResult(done.labels, done.box, done.cut, done.count, "CPU", job)

    canvas = ObjectCanvas((600, 600))
    canvas.add(found(Box(0, 0, 600, 300)))
    assert len(canvas.cut) == labels.max()
    canvas.add(found(Box(0, 0, 600, 600)))
    assert not canvas.cut
    np.testing.assert_array_equal(canvas.array, labels)


def test_painted_objects_stay_and_new_ids_are_above_them(job: SegmentJob) -> None:
    canvas = ObjectCanvas(SHAPE)
    canvas.array[10:30, 10:30] = 500
    canvas.add(view_of(job, Box(0, 0, *SHAPE)))
    assert (canvas.array[10:30, 10:30] == 500).all()
    ids = set(np.unique(canvas.array).tolist()) - {0, 500}
    assert min(ids) > 500
    assert len(ids) == 5


def test_levels_share_the_memory_of_the_array() -> None:
    canvas = ObjectCanvas((3000, 2100))
    levels = canvas.levels()
    assert [level.shape for level in levels] == [(3000, 2100), (1500, 1050), (750, 525)]
    canvas.array[40, 80] = 9
    assert levels[2][10, 20] == 9


def test_a_walk_over_a_real_run_completes_what_it_cuts(tmp_path: Path) -> None:
    model = write_random_model(tmp_path)
    image = from_arrays([cell_image((250, 250))], axes="YX", name="cells")
    plan = SegmentPlan(core_px=64, device="cpu")
    job = resolve(image, model, plan)
    cache, canvas = ScoreCache(job), ObjectCanvas(job.network_shape)
    for region in (Box(0, 0, 130, 130), Box(100, 90, 250, 250), Box(0, 100, 140, 250), None):
        for event in segment(resolve(image, model, plan, region), cache):
            if isinstance(event, Finished):
                result = event.result
                canvas.add(result)
    np.testing.assert_array_equal(canvas.array > 0, result.labels > 0)
    pairs = set(zip(canvas.array.ravel().tolist(), result.labels.ravel().tolist(), strict=True))
    assert len(pairs) == result.n_objects + 1
