from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.scenes import draw_discs, random_scores
from napari_mouse_seg.errors import PlanError
from napari_mouse_seg.instances import decode_blocks, decode_scores, decoder_maps, encode, encode_boundary
from napari_mouse_seg.metrics import instance_scores
from napari_mouse_seg.plans import AreaTargets, BoundaryTargets, ClassPlan, DistanceTargets, InstancesPlan
from napari_mouse_seg.tiling import SCORE_ONE, Box

if TYPE_CHECKING:
    from pathlib import Path

PLAN = InstancesPlan(min_area_px=1, max_hole_px=0)
WIDTHS = (1, 2, 3, 4)
SCHEMES = [DistanceTargets(), *(BoundaryTargets(boundary_half_width_px=width) for width in WIDTHS)]
AREAS = AreaTargets(
    classes=(
        ClassPlan(label=1, name="Background", colour="#000000"),
        ClassPlan(label=7, name="Scar", colour="#ff0000"),
    )
)

every_scheme = pytest.mark.parametrize(
    "targets", SCHEMES, ids=lambda plan: f"{plan.kind}-{plan.boundary_half_width_px}"
)


def there_and_back(labels: np.ndarray, targets: DistanceTargets | BoundaryTargets) -> np.ndarray:
    """Encode and decode labels."""
    scores = np.rint(encode(labels, targets) * SCORE_ONE).astype(np.uint16)
    return decode_scores(scores, targets, PLAN).labels


def worst_overlap(found: np.ndarray, labels: np.ndarray) -> float:
    """Return the smallest IoU of an object with what was found of it; 0 if their numbers differ."""
    if len(np.unique(found)) != len(np.unique(labels)):
        return 0.0
    worst = 1.0
    for label in np.unique(labels[labels > 0]):
        own = labels == label
        best = found == np.bincount(found[own]).argmax()
        worst = min(worst, (own & best).sum() / (own | best).sum())
    return worst


def blank(rows: int = 24, columns: int = 32) -> np.ndarray:
    return np.zeros((rows, columns), np.int32)


def test_the_comparison_of_the_tests_tells_merged_and_shifted_objects_from_equal_ones() -> None:
    labels = draw_discs((30, 40), [(15, 12), (15, 26)], 8)
    assert worst_overlap(labels * 3, labels) == 1
    assert worst_overlap((labels > 0).astype(np.int32), labels) == 0
    shifted = labels.copy()
    shifted[:, 19:23][shifted[:, 19:23] == 2] = 1
    assert 0 < worst_overlap(shifted, labels) < 0.95


@every_scheme
def test_touching_objects_come_back_as_they_were(targets: DistanceTargets | BoundaryTargets) -> None:
    labels = blank()
    labels[4:20, 3:14] = 1
    labels[4:20, 14:29] = 2
    assert worst_overlap(there_and_back(labels, targets), labels) == 1


@every_scheme
def test_single_pixels_come_back_alone_and_beside_large_objects(targets: DistanceTargets | BoundaryTargets) -> None:
    labels = blank()
    labels[2, 2] = 1
    labels[6:20, 6:20] = 2
    labels[12, 20] = 3
    labels[0, 31] = 4
    found = there_and_back(labels, targets)
    # The one that touches may take the neighbour's nearest pixel.
    assert worst_overlap(found, labels) >= 0.5
    assert [np.unique(found[labels == label]).size for label in (1, 3, 4)] == [1, 1, 1]


@every_scheme
def test_a_small_object_within_a_large_one_is_not_eaten_up(targets: DistanceTargets | BoundaryTargets) -> None:
    labels = blank()
    labels[2:22, 4:28] = 1
    labels[10:13, 14:17] = 2
    assert worst_overlap(there_and_back(labels, targets), labels) == 1


@every_scheme
def test_holes_stay_holes(targets: DistanceTargets | BoundaryTargets) -> None:
    labels = blank()
    labels[3:15, 3:15] = 1
    labels[7:10, 7:10] = 0
    labels[3:15, 15:28] = 2
    assert worst_overlap(there_and_back(labels, targets), labels) == 1


@every_scheme
def test_objects_at_the_edge_of_the_image_come_back(targets: DistanceTargets | BoundaryTargets) -> None:
    labels = blank()
    labels[:8, :9] = 1
    labels[:8, 9:20] = 2
    labels[20:, 25:] = 3
    labels[15:20, 25:] = 4
    assert worst_overlap(there_and_back(labels, targets), labels) == 1


@every_scheme
def test_objects_that_are_not_convex_stay_in_one_piece(targets: DistanceTargets | BoundaryTargets) -> None:
    labels = blank(40, 60)
    labels[4:18, 4:18] = 1  # Two bulges and a thin neck.
    labels[10:12, 18:26] = 1
    labels[5:17, 26:38] = 1
    labels[24:36, 4:30] = 2  # A horseshoe around another object.
    labels[28:36, 10:24] = 3
    assert worst_overlap(there_and_back(labels, targets), labels) >= 0.93


@every_scheme
def test_an_arm_between_two_neighbours_is_not_cut_off(targets: DistanceTargets | BoundaryTargets) -> None:
    labels = blank(30, 50)
    labels[2:28, 2:16] = 1
    labels[14:16, 16:36] = 1
    labels[2:28, 36:48] = 1
    labels[2:14, 16:36] = 2
    labels[16:28, 16:36] = 3
    found = there_and_back(labels, targets)
    assert found.max() == 3
    assert (found[labels == 1] == found[5, 5]).mean() > 0.95


