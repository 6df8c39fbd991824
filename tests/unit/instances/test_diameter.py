"""The estimated diameter follows the objects, not their number or their neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from helpers.scenes import draw_discs
from napari_mouse_seg.instances import estimate_diameter


def scene(radius: int, noise: float = 0.05, seed: int = 0) -> np.ndarray:
    """Discs on a grid, every second pair of them touching."""
    step = 3 * radius
    centres = [(y, x) for y in range(step, 400, step) for x in range(step, 400, step)]
    centres = [(y, x - (radius - 1 if (x // step) % 4 == 2 else 0)) for y, x in centres]
    labels = draw_discs((420, 420), centres, radius)
    rng = np.random.default_rng(seed)
    return ((labels > 0) + rng.normal(0, noise, labels.shape)).astype(np.float32)


@settings(max_examples=12, deadline=None)
@given(st.integers(5, 30), st.floats(0, 0.15), st.integers(0, 100))
def test_discs_are_measured_whether_they_touch_or_not(radius: int, noise: float, seed: int) -> None:
    found = estimate_diameter(scene(radius, noise, seed))
    assert found == pytest.approx(2 * radius, rel=0.2, abs=1.5)


def test_it_scales_with_the_image() -> None:
    image = scene(12)
    once, twice = estimate_diameter(image), estimate_diameter(ndimage.zoom(image, 2, order=1))
    assert once is not None
    assert twice == pytest.approx(2 * once, rel=0.08)


def test_specks_hardly_move_it() -> None:
    image = scene(12)
    rng = np.random.default_rng(1)
    specked = image.copy()
    for y, x in rng.integers(5, 410, (150, 2)):
        specked[y : y + 4, x : x + 4] = 1
    assert estimate_diameter(specked) == pytest.approx(estimate_diameter(image), rel=0.15)


def test_an_empty_image_gives_nothing() -> None:
    assert estimate_diameter(np.zeros((100, 100), np.float32)) is None
    one = draw_discs((100, 100), [(50, 50)], 10).astype(np.float32)
    assert estimate_diameter(one) is None
