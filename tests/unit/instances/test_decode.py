from __future__ import annotations

import threading
import time
from concurrent.futures import CancelledError
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.scenes import draw_discs, random_scores
from napari_mouse_seg.errors import PlanError
from napari_mouse_seg.instances import Decoder, Instances, decode, decode_blocks, encode_targets, keep_inside
from napari_mouse_seg.plans import InstancesPlan
from napari_mouse_seg.tiling import SCORE_ONE, Box

PLAN = InstancesPlan(min_area_px=1, max_hole_px=6, foreground_threshold=0.45, split_depth=0.1)


def encode(labels: np.ndarray) -> np.ndarray:
    return np.rint(encode_targets(labels) * SCORE_ONE).astype(np.uint16)


def decode_region(scores: np.ndarray, region: Box, plan: InstancesPlan = PLAN, **options: object) -> Instances:
    bounds = Box(0, 0, *scores.shape[1:])
    steps = decode_blocks(lambda box: scores[:, *box.slices], bounds, region, plan, **options)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from([5, 8, 13, 31]), st.integers(1, 3), st.sampled_from([0.0, 0.7]))
def test_every_block_size_order_and_worker_count_gives_the_same_labels(
    seed: int, block_px: int, workers: int, certainty: float
) -> None:
    scores = random_scores(seed, (61, 47))
    plan = PLAN.replace(min_certainty=certainty)
    whole = decode(scores, plan, block_px=1000)
    rng = np.random.default_rng(seed)
    blocks = decode(
        scores,
        plan,
        block_px=block_px,
        workers=workers,
        order=lambda boxes: [boxes[i] for i in rng.permutation(len(boxes))],
    )
    np.testing.assert_array_equal(blocks.labels, whole.labels)


@settings(max_examples=80)
@given(st.integers(0, 10**6), st.data())
def test_objects_of_a_view_that_are_not_cut_are_those_of_the_full_image(seed: int, data: st.DataObject) -> None:
    scores = random_scores(seed, (60, 70), steps=data.draw(st.sampled_from([4, 8, 64])))
    y0, x0 = data.draw(st.integers(0, 40)), data.draw(st.integers(0, 50))
    region = Box(y0, x0, data.draw(st.integers(y0 + 10, 60)), data.draw(st.integers(x0 + 10, 70)))
    full = decode(scores, PLAN).labels
    view = decode_region(scores, region, block_px=data.draw(st.sampled_from([11, 1000])))
    for label in set(range(1, view.count + 1)) - view.cut:
        mine = np.zeros_like(full, bool)
        mine[region.slices] = view.labels == label
        twin = full[mine][0]
        assert twin > 0
        np.testing.assert_array_equal(full == twin, mine)


def test_objects_away_from_the_edge_of_a_view_are_not_called_cut() -> None:
    labels = draw_discs((90, 90), [(20, 20), (20, 34), (60, 60), (60, 82)], 8)
    view = decode_region(encode(labels), Box(0, 0, 90, 80), InstancesPlan())
    assert view.count == 4
    assert view.cut == {4}


def test_ids_run_in_raster_order_without_gaps() -> None:
    result = decode(random_scores(3, (80, 80)), PLAN, block_px=17)
    firsts = [np.flatnonzero(result.labels == label)[0] for label in range(1, result.count + 1)]
    assert all(a < b for a, b in pairwise(firsts))
    assert result.labels.max() == result.count
    assert result.labels.dtype == np.uint32


def test_touching_discs_come_apart_and_keep_their_pixels() -> None:
    truth = draw_discs((60, 60), [(30, 22), (30, 37)], 9)
    result = decode(encode(truth), InstancesPlan())
    assert result.count == 2
    # Without the maps that separate them they are one object: the control.
    joined = encode((truth > 0).astype(np.int32))
    assert decode(joined, InstancesPlan()).count == 1
    agree = [(result.labels == a) & (truth == b) for a, b in ((1, 1), (2, 2))]
    assert sum(part.sum() for part in agree) > 0.98 * (truth > 0).sum()


def test_a_component_without_a_core_becomes_one_object() -> None:
    scores = np.zeros((3, 20, 20), np.uint16)
    scores[0, 5:8, 5:8] = SCORE_ONE
    scores[2, 5:8, 5:8] = SCORE_ONE // 10
    assert decode(scores, PLAN).count == 1


