"""What a model finds goes in beside what is painted, as whole objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")

from napari.layers import Labels

from napari_mouse_seg.plans import BACKGROUND_LABEL
from napari_mouse_seg.plugin._brushes import ObjectBrush

if TYPE_CHECKING:
    from numpy.typing import NDArray

MINE = 2
ROWS, COLUMNS = np.ogrid[:60, :120]


def disc(y: int, x: int, radius: float) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (ROWS - y) ** 2 + (COLUMNS - x) ** 2 <= radius**2
    return inside


LEFT, RIGHT = disc(30, 30, 15), disc(30, 90, 15)
FOUND = np.where(LEFT, 1, np.where(RIGHT, 2, 0))


def fill(painted: NDArray[np.integer], found: NDArray[np.integer] = FOUND) -> tuple[int, NDArray[np.uint32]]:
    """How many objects are put into paint, and what is there then."""
    layer = Labels(painted.astype(np.uint32))
    count = ObjectBrush(layer).fill(found)
    return count, np.asarray(layer.data)


@pytest.mark.parametrize("radius", [13, 8, 2], ids=["all but a rim", "the inner half", "a dot in the middle"])
def test_an_object_that_is_painted_in_part_gets_no_second_label(radius: float) -> None:
    count, paint = fill(np.where(disc(30, 30, radius), MINE, 0))
    assert count == 1
    assert set(np.unique(paint[LEFT])) == {0, MINE}
    assert (paint[RIGHT] == MINE + 1).all()


def test_an_object_beside_a_painted_one_is_put_in_without_what_they_share() -> None:
    neighbour = disc(30, 57, 14)  # Covers a small part of the left one.
    assert 0 < (neighbour & LEFT).sum() < 0.1 * LEFT.sum()
    count, paint = fill(np.where(neighbour, MINE, 0))
    assert count == 2
    assert (paint[neighbour] == MINE).all()
    assert len(np.unique(paint[LEFT & ~neighbour])) == 1
    assert paint[30, 20] > MINE


@pytest.mark.parametrize(("edge", "count"), [(36, 1), (24, 2)], ids=["little is left", "most is left"])
def test_what_background_paint_leaves_of_an_object_is_kept_if_it_is_most_of_it(edge: int, count: int) -> None:
    painted = np.where(edge > COLUMNS, BACKGROUND_LABEL, np.zeros((60, 1), int))
    put_in, paint = fill(painted)
    assert put_in == count
    assert (paint[painted > 0] == BACKGROUND_LABEL).all()
    assert (paint[LEFT & (painted == 0)] > 0).all() == (count == 2)


def test_one_object_found_over_two_painted_ones_is_left_out() -> None:
    painted = np.where(disc(30, 22, 6), MINE, np.where(disc(30, 38, 6), MINE + 1, 0))
    count, paint = fill(painted)
    assert count == 1
    np.testing.assert_array_equal(paint[LEFT], painted[LEFT])


def test_where_nothing_is_found_nothing_changes() -> None:
    painted = np.where(LEFT, MINE, 0)
    count, paint = fill(painted, np.zeros_like(FOUND))
    assert count == 0
    np.testing.assert_array_equal(paint, painted)


def test_paint_that_is_hidden_is_filled_too_also_after_another_patch_took_its_place() -> None:
    layer = Labels(np.zeros((20, 30), np.uint32))
    brush = ObjectBrush(layer)
    layer.visible = False
    layer.data = np.zeros(FOUND.shape, np.uint32)
    assert brush.fill(FOUND) == 2
    np.testing.assert_array_equal(layer.data > 0, FOUND > 0)