@every_scheme
def test_pieces_that_touch_at_a_corner_are_one_object(targets: DistanceTargets | BoundaryTargets) -> None:
    labels = blank()
    labels[3:9, 3:9] = 1
    labels[9:15, 9:15] = 1
    found = there_and_back(labels, targets)
    assert found.max() == 1
    assert (found > 0).sum() == (labels > 0).sum() + 1


@every_scheme
def test_two_pieces_apart_become_two_objects(targets: DistanceTargets | BoundaryTargets) -> None:
    labels = blank()
    labels[3:9, 3:9] = 1
    labels[3:9, 12:18] = 1
    found = there_and_back(labels, targets)
    assert found.max() == 2
    np.testing.assert_array_equal(found > 0, labels > 0)


@every_scheme
def test_an_empty_image_gives_no_objects(targets: DistanceTargets | BoundaryTargets) -> None:
    assert not there_and_back(blank(), targets).any()


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from(WIDTHS), st.integers(2, 14))
def test_crowded_discs_of_any_size_come_back(seed: int, width: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    labels = draw_discs((50, 60), list(zip(rng.uniform(0, 50, count), rng.uniform(0, 60, count), strict=True)), 9)
    targets = BoundaryTargets(boundary_half_width_px=width)
    found = there_and_back(labels, targets)
    np.testing.assert_array_equal(found > 0, labels > 0)
    assert found.max() == len(np.unique(labels[labels > 0]))


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from(WIDTHS))
def test_three_classes_add_up_to_one_and_the_boundary_lies_inside_objects(seed: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    labels = draw_discs((40, 40), list(zip(rng.uniform(0, 40, 8), rng.uniform(0, 40, 8), strict=True)), 8)
    maps = encode_boundary(labels, width)
    np.testing.assert_array_equal(maps.sum(0), 1)
    np.testing.assert_array_equal(maps[0], labels == 0)


def test_the_band_is_as_wide_as_asked_between_large_objects_and_narrower_at_a_small_one() -> None:
    labels = blank(40, 60)
    labels[2:38, 2:30] = 1
    labels[2:20, 30:58] = 2
    labels[28:32, 30:32] = 3
    boundary = encode_boundary(labels, 3)[2]
    np.testing.assert_array_equal(np.flatnonzero(boundary[10]), np.arange(27, 33))
    np.testing.assert_array_equal(np.flatnonzero(boundary[30]), [29, 30])


def test_objects_that_do_not_meet_have_no_boundary() -> None:
    labels = draw_discs((40, 60), [(20, 15), (20, 45)], 9)
    assert not encode_boundary(labels, 4)[2].any()


def test_without_the_boundary_class_touching_objects_are_one() -> None:
    labels = draw_discs((40, 60), [(20, 20), (20, 35)], 9)
    targets = BoundaryTargets()
    scores = np.rint(encode(labels, targets) * SCORE_ONE).astype(np.uint16)
    assert decode_scores(scores, targets, PLAN).count == 2
    scores[1] += scores[2]
    scores[2] = 0
    assert decode_scores(scores, targets, PLAN).count == 1


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from([7, 16, 33]), st.integers(1, 3))
def test_soft_scores_of_three_classes_give_the_same_objects_for_any_block_size(seed: int, block: int, n: int) -> None:
    scores = random_scores(seed, (50, 45)).astype(np.float64) + 1
    scores = (scores / scores.sum(0) * SCORE_ONE).astype(np.uint16)
    targets = BoundaryTargets()
    whole = decode_scores(scores, targets, PLAN).labels
    bounds = Box(0, 0, 50, 45)
    steps = decode_blocks(
        decoder_maps(targets, lambda box: scores[:, *box.slices]), bounds, bounds, PLAN, block_px=block, workers=n
    )
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            np.testing.assert_array_equal(stop.value.labels, whole)
            break


def test_areas_are_encoded_as_one_map_a_class_and_unknown_pixels_as_none() -> None:
    labels = np.array([[0, 1], [7, 7]])
    np.testing.assert_array_equal(encode(labels, AREAS), [[[0, 1], [0, 0]], [[0, 0], [1, 1]]])


def test_areas_are_not_decoded_into_objects() -> None:
    with pytest.raises(PlanError, match="finds areas \\(Background, Scar\\), not objects"):
        decode_scores(np.zeros((2, 4, 4), np.uint16), AREAS, PLAN)


def test_scores_beyond_one_by_rounding_do_no_harm() -> None:
    scores = np.zeros((3, 8, 8), np.uint16)
    scores[1:, 2:6, 2:6] = SCORE_ONE
    maps = decoder_maps(BoundaryTargets(), lambda box: scores[:, *box.slices])(Box(0, 0, 8, 8))
    assert maps[0].max() == SCORE_ONE


@pytest.mark.parametrize("source", ["bbbc039", "dsb2018"])
@every_scheme
def test_real_annotations_survive_encoding_and_decoding(
    data_dir: Path, targets: DistanceTargets | BoundaryTargets, source: str
) -> None:
    paths = sorted((data_dir / source / "labels").glob("*.tif"))
    values = []
    for path in paths[:: len(paths) // 5]:
        labels = tifffile.imread(path).astype(np.int32)
        values.append(float(np.mean(instance_scores(there_and_back(labels, targets), labels).f1)))
    assert np.mean(values) >= 0.995
