"""What blocks of a region found, put together: finished objects into one array, cut components into groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from napari_mouse_seg.instances import _kernels
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

FIRST, AREA, CUT = 0, 1, 6
"""Columns of the table that ``_kernels.describe`` makes."""


@dataclass(frozen=True, slots=True)
class Instances:
    """Objects in a box.

    Attributes
    ----------
    labels
        (Y, X) uint32 over ``box``; ids 1 to n in raster order of each object's first pixel.
    box
        Where the labels lie on the network's grid.
    cut
        Ids of objects that the box's edge cuts, or whose shape could change with what lies beyond it.
    count
        Number of objects.
    """

    labels: NDArray[np.uint32]
    box: Box
    cut: frozenset[int]
    count: int


@dataclass(frozen=True, slots=True)
class Solved:
    """Objects of a box: local labels 1 to n and one table row each (see ``_kernels.describe``)."""

    box: Box
    labels: NDArray[np.int32]
    table: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class OpenPieces:
    """Components of a block that go on in a neighbour: labels along the four sides, boxes and first pixels."""

    top: NDArray[np.int32]
    left: NDArray[np.int32]
    bottom: NDArray[np.int32]
    right: NDArray[np.int32]
    table: NDArray[np.int64]
    is_open: NDArray[np.bool_]


class Writer:
    """Collects solved boxes under provisional ids and numbers them in raster order at the end."""

    def __init__(self, labels: NDArray[np.uint32], region: Box) -> None:
        self._labels = labels
        self._region = region
        self._firsts: list[NDArray[np.int64]] = []
        self._cuts: list[NDArray[np.bool_]] = []
        self._count = 0

    def add(self, solved: Solved) -> None:
        """Write one box's objects; boxes may overlap, objects do not."""
        table = solved.table
        if len(table) == 0:
            return
        columns = solved.box.shape[1]
        y = table[:, FIRST] // columns + solved.box.y0 - self._region.y0
        x = table[:, FIRST] % columns + solved.box.x0 - self._region.x0
        self._firsts.append(y * self._region.shape[1] + x)
        self._cuts.append(table[:, CUT] > 0)
        target = self._labels[solved.box.shift(-self._region.y0, -self._region.x0).slices]
        _kernels.paste(target, solved.labels, self._count)
        self._count += len(table)

    def finish(self) -> Instances:
        """Renumber in place."""
        if self._count == 0:
            return Instances(self._labels, self._region, frozenset(), 0)
        order = np.argsort(np.concatenate(self._firsts), kind="stable")
        lookup = np.zeros(self._count + 1, np.uint32)
        lookup[order + 1] = np.arange(1, self._count + 1, dtype=np.uint32)
        _kernels.relabel(self._labels, lookup)
        cut = lookup[1:][np.concatenate(self._cuts)]
        return Instances(self._labels, self._region, frozenset(cut.tolist()), self._count)


def split(region: Box, block_px: int) -> list[Box]:
    """Cut a region into blocks, row by row."""
    return [
        Box(y, x, min(y + block_px, region.y1), min(x + block_px, region.x1))
        for y in range(region.y0, region.y1, block_px)
        for x in range(region.x0, region.x1, block_px)
    ]


def group_pieces(pieces: dict[Box, OpenPieces], region: Box, block_px: int) -> Iterable[tuple[Box, tuple[int, int]]]:
    """Put pieces that touch across borders together; yield each component's box and a pixel of it."""
    blocks = sorted(pieces)
    offsets = dict(zip(blocks, np.cumsum([0, *(len(pieces[box].is_open) for box in blocks)]).tolist(), strict=False))
    total = sum(len(pieces[box].is_open) for box in blocks)
    pairs = [np.empty((2, 0), np.int64)]
    for box in blocks:
        below = box.shift(block_px, 0).intersect(region)
        right = box.shift(0, block_px).intersect(region)
        if below in pieces:
            pairs.append(_touching(pieces[box].bottom, offsets[box], pieces[below].top, offsets[below]))
        if right in pieces:
            pairs.append(_touching(pieces[box].right, offsets[box], pieces[right].left, offsets[right]))
    first, second = np.concatenate(pairs, axis=1)
    graph = coo_array((np.ones(len(first), np.uint8), (first, second)), shape=(total, total))
    _, component = connected_components(graph, directed=False)
    groups: dict[int, tuple[Box, tuple[int, int]]] = {}
    for box in blocks:
        for piece in np.flatnonzero(pieces[box].is_open).tolist():
            row = pieces[box].table[piece].tolist()
            own = Box(*row[2:6]).shift(box.y0, box.x0)
            place = row[FIRST] // box.shape[1] + box.y0, row[FIRST] % box.shape[1] + box.x0
            key = int(component[offsets[box] + piece])
            known = groups.get(key)
            groups[key] = (own.union(known[0]), known[1]) if known else (own, place)
    return groups.values()


def _touching(near: NDArray[np.int32], near_offset: int, far: NDArray[np.int32], far_offset: int) -> NDArray[np.int64]:
    """Pairs of components that face each other across a border; (2, n)."""
    both = (near > 0) & (far > 0)
    return np.stack([near[both].astype(np.int64) + near_offset, far[both].astype(np.int64) + far_offset])
