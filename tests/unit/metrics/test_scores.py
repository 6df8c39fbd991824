"""Scores of hand-worked cases, and what must hold for any labels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_mouse_seg.metrics import IOU_NINE, IOU_TEN, InstanceScores, instance_scores, pool_scores

PLAIN = ("panoptic_quality", "aji", "pixel_dice", "pixel_iou")
BY_THRESHOLD = ("precision", "recall", "f1", "average_precision")

labels = arrays(np.uint8, (6, 7), elements=st.integers(0, 4))


def strips(*pieces: tuple[int, int]) -> np.ndarray:
    """One row of labels from (label, length) pieces."""
    return np.concatenate([np.full(length, label, np.uint32) for label, length in pieces])[None]


def all_scores(scores: InstanceScores) -> list[float]:
    values = [value for name in BY_THRESHOLD for value in getattr(scores, name)]
    return values + [getattr(scores, name) for name in PLAIN]


def test_threshold_sets_are_those_of_the_literature():
    assert tuple(round(0.5 + 0.05 * step, 2) for step in range(10)) == IOU_TEN
    assert IOU_TEN[:9] == IOU_NINE


def test_hand_worked_scores():
    # True: 10 + 10 + 10 px. Predicted: 8 of the first (IoU .8), 6 of the second (IoU .6), 4 on background.
    truth = strips((1, 10), (2, 10), (3, 10), (0, 10))
    predicted = strips((1, 8), (0, 2), (2, 6), (0, 4), (0, 10), (3, 4), (0, 6))
    scores = instance_scores(predicted, truth)
    assert scores.true_positives == (2, 2, 2, 1, 1, 1, 1, 0, 0, 0)
    assert scores.precision[0] == scores.recall[0] == scores.f1[0] == pytest.approx(2 / 3)
    assert scores.average_precision[0] == pytest.approx(2 / 4)
    assert scores.average_precision[4] == pytest.approx(1 / 5)
    assert scores.mean("f1", IOU_TEN) == pytest.approx((3 * 2 / 3 + 4 * 1 / 3) / 10)
    assert scores.mean("f1", IOU_NINE) == pytest.approx((3 * 2 / 3 + 4 * 1 / 3) / 9)
    assert scores.segmentation_quality == pytest.approx(0.7)
    assert scores.panoptic_quality == pytest.approx(0.7 * 2 / 3)
    assert scores.aji == pytest.approx(14 / (30 + 4))
    assert scores.pixel_dice == pytest.approx(2 * 14 / (30 + 18))
    assert scores.pixel_iou == pytest.approx(14 / 34)
    assert (scores.splits, scores.merges, scores.misses, scores.extras) == (0, 0, 1, 1)


def test_an_iou_at_the_threshold_is_a_match():
    scores = instance_scores(strips((1, 11), (0, 9)), strips((1, 20)))
    assert scores.true_positives[:3] == (1, 1, 0)


def test_panoptic_quality_takes_only_pairs_above_one_half():
    scores = instance_scores(strips((1, 5), (0, 5)), strips((1, 10)))
    assert scores.true_positives[0] == 1
    assert scores.panoptic_quality == 0


def test_an_object_cut_in_two_is_one_split():
    scores = instance_scores(strips((1, 5), (2, 5)), strips((1, 10)))
    assert (scores.splits, scores.merges, scores.misses, scores.extras) == (1, 0, 0, 0)


def test_two_objects_run_together_are_one_merge():
    scores = instance_scores(strips((1, 10)), strips((1, 5), (2, 5)))
    assert (scores.splits, scores.merges, scores.misses, scores.extras) == (0, 1, 0, 0)


def test_a_slight_shift_of_a_boundary_is_no_error():
    scores = instance_scores(strips((1, 6), (2, 4)), strips((1, 5), (2, 5)))
    assert (scores.splits, scores.merges, scores.misses, scores.extras) == (0, 0, 0, 0)


def test_jaccard_counts_a_predicted_object_used_twice_only_once_as_used():
    # One predicted object over two true ones: 2 x 5 in common; unions 10 + 10.
    assert instance_scores(strips((1, 10)), strips((1, 5), (2, 5))).aji == pytest.approx(10 / 20)


def test_small_objects_are_dropped_on_both_sides():
    truth, predicted = strips((1, 10), (2, 2), (0, 8)), strips((1, 10), (0, 5), (2, 3), (0, 2))
    assert instance_scores(predicted, truth).f1[0] == pytest.approx(0.5)
    assert instance_scores(predicted, truth, min_area_px=4).f1[0] == 1
    assert instance_scores(predicted, truth, min_area_px=4).pixel_dice == 1


def test_both_empty_is_perfect():
    empty = np.zeros((4, 4), np.uint32)
    assert set(all_scores(instance_scores(empty, empty))) == {1.0}


@pytest.mark.parametrize("swap", [False, True])
def test_one_side_empty_scores_nothing(swap):
    pair = [np.zeros((4, 4), np.uint32), np.ones((4, 4), np.uint32)]
    assert set(all_scores(instance_scores(*(pair[::-1] if swap else pair)))) == {0.0}


def test_pooling_adds_objects_not_ratios():
    good = instance_scores(strips((1, 5), (2, 5), (3, 5)), strips((1, 5), (2, 5), (3, 5)))
    bad = instance_scores(strips((0, 5)), strips((1, 5)))
    pooled = pool_scores([good, bad])
    assert pooled.recall[0] == pytest.approx(3 / 4)
    assert pooled.misses == 1


def test_pooling_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one image"):
        pool_scores([])


@given(labels)
def test_labels_equal_to_the_truth_are_perfect(truth):
    scores = instance_scores(truth, truth)
    assert set(all_scores(scores)) == {1.0}
    assert (scores.splits, scores.merges, scores.misses, scores.extras) == (0, 0, 0, 0)


@given(labels, labels, st.permutations(range(1, 5)), st.permutations(range(1, 5)))
def test_renumbering_objects_changes_nothing(predicted, truth, first, second):
    expected = instance_scores(predicted, truth)
    renumbered = instance_scores(np.array([0, *first])[predicted] * 1000, np.array([0, *second])[truth])
    assert all_scores(renumbered) == pytest.approx(all_scores(expected))
    assert renumbered.true_positives == expected.true_positives


def test_equally_good_partners_are_told_apart_by_place_not_by_id():
    predicted = np.array([[3, 3, 4, 3, 4, 4, 0]])
    truth = np.array([[0, 2, 0, 1, 0, 1, 1]])
    swapped = np.array([0, 1, 2, 4, 3])[predicted]
    assert instance_scores(swapped, truth).aji == instance_scores(predicted, truth).aji


@given(labels, labels)
def test_swapping_the_sides_swaps_precision_and_recall(predicted, truth):
    there, back = instance_scores(predicted, truth), instance_scores(truth, predicted)
    assert there.f1 == back.f1
    assert there.average_precision == back.average_precision
    assert there.precision == back.recall
    assert (there.splits, there.misses) == (back.merges, back.extras)


@given(labels, labels)
def test_an_extra_object_lowers_precision_and_keeps_recall(predicted, truth):
    wide_truth = np.pad(truth, ((0, 1), (0, 0)))
    before = instance_scores(np.pad(predicted, ((0, 1), (0, 0))), wide_truth)
    after = instance_scores(np.pad(predicted, ((0, 1), (0, 0)), constant_values=9), wide_truth)
    assert after.recall == before.recall or before.n_truth == 0 or before.n_predicted == 0
    assert after.extras == before.extras + 1
    for low, high in zip(after.precision, before.precision, strict=True):
        assert low < high or high == 0


@settings(max_examples=50)
@given(labels, labels)
def test_scores_agree_with_the_dense_definition(predicted, truth):
    # Control: the textbook double loop over objects with an optimal assignment.
    from scipy.optimize import linear_sum_assignment

    ids = [np.unique(side[side > 0]) for side in (predicted, truth)]
    iou = np.array(
        [
            [((predicted == p) & (truth == t)).sum() / ((predicted == p) | (truth == t)).sum() for t in ids[1]]
            for p in ids[0]
        ]
    ).reshape(len(ids[0]), len(ids[1]))
    thresholds = (0.1, 0.3, 0.5, 0.55, 0.75)
    scores = instance_scores(predicted, truth, thresholds)
    for threshold, hits in zip(thresholds, scores.true_positives, strict=True):
        rows, columns = linear_sum_assignment(-(iou >= threshold).astype(float))
        assert hits == (iou[rows, columns] >= threshold).sum()
