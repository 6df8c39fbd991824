"""Labels that lie anywhere are found on the network's grid, and only what is known counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.scenes import draw_discs
from napari_mouse_seg.errors import ImageError
from napari_mouse_seg.pipeline import PlacedLabels, box_around, compare_areas, compare_objects, read_truth
from napari_mouse_seg.plans import PaintPlan
from napari_mouse_seg.tiling import Box

SHAPE = (120, 150)
BOUNDS = Box(0, 0, *SHAPE)
SAME_GRID = np.array([[1.0, 0, 0], [0, 1, 0]])
CENTRES = [(float(y), float(x)) for y in (20, 60, 100) for x in (25, 75, 125)]
DISCS = draw_discs(SHAPE, CENTRES, 8)


def shifted(rows: float, columns: float) -> np.ndarray:
    """Return where a grid pixel lies on labels that begin at a pixel of the grid."""
    return np.array([[1.0, 0, -rows], [0, 1, -columns]])


@given(
    scale=st.floats(0.3, 3),
    other=st.floats(0.3, 3),
    angle=st.floats(-180, 180),
    y=st.floats(-200, 200),
    x=st.floats(-200, 200),
)
def test_every_grid_pixel_gets_the_label_it_lies_in(
    scale: float, other: float, angle: float, y: float, x: float
) -> None:
    rows, columns = 90, 70
    names = np.arange(1, rows * columns + 1).reshape(rows, columns)  # a label a pixel tells where it was read
    turn = np.deg2rad(angle)
    linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.diag([scale, other])
    middle = np.array([rows / 2, columns / 2]) - linear @ (60 + y / 10, 75 + x / 10)
    matrix = np.column_stack([linear, middle])
    truth = read_truth(PlacedLabels((names,), matrix), [BOUNDS], BOUNDS)
    for row, column in ((0, 0), (60, 75), (119, 149), (60, 0), (30, 100)):
        expected = 0
        at = linear @ (row, column) + middle
        near = np.abs(at - np.floor(at) - 0.5).min() < 1e-3
        nearest = np.rint(at).astype(int)
        if 0 <= nearest[0] < rows and 0 <= nearest[1] < columns:
            expected = names[tuple(nearest)]
        got = 0
        if truth.box.contains(Box(row, column, row + 1, column + 1)):
            got = truth.labels[row - truth.box.y0, column - truth.box.x0]
        assert near or got == expected


def test_coarser_level_is_read_where_it_is_fine_enough() -> None:
    fine = np.kron(DISCS, np.ones((4, 4), np.int32))
    coarse = DISCS * 10
    matrix = np.array([[4.0, 0, 1.5], [0, 4.0, 1.5]])  # centres of blocks of four
    truth = read_truth(PlacedLabels((fine, fine[::2, ::2], coarse), matrix), [BOUNDS], BOUNDS)
    assert np.array_equal(truth.labels, coarse)
    matrix = np.array([[2.0, 0, 0.5], [0, 2.0, 0.5]])
    truth = read_truth(PlacedLabels((fine, fine[::2, ::2], coarse), matrix), [Box(0, 0, 240, 300)], Box(0, 0, 240, 300))
    assert np.array_equal(truth.labels, fine[::2, ::2])


def test_only_what_both_know_counts() -> None:
    patch = DISCS[40:, 50:]
    truth = read_truth(PlacedLabels((patch,), shifted(40, 50)), [Box(0, 0, 80, 100), Box(90, 0, 120, 100)], BOUNDS)
    assert truth.box == Box(40, 50, 120, 100)
    assert truth.n_objects == 2
    assert truth.known[:40].all()
    assert not truth.known[40:50].any()


def test_objects_at_the_edge_of_the_known_part_are_left_out_and_those_at_the_image_edge_count() -> None:
    labels = draw_discs(SHAPE, [(0.0, 20.0), (60.0, 50.0), (60.0, 100.0)], 8)
    truth = read_truth(PlacedLabels((labels,), SAME_GRID), [Box(0, 0, 120, 50)], BOUNDS)
    assert (truth.n_objects, truth.n_cut) == (1, 1)
    assert (truth.objects > 0).sum() == (labels == 1).sum()
    assert not truth.known[60, 45]  # of the object that is cut


def test_too_much_is_cropped_around_the_centre() -> None:
    truth = read_truth(PlacedLabels((DISCS,), SAME_GRID), [BOUNDS], BOUNDS, centre=(100, 125), largest_px=2500)
    assert truth.is_cropped
    assert truth.box == Box(70, 100, 120, 150)
    whole = read_truth(PlacedLabels((DISCS,), SAME_GRID), [BOUNDS], BOUNDS)
    assert not whole.is_cropped


def test_crop_of_a_narrow_strip_uses_its_whole_width() -> None:
    strip = np.zeros((10, 1000), np.int32)
    bounds = Box(0, 0, 10, 1000)
    truth = read_truth(PlacedLabels((strip,), SAME_GRID), [bounds], bounds, largest_px=2500)
    assert truth.box == Box(0, 375, 10, 625)


def test_labels_beside_what_was_segmented_are_refused_in_words() -> None:
    with pytest.raises(ImageError, match="lie beside what has been segmented"):
        read_truth(PlacedLabels((DISCS,), shifted(500, 0)), [BOUNDS], BOUNDS)
    with pytest.raises(ImageError, match="Nothing has been segmented"):
        box_around([])


def test_paint_says_where_nothing_is_known() -> None:
    paint = np.zeros(SHAPE, np.int32)
    paint[10:50, 10:60] = 1
    paint[DISCS == 1] = 2
    truth = read_truth(PlacedLabels((paint,), SAME_GRID, PaintPlan()), [BOUNDS], BOUNDS)
    assert truth.n_objects == 1
    assert truth.known.sum() == 40 * 50
    rest = read_truth(PlacedLabels((paint,), SAME_GRID, PaintPlan(rest_is_background=True)), [BOUNDS], BOUNDS)
    assert rest.n_objects == 1
    assert rest.known.all()


def test_found_objects_on_unknown_ground_are_no_extras() -> None:
    paint = np.where(DISCS == 1, 2, 0)  # one object is painted, and no background
    truth = read_truth(PlacedLabels((paint,), SAME_GRID, PaintPlan()), [BOUNDS], BOUNDS)
    scores = compare_objects(DISCS, BOUNDS, truth)
    assert (scores.n_truth, scores.n_predicted, scores.extras) == (1, 1, 0)
    assert scores.at("f1", 0.95) == 1
    plain = read_truth(PlacedLabels((paint,), SAME_GRID), [BOUNDS], BOUNDS)
    assert compare_objects(DISCS, BOUNDS, plain).extras == 8


def test_object_that_reaches_far_beyond_its_paint_is_not_matched() -> None:
    paint = np.where(DISCS == 1, 2, 0)
    truth = read_truth(PlacedLabels((paint,), SAME_GRID, PaintPlan()), [BOUNDS], BOUNDS)
    everything = np.ones(SHAPE, np.uint32)
    scores = compare_objects(everything, BOUNDS, truth)
    assert scores.at("f1", 0.5) == 0
    assert (scores.n_predicted, scores.misses) == (1, 0)  # it covers the painted one, so it is there, but too large


def test_one_blob_over_everything_does_not_hide_in_the_cut_objects() -> None:
    part = Box(10, 10, 110, 140)
    truth = read_truth(PlacedLabels((DISCS,), SAME_GRID), [part], BOUNDS)
    n_whole = truth.n_objects
    scores = compare_objects(np.ones(SHAPE, np.uint32), BOUNDS, truth)
    assert scores.n_truth == n_whole > 0
    assert scores.at("f1", 0.5) == 0


def test_cut_object_and_its_counterpart_are_left_out_together() -> None:
    region = Box(0, 0, 120, 75)  # through three discs
    truth = read_truth(PlacedLabels((DISCS,), SAME_GRID), [region], BOUNDS)
    scores = compare_objects(DISCS, BOUNDS, truth)
    assert (truth.n_objects, truth.n_cut) == (3, 3)
    assert (scores.n_truth, scores.n_predicted) == (3, 3)
    assert scores.at("f1", 0.95) == 1


def test_ids_may_be_any_integers() -> None:
    odd = np.where(DISCS == 2, -7, np.where(DISCS > 0, DISCS.astype(np.int64) + 2**40, 0))
    truth = read_truth(PlacedLabels((odd,), SAME_GRID), [BOUNDS], BOUNDS)
    assert compare_objects(DISCS, BOUNDS, truth).at("f1", 0.95) == 1


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.int16])
def test_small_dtypes_are_read(dtype: Any) -> None:
    truth = read_truth(PlacedLabels(((DISCS > 0).astype(dtype),), SAME_GRID), [BOUNDS], BOUNDS)
    assert truth.n_objects == 1  # one label is one object, also in several pieces


def test_areas_are_compared_where_both_know_a_class() -> None:
    true = np.zeros((10, 10), np.int32)
    true[:, :5], true[:, 5:] = 1, 2
    true[0] = 0  # not annotated
    found = np.ones((10, 10), np.uint32)
    found[:, 7:] = 2
    found[9] = 0  # not computed
    here = Box(0, 0, 10, 10)
    truth = read_truth(PlacedLabels((true,), SAME_GRID), [here], BOUNDS)  # classes go on beyond what was segmented
    # Rows 1 to 8 count: class 1 has 5 columns of 7, class 2 has 3 of 5.
    assert compare_areas(found, truth, [1, 2, 3]) == {1: pytest.approx(5 / 7), 2: pytest.approx(3 / 5)}
