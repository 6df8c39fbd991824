"""One fixed grid of tiles over an image, with integer blend weights.

The grid depends on the image alone, never on the region asked for, so a viewport's scores are the
crop of the full image's. Tiles end where the image does, as the patches do that networks are trained on: a
mirrored margin doubles what the edge cuts, which networks have never seen, and costs time. Weights are
integers that add up to the same number at every pixel: integer sums do not depend on the order in which
tiles arrive, float sums do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_mouse_seg.errors import PlanError
from napari_mouse_seg.tiling._box import Box

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

WEIGHT_ONE = 16
"""Sum of the blend weights along one axis."""

BLEND_PX = 16
"""Half the width over which neighbouring tiles are cross-faded."""

SCORE_ONE = WEIGHT_ONE * WEIGHT_ONE * 255
"""Stored value of a score of 1; blended sums stay within uint16."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile of a grid.

    Attributes
    ----------
    row, column
        Position in the grid.
    read
        What the network sees: context around ``write`` that ends where the image does, or at the next multiple of the
        network's stride.
    write
        What the tile contributes to, inside the image.
    """

    row: int
    column: int
    read: Box
    write: Box


@dataclass(frozen=True, slots=True)
class TileGrid:
    """Tiles over an image of a given shape.

    Attributes
    ----------
    shape
        Rows and columns of the image.
    core_px
        Side of the squares that partition the image.
    halo_px
        Context read around everything that a tile contributes to. Where it covers the network's receptive
        field, scores do not depend on the tiles.
    blend_px
        Neighbouring tiles are cross-faded over this many pixels on each side of a core's edge.
    stride_px
        Reads that the image's edge cuts short are as long as a multiple of this.
    """

    shape: tuple[int, int]
    core_px: int
    halo_px: int
    blend_px: int = BLEND_PX
    stride_px: int = 1

    def __post_init__(self) -> None:
        if min(self.shape) < 1:
            raise PlanError(f"Cannot tile an image of {self.shape[0]} x {self.shape[1]} pixels.")
        if self.core_px < 2 * self.blend_px:
            raise PlanError(f"A tile of {self.core_px} px is too small to blend over {self.blend_px} px on each side.")

    @property
    def counts(self) -> tuple[int, int]:
        """Rows and columns of tiles."""
        return -(-self.shape[0] // self.core_px), -(-self.shape[1] // self.core_px)

    @property
    def margin_px(self) -> int:
        """How far a tile reads around its core."""
        return self.halo_px + self.blend_px

    @property
    def read_px(self) -> int:
        """Side of the largest read box, of a tile that does not reach the image's edge."""
        return self.core_px + 2 * self.margin_px

    @property
    def bounds(self) -> Box:
        """The image as a box."""
        return Box(0, 0, *self.shape)

    def tile(self, row: int, column: int) -> Tile:
        """Return one tile."""
        core = Box(0, 0, self.core_px, self.core_px).shift(row * self.core_px, column * self.core_px)
        readable = Box(0, 0, *(-(-size // self.stride_px) * self.stride_px for size in self.shape))
        read = core.grow(self.margin_px).intersect(readable)
        return Tile(row, column, read, core.grow(self.blend_px).intersect(self.bounds))

    def tiles(self, box: Box | None = None) -> Iterator[Tile]:
        """Yield, row by row, every tile that contributes to some pixel of ``box`` (default: the image)."""
        box = self.bounds if box is None else box.intersect(self.bounds)
        if box.area == 0:
            return
        rows, columns = self.counts
        grown = box.grow(self.blend_px)
        for row in range(max(0, grown.y0 // self.core_px), min(rows, -(-grown.y1 // self.core_px))):
            for column in range(max(0, grown.x0 // self.core_px), min(columns, -(-grown.x1 // self.core_px))):
                yield self.tile(row, column)

    def complete_box(self, box: Box) -> Box:
        """Return the largest box around ``box`` whose scores are complete once ``tiles(box)`` are done."""
        tiles = list(self.tiles(box))
        first, last = tiles[0], tiles[-1]
        rows, columns = self.counts
        return Box(
            first.row * self.core_px + (self.blend_px if first.row else 0),
            first.column * self.core_px + (self.blend_px if first.column else 0),
            self.shape[0] if last.row == rows - 1 else (last.row + 1) * self.core_px - self.blend_px,
            self.shape[1] if last.column == columns - 1 else (last.column + 1) * self.core_px - self.blend_px,
        )

    def weights(self, tile: Tile) -> NDArray[np.uint16]:
        """Return the blend weights over ``tile.write``; over all tiles they add up to ``WEIGHT_ONE`` squared."""
        rows = self._ramp(tile.row, tile.write.y0, tile.write.y1, self.counts[0])
        columns = self._ramp(tile.column, tile.write.x0, tile.write.x1, self.counts[1])
        return np.multiply.outer(rows, columns)

    def _ramp(self, index: int, start: int, stop: int, count: int) -> NDArray[np.uint16]:
        """Weights along one axis, from 0 to ``WEIGHT_ONE``."""
        position = np.arange(start, stop)
        weights = np.full(position.shape, WEIGHT_ONE, np.uint16)
        if index > 0:
            weights = np.minimum(weights, self._rise(position - index * self.core_px))
        if index < count - 1:
            weights = np.minimum(weights, WEIGHT_ONE - self._rise(position - (index + 1) * self.core_px))
        return weights.astype(np.uint16)

    def _rise(self, offset: NDArray[np.intp]) -> NDArray[np.intp]:
        """Share of the right-hand tile at an offset from the edge between two cores."""
        if self.blend_px == 0:
            return np.where(offset < 0, 0, WEIGHT_ONE)
        return np.clip(((2 * (offset + self.blend_px) + 1) * WEIGHT_ONE) // (4 * self.blend_px), 0, WEIGHT_ONE)


def plan_tiles(shape: tuple[int, int], core_px: int, halo_px: int, stride_px: int = 1) -> TileGrid:
    """Return the tile grid of an image.

    Parameters
    ----------
    shape
        Rows and columns on the network's grid.
    core_px, halo_px
        Kept square and least context around it.
    stride_px
        The halo is widened until tiles start and end at multiples of this, as the network needs it; cores must be
        such multiples.

    Raises
    ------
    PlanError
        If the image is empty or the core too small to blend.
    """
    margin_px = -(-(halo_px + BLEND_PX) // stride_px) * stride_px
    return TileGrid(shape, core_px, margin_px - BLEND_PX, stride_px=stride_px)
