"""Where the ends of a stroke say that there is background."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")

from napari_mouse_seg.plugin._stroke_ends import beyond_ends

SHAPE = (40, 60)


def ends(*points: tuple[float, float], brush_px: float = 4.0) -> list[tuple[int, int]]:
    mask = beyond_ends([np.array(point) for point in points], brush_px, SHAPE)
    return [(int(y), int(x)) for y, x in np.argwhere(mask)]


def test_both_ends_of_a_straight_stroke_are_marked_beyond_the_brush() -> None:
    assert ends((20, 20), (20, 30), (20, 40)) == [
        (y, x) for y in (19, 20, 21) for x in (14, 15, 16, 17, 43, 44, 45, 46)
    ]


def test_the_direction_is_that_at_the_end_not_of_the_whole_stroke() -> None:
    marked = ends((10, 10), (10, 20), (10, 30), (20, 30), (28, 30))
    assert (33, 30) in marked
    assert (10, 5) in marked
    assert all(y > 30 or x < 9 for y, x in marked)


def test_a_tremble_at_the_end_does_not_turn_it() -> None:
    assert (20, 44) in ends((20, 20), (20, 40), (20.5, 40.0))


@pytest.mark.parametrize("points", [[(20, 20)], [(20, 20), (20.3, 20.3)]])
def test_a_click_has_no_ends(points: list[tuple[float, float]]) -> None:
    assert ends(*points) == []


def test_beyond_the_patch_nothing_is_marked() -> None:
    marked = ends((20, 1), (20, 58))
    assert marked == []
    assert ends((-30, -30), (-20, -20)) == []
