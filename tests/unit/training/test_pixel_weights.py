"""How much a pixel counts: more in small objects and in narrow places, never less than one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from helpers.scenes import draw_discs
from napari_mouse_seg.plans import TrainingPlan
from napari_mouse_seg.training import prepare_image
from napari_mouse_seg.training._pixel_weights import nearness, pixel_weight

PLAN = TrainingPlan(near_weight=10.0)


def two_bars(gap: int) -> np.ndarray:
    labels = np.zeros((20, 40), np.int32)
    labels[:, 5:15], labels[:, 15 + gap : 25 + gap] = 1, 2
    return labels


@pytest.mark.parametrize("gap", [0, 1, 2, 4])
def test_the_wider_the_gap_the_less_it_counts(gap: int) -> None:
    narrow, wide = (nearness(two_bars(each), 3.0) for each in (gap, gap + 1))
    assert narrow[10, 15:20].max() > wide[10, 15:20].max()
    np.testing.assert_allclose(narrow[10, 14], np.exp(-(gap**2) / 18), rtol=1e-5)


def test_a_lone_object_and_an_empty_image_have_no_narrow_places() -> None:
    alone = draw_discs((60, 60), [(30, 30)], 10)
    assert nearness(alone, 3.0).max() == 0
    assert pixel_weight(np.zeros((30, 30), np.int32), PLAN).tolist() == np.ones((30, 30)).tolist()


@given(hnp.arrays(np.int32, (12, 14), elements=st.sampled_from([0, 0, 0, 1, 2, 5])), st.floats(0.5, 4))
def test_it_is_the_formula_of_the_two_nearest_objects(labels: np.ndarray, sigma: float) -> None:
    ids = [label for label in np.unique(labels) if label > 0]
    distances = np.sort([ndimage.distance_transform_edt(labels != label) for label in ids], axis=0)
    found = nearness(labels, sigma)
    if len(ids) < 2:
        assert not found.any()
        return
    wanted = np.exp(-((distances[0] + np.maximum(distances[1] - 1, 0)) ** 2) / (2 * sigma**2))
    np.testing.assert_allclose(found, wanted, atol=0.012)  # exp(-4.5) lies beyond the reach.


def test_it_adds_to_the_weight_of_small_objects() -> None:
    labels = draw_discs((40, 60), [(20, 20), (20, 27)], 3)
    plain, near = (pixel_weight(labels, plan) for plan in (TrainingPlan(), PLAN))
    assert (near >= plain).all()
    assert near.max() > plain.max() + 8


def test_weights_beyond_a_byte_are_cut_and_do_not_wrap() -> None:
    plan = TrainingPlan(near_weight=12.0, small_object_weight=20.0)
    labels = two_bars(0)
    labels[2, 30] = 3
    maps = prepare_image(np.zeros((1, *labels.shape), np.float32), labels, plan, "drawn").maps
    assert maps[3].max() == 255
    assert (maps[3][pixel_weight(labels, plan) >= 16] == 255).all()
