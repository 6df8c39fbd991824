from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_mouse_seg.errors import ImageError
from napari_mouse_seg.images import from_arrays, intensity_range, normalise
from napari_mouse_seg.inference import Source, SourcePlan, choose_level
from napari_mouse_seg.plans import IntensityPlan
from napari_mouse_seg.tiling import Box

PLAN = IntensityPlan(asinh_gain=10)


def source_of(array: np.ndarray, network_shape: tuple[int, int], axes: str = "YX", channels: int = 1) -> Source:
    image = from_arrays([array], axes=axes, name="test")
    return Source(image.plane(), SourcePlan(0, network_shape, channels, PLAN))


def noise(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 4000, shape).astype(np.uint16)


@settings(max_examples=25)
@given(st.floats(0.3, 2.5), st.data())
def test_a_box_holds_the_same_pixels_however_it_is_read(scale: float, data: st.DataObject) -> None:
    array = noise((90, 70))
    shape = max(1, round(90 * scale)), max(1, round(70 * scale))
    source = source_of(array, shape)
    whole = source.read(Box(-20, -20, shape[0] + 20, shape[1] + 20))
    y, x = data.draw(st.integers(-20, shape[0])), data.draw(st.integers(-20, shape[1]))
    part = source.read(Box(y, x, y + 20, x + 20))
    np.testing.assert_array_equal(part, whole[:, y + 20 : y + 40, x + 20 : x + 40])


def test_without_a_change_of_scale_pixels_are_only_normalised() -> None:
    array = noise((40, 50))
    read = source_of(array, (40, 50)).read(Box(0, 0, 40, 50))
    np.testing.assert_array_equal(read[0], normalise(array, intensity_range(array, PLAN), PLAN))


def test_beyond_the_edge_the_image_is_mirrored() -> None:
    array = noise((20, 20))
    read = source_of(array, (20, 20)).read(Box(-5, 0, 5, 20))[0]
    np.testing.assert_array_equal(read[:5], read[5:][::-1])


def test_a_gradient_keeps_its_place_when_the_image_is_reduced() -> None:
    array = np.tile(np.arange(256, dtype=np.uint16) * 16, (64, 1))
    plan = IntensityPlan(low_percentile=0, high_percentile=100)
    image = from_arrays([array], axes="YX", name="gradient")
    half = Source(image.plane(), SourcePlan(0, (32, 128), 1, plan)).read(Box(0, 0, 32, 128))[0]
    expected = (np.arange(128) * 2 + 0.5) / 255
    np.testing.assert_allclose(half[16, 4:-4], expected[4:-4], atol=1e-3)


def test_a_level_that_does_not_quite_divide_is_read_at_its_real_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_mouse_seg.images._coarse.COARSEST_MAX_PIXELS", 64)
    array = np.tile(np.arange(41, dtype=np.float32), (41, 1))
    plane = from_arrays([array], axes="YX", name="gradient").plane()
    assert plane.level_shapes[2] == (11, 11)  # 41 → 21 → 11, each pixel 4 wide
    plan = IntensityPlan(low_percentile=0, high_percentile=100)
    read = Source(plane, SourcePlan(2, (10, 10), 1, plan)).read(Box(0, 0, 10, 10))[0]
    low, high = plane.sample().min(), plane.sample().max()
    expected = ((np.arange(10) + 0.5) * 4.1 - 0.5 - low) / (high - low)
    np.testing.assert_allclose(read[5, 1:-1], expected[1:-1], atol=0.15 / 40)


def test_rgb_becomes_grey_and_grey_becomes_three_channels() -> None:
    rgb = noise((20, 20, 3))
    assert source_of(rgb, (20, 20), "YXS").read(Box(0, 0, 20, 20)).shape == (1, 20, 20)
    assert source_of(rgb, (20, 20), "YXS", 3).read(Box(0, 0, 20, 20)).shape == (3, 20, 20)
    grey = source_of(rgb[..., 0], (20, 20), "YX", 3).read(Box(0, 0, 20, 20))
    np.testing.assert_array_equal(grey[0], grey[2])


def test_a_constant_image_is_refused_in_words() -> None:
    with pytest.raises(ImageError, match=r"constant \(every pixel is 7\)"):
        source_of(np.full((20, 20), 7, np.uint16), (20, 20)).read(Box(0, 0, 5, 5))
    with pytest.raises(ImageError, match=r"every pixel is 1e\+09, in 32 bits\)"):
        source_of(1e9 + noise((20, 20)) / 4000, (20, 20)).read(Box(0, 0, 5, 5))


@pytest.mark.parametrize(
    ("network_shape", "level"),
    [((1000, 1000), 0), ((501, 501), 1), ((500, 500), 1), ((499, 499), 1), ((200, 200), 2), ((3000, 3000), 0)],
)
def test_the_coarsest_level_that_is_fine_enough_is_read(network_shape: tuple[int, int], level: int) -> None:
    assert choose_level(((1000, 1000), (500, 500), (250, 250)), network_shape) == level
