"""The estimated diameter follows the objects, not their number or their neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from helpers.scenes import draw_discs
from napari_mouse_seg.instances import Discs, find_discs


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
    found = find_discs(scene(radius, noise, seed)).diameter()
    assert found == pytest.approx(2 * radius, rel=0.2, abs=1.5)


def test_it_scales_with_the_image() -> None:
    image = scene(12)
    once, twice = find_discs(image).diameter(), find_discs(ndimage.zoom(image, 2, order=1)).diameter()
    assert twice == pytest.approx(2 * once, rel=0.08)


def test_specks_hardly_move_it() -> None:
    image = scene(12)
    rng = np.random.default_rng(1)
    specked = image.copy()
    for y, x in rng.integers(5, 410, (150, 2)):
        specked[y : y + 4, x : x + 4] = 1
    assert find_discs(specked).diameter() == pytest.approx(find_discs(image).diameter(), rel=0.15)


def test_discs_stand_where_the_objects_are() -> None:
    centres = [(30, 40), (90, 60), (60, 150)]
    found = find_discs((draw_discs((120, 200), centres, 12) > 0).astype(np.float32))
    assert np.unique(found.centres, axis=0) == pytest.approx(np.unique(centres, axis=0), abs=1)


def test_a_share_counts_area_not_objects() -> None:
    sizes = Discs(np.zeros((5, 2)), np.array([1.0, 1.0, 1.0, 1.0, 4.0]))  # areas 4 to 16
    assert [sizes.diameter(share) for share in (0.1, 0.19, 0.5, 0.9)] == [2, 2, 8, 8]


def test_an_empty_image_gives_nothing() -> None:
    assert len(find_discs(np.zeros((100, 100), np.float32))) == 0
