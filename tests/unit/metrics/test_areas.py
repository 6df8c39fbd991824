from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.metrics import contingency_table

from napari_mouse_seg.errors import ImageError, UnsupportedImageError
from napari_mouse_seg.metrics import area_scores, pool_areas

CLASSES = arrays(np.uint8, (6, 7), elements=st.integers(0, 4))


def test_scores_by_hand() -> None:
    truth = np.array([[1, 1, 1, 2], [2, 2, 5, 5]])
    found = np.array([[1, 1, 2, 2], [2, 1, 5, 7]])
    scores = area_scores(found, truth)
    assert scores.labels == (1, 2, 5, 7)
    np.testing.assert_allclose(scores.iou, [2 / 4, 2 / 4, 1 / 2, 0])
    np.testing.assert_allclose(scores.dice, [4 / 6, 4 / 6, 2 / 3, 0])
    np.testing.assert_allclose(scores.precision, [2 / 3, 2 / 3, 1, 0])
    np.testing.assert_allclose(scores.recall, [2 / 3, 2 / 3, 1 / 2, 0])
    assert scores.pixel_accuracy == 5 / 8
    assert scores.mean_iou == pytest.approx((0.5 + 0.5 + 0.5 + 0) / 4)


@given(CLASSES, CLASSES)
def test_the_table_is_that_of_scikit_image_and_iou_that_of_sets(found: np.ndarray, truth: np.ndarray) -> None:
    scores = area_scores(found, truth)
    table = contingency_table(truth, found).toarray()
    labels = list(scores.labels)
    padded = np.zeros((5, 5))
    padded[: table.shape[0], : table.shape[1]] = table
    np.testing.assert_array_equal(scores.confusion, padded[np.ix_(labels, labels)])
    expected = [
        ((found == label) & (truth == label)).sum() / ((found == label) | (truth == label)).sum() for label in labels
    ]
    np.testing.assert_allclose(scores.iou, expected)


@given(CLASSES, CLASSES, CLASSES, CLASSES)
def test_pooling_is_comparing_all_at_once(one: np.ndarray, other: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    pooled = pool_areas([area_scores(one, a), area_scores(other, b)])
    at_once = area_scores(np.concatenate([one, other]), np.concatenate([a, b]))
    assert pooled.labels == at_once.labels
    np.testing.assert_array_equal(pooled.confusion, at_once.confusion)


@given(CLASSES, CLASSES)
def test_ignored_pixels_count_nowhere(found: np.ndarray, truth: np.ndarray) -> None:
    scores = area_scores(found, truth, ignore=0)
    other = np.where(truth == 0, 4, found).astype(np.uint8)
    changed = area_scores(other, truth, ignore=0)
    assert scores.confusion.sum() == (truth != 0).sum() == changed.confusion.sum()
    assert scores.mean_iou == pytest.approx(changed.mean_iou, nan_ok=True)


def test_nothing_to_compare_is_no_error_and_has_no_score() -> None:
    scores = area_scores(np.ones((2, 2), int), np.zeros((2, 2), int), ignore=0)
    assert scores.labels == ()
    assert np.isnan([scores.mean_iou, scores.mean_dice, scores.pixel_accuracy]).all()


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ImageError, match="shape"):
        area_scores(np.zeros((2, 2), int), np.zeros((3, 2), int))
    with pytest.raises(UnsupportedImageError, match="integers"):
        area_scores(np.zeros((2, 2)), np.zeros((2, 2), int))
    with pytest.raises(UnsupportedImageError, match="objects, not classes"):
        area_scores(np.arange(10_000).reshape(100, 100), np.zeros((100, 100), int))
