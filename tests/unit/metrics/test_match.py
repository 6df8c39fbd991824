"""Overlaps between label images."""

import numpy as np
import pytest

from napari_mouse_seg.errors import ImageError, UnsupportedImageError
from napari_mouse_seg.metrics import match_instances


def strips(*pieces: tuple[int, int]) -> np.ndarray:
    """One row of labels from (label, length) pieces."""
    return np.concatenate([np.full(length, label, np.uint32) for label, length in pieces])[None]


def test_overlaps_are_counted_by_pair():
    matches = match_instances(strips((7, 6), (0, 4)), strips((0, 2), (9, 6), (0, 2)))
    assert matches.predicted_ids.tolist() == [7]
    assert matches.truth_ids.tolist() == [9]
    assert matches.intersection.tolist() == [4]
    assert matches.iou.tolist() == [0.5]


def test_objects_below_the_least_area_vanish_on_both_sides():
    predicted, truth = strips((1, 3), (2, 7)), strips((1, 4), (2, 6))
    kept = match_instances(predicted, truth, min_area_px=5)
    assert (kept.predicted_ids.tolist(), kept.truth_ids.tolist()) == ([2], [2])
    assert kept.intersection.tolist() == [6]


def test_two_exact_halves_give_one_match():
    matches = match_instances(strips((1, 10)), strips((1, 5), (2, 5)))
    assert matches.iou.tolist() == [0.5, 0.5]
    assert len(matches.assign(0.5)) == 1
    swapped = match_instances(strips((1, 5), (2, 5)), strips((1, 10)))
    assert len(swapped.assign(0.5)) == 1


def test_below_one_half_the_largest_matching_is_found():
    # Predicted 1 overlaps true 1 and 2, predicted 2 only true 1: the better pair for 1 would leave 2 alone.
    predicted = strips((2, 4), (1, 10))
    truth = strips((1, 9), (2, 5))
    matches = match_instances(predicted, truth)
    pairs = matches.assign(0.3)
    found = {
        (matches.predicted_ids[matches.predicted_index[i]], matches.truth_ids[matches.truth_index[i]]) for i in pairs
    }
    assert found == {(1, 2), (2, 1)}


def test_large_ids_and_many_bands_do_not_change_the_result(monkeypatch):
    rng = np.random.default_rng(0)
    predicted = rng.integers(0, 5, (40, 30)).astype(np.uint32)
    truth = rng.integers(0, 4, (40, 30)).astype(np.uint8)
    whole = match_instances(predicted, truth)
    monkeypatch.setattr("napari_mouse_seg.metrics._match._BAND_PIXELS", 90)
    far = np.where(predicted > 0, predicted + np.uint32(4_000_000_000), 0).astype(np.uint32)
    banded = match_instances(far, truth)
    assert banded.intersection.tolist() == whole.intersection.tolist()
    assert (banded.predicted_ids - 4_000_000_000).tolist() == whole.predicted_ids.tolist()


def test_empty_images_have_no_pairs():
    matches = match_instances(np.zeros((3, 3), np.uint8), np.zeros((3, 3), np.uint8))
    assert matches.iou.size == 0
    assert matches.assign(0.3).size == matches.assign(0.5).size == 0


def test_zero_size_images_have_no_objects():
    assert match_instances(np.zeros((0, 4), int), np.zeros((0, 4), int)).truth_ids.size == 0


def test_different_shapes_are_refused():
    with pytest.raises(ImageError, match=r"\(2, 3\), but the true labels \(3, 2\)"):
        match_instances(np.zeros((2, 3), int), np.zeros((3, 2), int))


def test_floats_are_refused():
    with pytest.raises(UnsupportedImageError, match="predicted labels are float64, not integers"):
        match_instances(np.zeros((2, 2)), np.zeros((2, 2), int))


def test_negative_labels_are_refused():
    with pytest.raises(ImageError, match="holds the value -1"):
        match_instances(np.full((2, 2), -1), np.zeros((2, 2), int))