def test_small_objects_are_dropped_and_kept_by_the_minimum_area() -> None:
    scores = np.zeros((3, 20, 20), np.uint16)
    scores[:, 2:4, 2:4] = SCORE_ONE
    scores[1] = 0
    assert decode(scores, PLAN.replace(min_area_px=5)).count == 0
    assert decode(scores, PLAN.replace(min_area_px=4)).count == 1


def test_objects_that_the_model_is_not_sure_of_are_dropped_by_the_least_certainty() -> None:
    scores = np.zeros((3, 20, 20), np.uint16)
    scores[0, 2:6, 2:6] = scores[2, 2:6, 2:6] = SCORE_ONE
    scores[0, 12:16, 2:6] = scores[2, 12:16, 2:6] = int(0.6 * SCORE_ONE)
    scores[0, 2:6, 12:16] = scores[2, 2:6, 12:16] = SCORE_ONE
    scores[0, 2:4, 12:16] = int(0.5 * SCORE_ONE)  # 0.75 in the mean.
    assert decode(scores, PLAN).count == 3
    surer = decode(scores, PLAN.replace(min_certainty=0.7))
    assert surer.count == 2
    assert surer.labels[3, 3] != surer.labels[3, 13]
    assert surer.labels[13, 3] == 0
    assert decode(scores, PLAN.replace(min_certainty=0.8)).count == 1
    assert decode(scores, PLAN.replace(min_certainty=0.99)).count == 1  # A score of 1 is as sure as can be.


def test_small_holes_are_filled_and_large_ones_and_bays_stay() -> None:
    labels = np.zeros((30, 40), np.int32)
    labels[5:15, 5:15] = 1
    labels[8:10, 8:10] = 0
    labels[5:15, 20:32] = 2
    labels[7:12, 23:28] = 0
    found = decode(encode(labels), PLAN)
    assert found.labels[8, 8] == found.labels[5, 5] > 0
    assert found.labels[9, 25] == 0


def test_scores_of_zero_give_no_objects() -> None:
    result = decode(np.zeros((3, 10, 10), np.uint16), PLAN)
    assert result.count == 0
    assert not result.labels.any()


def test_one_object_over_many_blocks_is_one_object() -> None:
    labels = np.ones((64, 64), np.int32)
    labels[0] = 0
    assert decode(encode(labels), PLAN, block_px=8).count == 1


def test_a_region_outside_the_image_is_refused() -> None:
    with pytest.raises(PlanError, match="does not lie within the image"):
        decode_region(np.zeros((3, 10, 10), np.uint16), Box(5, 5, 12, 10))


def test_objects_without_a_pixel_in_the_box_are_left_out_and_the_rest_renumbered() -> None:
    labels = draw_discs((60, 60), [(10, 10), (30, 30), (50, 50)], 6)
    kept = keep_inside(decode(encode(labels), InstancesPlan()), Box(28, 28, 60, 60))
    assert kept.count == 2
    assert not kept.labels[10, 10]
    assert kept.labels[30, 30] == 1
    assert kept.labels[50, 50] == 2


def test_one_large_component_can_be_cancelled_while_it_is_solved() -> None:
    rng = np.random.default_rng(0)
    scores = np.full((3, 2500, 2500), SCORE_ONE, np.uint16)
    scores[2] = rng.integers(0, SCORE_ONE, scores.shape[1:])
    bounds = Box(0, 0, 2500, 2500)
    steps = decode_blocks(lambda box: scores[:, *box.slices], bounds, bounds, PLAN, block_px=500, workers=1)
    progress = next(steps)
    while progress != (25, 26):
        progress = next(steps)
    before = threading.active_count()
    began = time.perf_counter()
    steps.close()
    assert time.perf_counter() - began < 5  # all of it takes longer
    assert threading.active_count() < before


def test_a_decoder_that_gave_up_finds_nothing_more() -> None:
    scores = np.full((3, 64, 64), SCORE_ONE, np.uint16)
    bounds = Box(0, 0, 64, 64)
    decoder = Decoder(lambda box: scores[:, *box.slices], bounds, bounds, PLAN)
    decoder.give_up()
    with pytest.raises(CancelledError):
        decoder.solve_block(bounds)
