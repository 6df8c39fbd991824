from __future__ import annotations

import numpy as np

from napari_mouse_seg.inference._flips import FLIPS, flipped, mean_over_flips


def tiles(number: int) -> np.ndarray:
    return np.random.default_rng(0).random((number, 2, 6, 8), np.float32)


def test_every_way_to_turn_and_mirror_a_tile_comes_once() -> None:
    upright, sideways = flipped(tiles(1))
    assert upright.shape == (4, 2, 6, 8)
    assert sideways.shape == (4, 2, 8, 6)
    square = [*flipped(tiles(1)[..., :6])[0], *flipped(tiles(1)[..., :6])[1]]
    assert len({way.tobytes() for way in square}) == FLIPS == len(square)


def test_the_mean_brings_each_tile_back_to_its_own_place() -> None:
    before = tiles(3)
    np.testing.assert_allclose(mean_over_flips(*flipped(before)), before, rtol=1e-6)


def test_the_mean_takes_all_ways_alike() -> None:
    before = tiles(2)
    for part in (0, 1):
        ways = flipped(before)
        ways[part][4:6] += 8  # One way of both tiles.
        np.testing.assert_allclose(mean_over_flips(*ways), before + 1, rtol=1e-6)
