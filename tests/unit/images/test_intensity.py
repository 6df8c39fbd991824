from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from helpers.scenes import draw_discs
from napari_mouse_seg.images import intensity_range, normalise
from napari_mouse_seg.plans import IntensityPlan

LABELS = draw_discs((80, 90), [(20, 20), (50, 60), (60, 20)], 11)


def scene(background: float, objects: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 1, LABELS.shape)
    return ndimage.gaussian_filter(np.where(LABELS > 0, objects, background), 1.0) + noise


@given(
    st.floats(-1e3, 1e4),
    st.floats(100, 1e5),
    st.sampled_from(["bright", "dark"]),
    st.sampled_from([0.0, 3.0, 10.0]),
)
def test_one_half_lies_between_background_and_objects(
    level: float, contrast: float, polarity: str, gain: float
) -> None:
    plan = IntensityPlan(anchor="otsu", polarity=polarity, asinh_gain=gain)
    image = scene(level, level + contrast * (1 if polarity == "bright" else -1))
    out = normalise(image, intensity_range(image, plan), plan)
    assert ((out > 0.5) == (LABELS > 0)).mean() > 0.97


def test_by_percentiles_the_same_dim_objects_stay_below_one_half() -> None:
    image = scene(100, 200)
    image[:2, :4] = 5000
    plan = IntensityPlan(high_percentile=100)
    assert (normalise(image, intensity_range(image, plan), plan) < 0.5)[4:].all()


def test_the_background_percentile_still_maps_to_zero() -> None:
    image = scene(100, 900)
    limits = intensity_range(image, IntensityPlan(anchor="otsu"))
    assert limits.low == pytest.approx(np.percentile(image, 1))


def test_an_image_of_two_values_is_parted_between_them() -> None:
    image = np.where(LABELS > 0, 255, 0).astype(np.uint8)
    plan = IntensityPlan(anchor="otsu")
    np.testing.assert_array_equal(normalise(image, intensity_range(image, plan), plan) > 0.5, LABELS > 0)


def test_pixels_that_are_not_numbers_do_not_move_the_threshold_far() -> None:
    image = scene(100, 900)
    plan = IntensityPlan(anchor="otsu")
    clean = intensity_range(image, plan)
    image[0, :40] = np.nan
    assert intensity_range(image, plan).high == pytest.approx(clean.high, rel=0.05)


def test_a_stack_of_channels_is_smoothed_along_its_planes_only() -> None:
    image = scene(100, 900)
    plan = IntensityPlan(anchor="otsu")
    one, two = intensity_range(image, plan), intensity_range(np.stack([image, image]), plan)
    assert two.high == pytest.approx(one.high)
