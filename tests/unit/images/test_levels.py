"""Levels index like NumPy arrays, and computed levels hold block means."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.helpers.pyramids import pattern

from napari_mouse_seg.images import from_arrays
from napari_mouse_seg.images._cache import ByteCache
from napari_mouse_seg.images._coarse import CoarseLevel, halve
from napari_mouse_seg.images._levels import ArrayLevel
from napari_mouse_seg.tiling import Box

PIXELS = pattern((2, 3, 11, 13), "uint16")
FORWARD = st.slices(20).filter(lambda part: part.step is None or part.step > 0)
INDEX = st.tuples(*(st.one_of(st.integers(-size, size - 1), FORWARD) for size in PIXELS.shape))


@given(index=INDEX, n_parts=st.integers(0, 4), dots=st.booleans())
def test_a_level_indexes_like_its_array(index: tuple[int | slice, ...], n_parts: int, dots: bool):
    level = ArrayLevel(PIXELS, "TCYX", "TCYX", "a")
    key = index[:n_parts] + ((..., *index[n_parts + 1 :]) if dots else ())
    np.testing.assert_array_equal(level[key], PIXELS[key])


@settings(max_examples=40)
@given(index=hnp.basic_indices((11, 13, 3)).filter(lambda key: "None" not in str(key)))
def test_rgb_levels_index_like_their_array(index):
    pixels = pattern((11, 13, 4))
    level = ArrayLevel(pixels, "YXS", "YXS", "a")
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, slice) and (part.step or 1) < 0 for part in parts):
        with pytest.raises(IndexError, match="backwards"):
            level[index]
    else:
        np.testing.assert_array_equal(level[index], pixels[..., :3][index])


@pytest.mark.parametrize("index", [11, -12, (0, 13), (0, 0, 0), (..., ...)])
def test_an_index_outside_is_an_index_error(index: object):
    with pytest.raises(IndexError):
        ArrayLevel(pattern((11, 13)), "YX", "YX", "a")[index]


def test_numpy_converts_a_level():
    level = ArrayLevel(pattern((5, 6)), "YX", "YX", "a")
    np.testing.assert_array_equal(np.asarray(level, dtype=float), pattern((5, 6)).astype(float))
    assert (level.ndim, level.size, level.nbytes, len(level)) == (2, 30, 30, 5)


def test_halving_takes_rounded_means_and_repeats_the_odd_edge():
    pixels = np.array([[1, 2, 9], [3, 5, 9], [10, 20, 255]], np.uint8)
    np.testing.assert_array_equal(halve(pixels), [[3, 9], [15, 255]])


def test_halving_leaves_nan_out():
    pixels = np.array([[1, np.nan, np.nan, np.nan], [3, 5, np.nan, np.nan]], np.float32)
    np.testing.assert_array_equal(halve(pixels), np.array([[3, np.nan]], np.float32))


def test_halving_does_not_overflow():
    assert halve(np.full((2, 2), 65_535, np.uint16)) == 65_535
    assert halve(np.full((2, 2), -32_768, np.int16)) == -32_768


@pytest.mark.parametrize("axes", ["YX", "YXS"])
@pytest.mark.parametrize("stored", [(64, 64), (16, 9999)])
def test_a_coarse_level_is_the_halved_level_whatever_box_is_read(axes: str, stored: tuple[int, int]):
    pixels = pattern((1203, 1101, 3)[: len(axes)], "uint16")
    base = ArrayLevel(pixels, axes, axes, "a")
    base.chunks = stored
    level = CoarseLevel(base, ByteCache())
    expected = halve(pixels)
    assert level.shape == expected.shape
    for box in (Box(0, 0, 602, 551), Box(500, 510, 530, 551), Box(7, 0, 8, 551)):
        np.testing.assert_array_equal(level.plane((), box), expected[box.slices])


def test_a_large_flat_image_gets_levels_with_exact_scales_down_to_four_megapixels():
    image = from_arrays(np.zeros((5001, 3999), np.uint8), "YX")
    assert image.level_shapes == ((5001, 3999), (2501, 2000), (1251, 1000))
    assert image.level_scales == ((1, 1), (2, 2), (4, 4))
    assert image.n_stored_levels == 1
    assert len(from_arrays(np.zeros((2000, 2000), np.uint8), "YX").levels) == 1


def test_each_stored_pixel_is_read_once_for_the_coarsest_level():
    class Counting:
        shape, dtype, n_read = (8192, 2048), np.dtype("uint8"), 0

        def __getitem__(self, index: tuple[slice, slice]) -> np.ndarray:
            found = np.zeros(self.shape, np.uint8)[index]
            self.n_read += found.size
            return found

    array = Counting()
    plane = from_arrays(array, "YX").plane()
    for _ in range(2):
        plane.sample(1_100_000)
    assert array.n_read == 8192 * 2048


def test_the_cache_drops_the_oldest_but_keeps_the_newest():
    cache = ByteCache(max_bytes=100)
    made: list[str] = []

    def make(name: str, n_bytes: int) -> np.ndarray:
        made.append(name)
        return np.zeros(n_bytes, np.uint8)

    for name, n_bytes in [("a", 40), ("b", 40), ("a", 40), ("c", 40), ("b", 40), ("d", 500), ("d", 500)]:
        cache.get(name, lambda name=name, n_bytes=n_bytes: make(name, n_bytes))
    assert made == ["a", "b", "c", "b", "d"]
    assert cache.n_bytes == 500


def test_two_threads_make_a_piece_once():
    cache, entered, release, n_made = ByteCache(), threading.Event(), threading.Event(), []

    def slow() -> np.ndarray:
        n_made.append(1)
        entered.set()
        release.wait(10)
        return np.ones(3)

    threads = [threading.Thread(target=cache.get, args=("a", slow)) for _ in range(4)]
    for thread in threads:
        thread.start()
    entered.wait(10)
    release.set()
    for thread in threads:
        thread.join(10)
    assert len(n_made) == 1


def test_a_piece_stored_twice_counts_once():
    cache = ByteCache(max_bytes=100)

    def make_while_others_make_it_too() -> np.ndarray:
        # as seen by a thread that waited for a piece, which was dropped before its turn came
        cache._store("a", np.zeros(60, np.uint8))
        return np.zeros(60, np.uint8)

    for _ in range(3):
        cache.get("a", make_while_others_make_it_too)
        assert cache.n_bytes == 60
        cache.get("b", lambda: np.zeros(90, np.uint8))
        assert cache.n_bytes == 90


def test_a_failed_piece_is_tried_again():
    cache = ByteCache()
    with pytest.raises(ValueError, match="once"):
        cache.get("a", lambda: (_ for _ in ()).throw(ValueError("once")))
    assert cache.get("a", lambda: np.ones(2)).sum() == 2
