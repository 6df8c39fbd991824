from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_mouse_seg.errors import PlanError
from napari_mouse_seg.tiling import WEIGHT_ONE, Box, TileGrid, plan_tiles

shapes = st.tuples(st.integers(1, 400), st.integers(1, 400))
grids = st.builds(TileGrid, shapes, st.sampled_from([64, 96]), st.sampled_from([0, 8, 32]))


@given(grids)
def test_blend_weights_add_up_to_one_at_every_pixel(grid: TileGrid) -> None:
    total = np.zeros(grid.shape, np.int64)
    for tile in grid.tiles():
        total[tile.write.slices] += grid.weights(tile)
    assert (total == WEIGHT_ONE**2).all()


@given(grids, st.data())
def test_tiles_of_a_box_are_all_that_contribute_to_it(grid: TileGrid, data: st.DataObject) -> None:
    y0, y1 = sorted(data.draw(st.tuples(st.integers(0, grid.shape[0]), st.integers(0, grid.shape[0]))))
    x0, x1 = sorted(data.draw(st.tuples(st.integers(0, grid.shape[1]), st.integers(0, grid.shape[1]))))
    box = Box(y0, x0, y1, x1)
    chosen = {(tile.row, tile.column) for tile in grid.tiles(box)}
    needed = {
        (tile.row, tile.column)
        for tile in grid.tiles()
        if box.area and tile.write.intersect(box).area and grid.weights(tile)[_inside(tile.write, box)].any()
    }
    assert needed <= chosen


def _inside(outer: Box, box: Box) -> tuple[slice, slice]:
    return outer.intersect(box).shift(-outer.y0, -outer.x0).slices


@given(grids, st.data())
def test_complete_box_holds_the_box_and_needs_no_other_tile(grid: TileGrid, data: st.DataObject) -> None:
    y0 = data.draw(st.integers(0, grid.shape[0] - 1))
    x0 = data.draw(st.integers(0, grid.shape[1] - 1))
    box = Box(y0, x0, data.draw(st.integers(y0 + 1, grid.shape[0])), data.draw(st.integers(x0 + 1, grid.shape[1])))
    complete = grid.complete_box(box)
    assert complete.contains(box)
    total = np.zeros(grid.shape, np.int64)
    for tile in grid.tiles(box):
        total[tile.write.slices] += grid.weights(tile)
    assert (total[complete.slices] == WEIGHT_ONE**2).all()


@given(grids, st.sampled_from([1, 8, 32]))
def test_tiles_read_their_margin_up_to_the_edge_of_the_image(grid: TileGrid, stride_px: int) -> None:
    grid = replace(grid, stride_px=stride_px)
    for tile in grid.tiles():
        wanted = Box(0, 0, grid.core_px, grid.core_px).shift(tile.row * grid.core_px, tile.column * grid.core_px)
        wanted = wanted.grow(grid.margin_px)
        assert tile.read.intersect(grid.bounds) == wanted.intersect(grid.bounds)
        assert wanted.contains(tile.read)
        assert tile.read.y0 >= 0 <= tile.read.x0
        assert tile.read.y1 < grid.shape[0] + stride_px
        assert tile.read.x1 < grid.shape[1] + stride_px
        assert tile.read.contains(tile.write)
        assert grid.bounds.contains(tile.write)


@given(st.tuples(st.integers(1, 400), st.integers(1, 400)), st.sampled_from([8, 16, 32]), st.integers(0, 100))
def test_all_reads_start_and_end_at_multiples_of_the_stride(
    shape: tuple[int, int], stride_px: int, halo_px: int
) -> None:
    for tile in plan_tiles(shape, 64, halo_px, stride_px).tiles():
        assert {side % stride_px for side in (*tile.read.shape, tile.read.y0, tile.read.x0)} == {0}


def test_a_region_outside_the_image_has_no_tiles() -> None:
    assert list(plan_tiles((100, 100), 64, 32).tiles(Box(100, 0, 200, 50))) == []


def test_the_halo_is_widened_to_the_stride() -> None:
    for halo_px, stride_px in ((0, 32), (10, 8), (32, 32), (72, 8)):
        grid = plan_tiles((100, 100), 64, halo_px, stride_px)
        assert halo_px <= grid.halo_px < halo_px + stride_px
        assert grid.margin_px % stride_px == grid.read_px % stride_px == 0


def test_an_empty_image_cannot_be_tiled() -> None:
    with pytest.raises(PlanError, match="Cannot tile an image of 0 x 10"):
        plan_tiles((0, 10), 64, 32)


def test_a_tile_too_small_to_blend_is_refused() -> None:
    with pytest.raises(PlanError, match="too small to blend"):
        TileGrid((100, 100), 16, 32, 16)
