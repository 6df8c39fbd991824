from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from napari_mouse_seg.tiling import Box

boxes = st.builds(
    lambda y, x, rows, columns: Box(y, x, y + rows, x + columns),
    st.integers(-50, 50),
    st.integers(-50, 50),
    st.integers(0, 40),
    st.integers(0, 40),
)


@given(boxes, boxes)
def test_the_union_holds_both_and_the_intersection_lies_in_both(a: Box, b: Box) -> None:
    assert a.union(b).contains(a)
    assert a.union(b).contains(b)
    common = a.intersect(b)
    if common.area:
        assert a.contains(common)
        assert b.contains(common)


def test_boxes_apart_have_an_empty_intersection() -> None:
    assert Box(0, 0, 5, 5).intersect(Box(6, 0, 9, 5)).area == 0


def test_growing_and_shifting_keep_the_order_of_rows_and_columns() -> None:
    assert Box(1, 2, 3, 5).grow(1) == Box(0, 1, 4, 6)
    assert Box(1, 2, 3, 5).shift(10, 100) == Box(11, 102, 13, 105)
    assert Box(1, 2, 3, 5).shape == (2, 3)
