"""The compiled watershed and its components against slow ones that follow the definitions."""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_mouse_seg.instances._components import fill_holes, label_components
from napari_mouse_seg.instances._watershed import OUTSIDE, separate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

RUNNING = np.zeros(1, np.uint8)


def random_scene(seed: int, levels: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw a mask, and a height with ``levels`` levels in it, of random size."""
    rng = np.random.default_rng(seed)
    shape = rng.integers(1, 40, 2)
    smooth = ndimage.gaussian_filter(rng.random((2, *shape)), (0, *rng.uniform(0, 2, 2)))
    mask = smooth[0] > np.quantile(smooth[0], rng.uniform(0, 0.9))
    rank = (smooth[1] - smooth[1].min()) / max(np.ptp(smooth[1]), 1e-9)
    height = np.round(np.round(rank * (levels - 1)) / (levels - 1) * 255) * mask
    return mask.astype(np.uint8), height.astype(np.uint8)


def slow_markers(piece: NDArray[np.bool_], height: NDArray[np.uint8], min_depth: int) -> set[tuple[int, int]]:
    """Return the first pixel of each peak that rises so far above the highest way to an earlier one, and of the top."""
    tops: set[tuple[int, int]] = set()
    kept = set()
    for level in sorted(set(height[piece].tolist()), reverse=True):
        hills, n = ndimage.label(piece & (height >= level))
        now = set()
        for hill in range(1, n + 1):
            pixels = [tuple(pixel) for pixel in np.argwhere(hills == hill).tolist()]
            first = min(pixels, key=lambda pixel: (-int(height[pixel]), pixel))
            now.add(first)
            ended = tops.intersection(pixels) - {first}
            kept |= {peak for peak in ended if int(height[peak]) - level >= min_depth}
        tops = now
    return kept | tops


def neighbours(place: tuple[int, int], piece: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    for y, x in ((-1, 0), (0, -1), (0, 1), (1, 0)):
        other = place[0] + y, place[1] + x
        if 0 <= other[0] < piece.shape[0] and 0 <= other[1] < piece.shape[1] and piece[other]:
            yield other


def slow_flood(
    piece: NDArray[np.bool_], height: NDArray[np.uint8], markers: dict[tuple[int, int], int], sources: NDArray[np.bool_]
) -> dict[tuple[int, int], int]:
    """Flood by a heap: the highest first, of equals the one that came first; water from outside before all."""
    arrivals = count()
    labels = dict.fromkeys(map(tuple, np.argwhere(piece & sources).tolist()), OUTSIDE)
    heap = [(0, next(arrivals), place) for place in labels]
    for place in sorted(markers):
        if place not in labels:
            labels[place] = markers[place]
            heap.append((255 - int(height[place]), next(arrivals), place))
    heapq.heapify(heap)
    while heap:
        level, _, place = heapq.heappop(heap)
        for other in neighbours(place, piece):
            if other not in labels:
                labels[other] = labels[place]
                reached = 0 if labels[place] == OUTSIDE else max(level, 255 - int(height[other]))
                heapq.heappush(heap, (reached, next(arrivals), other))
    return labels


def as_image(shape: tuple[int, ...], labels: dict[tuple[int, int], int]) -> NDArray[np.int32]:
    image = np.zeros(shape, np.int32)
    for place, label in labels.items():
        image[place] = label
    return image


@settings(max_examples=120)
@given(st.integers(0, 10**6), st.sampled_from([2, 4, 9, 256]), st.sampled_from([1, 30, 100, 255]), st.booleans())
def test_objects_are_those_of_a_slow_watershed_of_each_component(
    seed: int, levels: int, min_depth: int, floods_in: bool
) -> None:
    mask, height = random_scene(seed, levels)
    outside = np.zeros_like(mask)
    outside[:, 0] = mask[:, 0] * floods_in
    pieces, n = ndimage.label(mask)
    labels, sure, found = separate(pieces.astype(np.int32), n, height, outside, min_depth, RUNNING)
    assert sorted(set(labels[mask > 0].tolist())) == list(range(1, found + 1))
    for number in range(1, n + 1):
        piece = pieces == number
        places = slow_markers(piece, height, min_depth)
        markers = {place: int(labels[place]) for place in places}
        assert len(set(markers.values())) == len(set(labels[piece].tolist())) == len(places)
        plain = as_image(mask.shape, slow_flood(piece, height, markers, np.zeros(mask.shape, np.bool_)))
        np.testing.assert_array_equal(labels[piece], plain[piece])
        wet = as_image(mask.shape, slow_flood(piece, height, markers, outside > 0))
        np.testing.assert_array_equal(sure[piece], wet[piece])


def test_components_whose_number_is_missing_are_left_out() -> None:
    pieces = np.array([[1, 0, 3], [1, 0, 3]], np.int32)
    labels, _, found = separate(pieces, 4, np.full((2, 3), 200, np.uint8), np.zeros((2, 3), np.uint8), 10, RUNNING)
    assert found == 2
    np.testing.assert_array_equal(labels, [[1, 0, 2], [1, 0, 2]])


@settings(max_examples=80)
@given(st.integers(0, 10**6))
def test_components_are_numbered_by_their_first_pixel(seed: int) -> None:
    mask, _ = random_scene(seed, 4)
    labels, n = label_components(mask)
    expected, n_expected = ndimage.label(mask)
    assert n == n_expected
    np.testing.assert_array_equal(labels, expected)


@settings(max_examples=120)
@given(st.integers(0, 10**6), st.sampled_from([0, 1, 4, 30]), st.tuples(*[st.booleans()] * 4))
def test_holes_up_to_a_size_are_filled_and_those_that_an_edge_hides_are_marked(
    seed: int, max_area: int, cut: tuple[bool, bool, bool, bool]
) -> None:
    before, _ = random_scene(seed, 4)
    mask = before.copy()
    outside = fill_holes(mask, max_area, np.array(cut))
    rim = np.zeros(mask.shape, np.bool_)
    rim[[0, -1]] = rim[:, [0, -1]] = True
    hidden = np.zeros(mask.shape, np.bool_)
    for side, is_cut in zip((np.s_[0], np.s_[:, 0], np.s_[-1], np.s_[:, -1]), cut, strict=True):
        hidden[side] |= is_cut
    filled, marked = before > 0, hidden.copy()
    square = np.ones((3, 3), np.bool_)
    holes, n = ndimage.label(before == 0, square)
    for number in range(1, n + 1):
        hole = holes == number
        if hole.sum() <= max_area and not (hole & rim).any():
            filled |= hole
        elif hole.sum() <= max_area and (hole & hidden).any():
            marked |= ndimage.binary_dilation(hole, square)
    np.testing.assert_array_equal(mask, filled)
    np.testing.assert_array_equal(outside, marked & (before > 0))
