"""Scores → instances, block by block, with the same result for every block size and order.

Everything in the decoder happens inside one connected component of the foreground. A block solves the
components that it holds whole; those that cross a border are put together by union-find and solved in a
crop of their own. Stitching finished labels by their overlap was rejected: it depends on the blocks.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_mouse_seg.errors import PlanError
from napari_mouse_seg.instances import _kernels
from napari_mouse_seg.instances._components import fill_holes, label_components
from napari_mouse_seg.instances._stitch import AREA, Instances, OpenPieces, Solved, Writer, group_pieces, split
from napari_mouse_seg.instances._watershed import separate
from napari_mouse_seg.tiling import SCORE_ONE, Box

if TYPE_CHECKING:
    from napari_mouse_seg.plans import InstancesPlan

ReadScores = Callable[[Box], NDArray[np.uint16]]
"""Returns the (3, Y, X) scores of a box: foreground, touching boundary, distance, from 0 to ``SCORE_ONE``."""

_PATIENCE_S = 0.2
_SCORE_SHIFT = 8  # From 0 to SCORE_ONE down to 0 to 255, exactly.
_MAX_CROP_PX = 2**31 - 1  # With a rim.


@dataclass(slots=True)
class _Maps:
    """What one box is decoded from; all (Y, X) uint8.

    Attributes
    ----------
    mask
        1 in the foreground, with holes filled.
    core
        Core score.
    outside
        1 where the unseen part beyond a cut edge may flood from.
    certainty
        Foreground score, 0 to 255.
    """

    mask: NDArray[np.uint8]
    core: NDArray[np.uint8]
    outside: NDArray[np.uint8]
    certainty: NDArray[np.uint8]


class Decoder:
    """Decodes one region of one score map.

    Parameters
    ----------
    read
        Where scores come from; called with boxes inside ``region``, from several threads.
    bounds
        The whole image.
    region
        Where the scores are complete; edges that are not edges of ``bounds`` cut objects.
    plan
        Thresholds.
    """

    def __init__(self, read: ReadScores, bounds: Box, region: Box, plan: InstancesPlan) -> None:
        if not bounds.contains(region) or region.area == 0:
            raise PlanError(f"The region {tuple(region)} does not lie within the image {tuple(bounds)}.")
        self._read = read
        self._bounds = bounds
        self._region = region
        self._plan = plan
        self._foreground_min = math.ceil(plan.foreground_threshold * SCORE_ONE)
        self._min_depth = max(1, round(plan.split_depth * 255))
        self._stop = np.zeros(1, np.uint8)

    def give_up(self) -> None:
        """Let calls at work in other threads raise ``CancelledError`` soon; there is no way back."""
        self._stop[0] = 1

    def maps(self, box: Box) -> _Maps:
        """Return what a box is decoded from.

        A hole of at most n pixels reaches at most n pixels out of the box, so that margin makes it exact.
        """
        grown = box.grow(self._plan.max_hole_px + 1).intersect(self._region)
        self._check()
        scores = np.ascontiguousarray(self._read(grown))
        self._check()
        mask, core = _kernels.score_maps(scores, self._foreground_min, self._plan.boundary_weight, SCORE_ONE)
        self._check()
        outside = fill_holes(mask, self._plan.max_hole_px, self._cut_edges(grown))
        inner = box.shift(-grown.y0, -grown.x0).slices
        certainty = (scores[0][inner] >> _SCORE_SHIFT).astype(np.uint8)
        mask, core, outside = (np.ascontiguousarray(part[inner]) for part in (mask, core, outside))
        return _Maps(mask, core, outside, certainty)

    def solve_block(self, box: Box) -> tuple[Solved, OpenPieces]:
        """Solve the components that lie whole in a block; describe those that do not."""
        maps = self.maps(box)
        pieces, count = label_components(maps.mask)
        is_open = np.zeros(count + 1, np.bool_)
        sides = pieces[0], pieces[:, 0], pieces[-1], pieces[:, -1]
        region = self._region
        inner = box.y0 > region.y0, box.x0 > region.x0, box.y1 < region.y1, box.x1 < region.x1
        for side, is_inner in zip(sides, inner, strict=True):
            if is_inner:
                is_open[side] = True
        is_open[0] = False
        table = _kernels.describe(pieces, pieces, count)
        top, left, bottom, right = (side.copy() for side in sides)
        open_pieces = OpenPieces(top, left, bottom, right, table, is_open)
        _kernels.relabel(pieces, np.where(is_open, 0, np.arange(count + 1)).astype(np.int32))
        return self._solve(box, pieces, count, maps), open_pieces

    def solve_component(self, box: Box, first: tuple[int, int]) -> Solved:
        """Solve one component that spans blocks, given the box around it and its first pixel."""
        if box.grow(1).area > _MAX_CROP_PX:
            raise PlanError(
                f"One foreground area spans {box.shape[0]} x {box.shape[1]} pixels; raise the foreground threshold."
            )
        maps = self.maps(box)
        self._check()
        pieces, count = label_components(maps.mask)
        asked_for = np.arange(count + 1) == pieces[first[0] - box.y0, first[1] - box.x0]
        _kernels.relabel(pieces, asked_for.astype(np.int32))
        return self._solve(box, pieces, 1, maps)

    def _solve(self, box: Box, pieces: NDArray[np.int32], count: int, maps: _Maps) -> Solved:
        """Divide components, 1 to ``count``, into the objects that the plan keeps."""
        labels, sure, count = separate(pieces, count, maps.core, maps.outside, self._min_depth, self._stop)
        self._check()
        table = _kernels.describe(labels, sure, count)
        keep = table[:, AREA] >= self._plan.min_area_px
        if self._plan.min_certainty > 0:
            sums = _kernels.sum_by_label(labels, maps.certainty, count)
            keep &= sums >= self._plan.min_certainty * 255 * table[:, AREA]
        keep[0] = False
        lookup = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
        _kernels.relabel(labels, lookup)
        return Solved(box, labels, table[keep])

    def _check(self) -> None:
        if self._stop[0]:
            raise CancelledError

    def _cut_edges(self, box: Box) -> NDArray[np.bool_]:
        """Which edges of a box (top, left, bottom, right) are edges of the region but not of the image."""
        region, bounds = self._region, self._bounds
        return np.array(
            [mine == whole and whole != end for mine, whole, end in zip(box, region, bounds, strict=True)], np.bool_
        )


def decode_blocks(
    read: ReadScores,
    bounds: Box,
    region: Box,
    plan: InstancesPlan,
    *,
    block_px: int = 1024,
    workers: int | None = None,
    out: NDArray[np.uint32] | None = None,
    order: Callable[[list[Box]], list[Box]] | None = None,
) -> Generator[tuple[int, int], None, Instances]:
    """Decode a region; a generator that yields (blocks done, blocks in all) and returns the instances.

    Parameters
    ----------
    read, bounds, region, plan
        As in ``Decoder``.
    block_px
        Side of a block; changes memory and speed, never the result.
    workers
        Threads (the loops release the interpreter lock); default: one a core.
    out
        (Y, X) uint32 over ``region`` to write into, for instance a memory map; must be zero.
    order
        Rearranges the blocks, for tests; the result does not depend on it.

    Yields
    ------
    tuple of int
        Progress.

    Returns
    -------
    Instances
        Labels and what is known of them.
    """
    decoder = Decoder(read, bounds, region, plan)
    blocks = split(region, block_px)
    queue = order(blocks) if order else blocks
    labels = np.zeros(region.shape, np.uint32) if out is None else out
    writer = Writer(labels, region)
    pieces: dict[Box, OpenPieces] = {}
    with _threads(decoder, workers) as pool:
        futures: list[Future[Any]] = [pool.submit(decoder.solve_block, box) for box in queue]  # Any: two kinds
        for done, box in enumerate(queue, start=1):
            yield from _wait(futures[done - 1], (done - 1, len(queue) + 1))
            solved, pieces[box] = futures[done - 1].result()
            futures[done - 1] = Future()  # Lets go of the labels.
            writer.add(solved)
            yield done, len(queue) + 1
        groups = list(group_pieces(pieces, region, block_px))
        futures = [pool.submit(decoder.solve_component, box, first) for box, first in groups]
        for future in futures:
            yield from _wait(future, (len(queue), len(queue) + 1))
            writer.add(future.result())
    instances = writer.finish()
    yield len(queue) + 1, len(queue) + 1
    return instances


@contextmanager
def _threads(decoder: Decoder, workers: int | None) -> Iterator[ThreadPoolExecutor]:
    """Threads for a decoder; in the end it gives up, and what they have not begun is dropped."""
    pool = ThreadPoolExecutor(workers or os.cpu_count() or 1)
    try:
        yield pool
    finally:
        decoder.give_up()
        pool.shutdown(cancel_futures=True)


def _wait(future: Future[Any], progress: tuple[int, int]) -> Iterator[tuple[int, int]]:  # Any: results of two kinds
    """Wait for a result, and say how far it is in between, so that the wait can be cancelled."""
    while not wait([future], _PATIENCE_S).done:
        yield progress


def decode(scores: NDArray[np.uint16], plan: InstancesPlan, **options: Any) -> Instances:  # Any: passed on
    """Decode a whole score map at once.

    Parameters
    ----------
    scores
        (3, Y, X) uint16 from 0 to ``SCORE_ONE``: foreground, touching boundary, distance.
    plan
        Thresholds.
    **options
        Of ``decode_blocks``.
    """
    bounds = Box(0, 0, *scores.shape[1:])
    steps = decode_blocks(lambda box: scores[:, *box.slices], bounds, bounds, plan, **options)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            instances: Instances = stop.value
            return instances


def keep_inside(instances: Instances, box: Box) -> Instances:
    """Drop the objects that have no pixel in ``box`` and number the rest anew; labels change in place."""
    if box.contains(instances.box):
        return instances
    inner = box.shift(-instances.box.y0, -instances.box.x0)
    keep = np.zeros(instances.count + 1, np.bool_)
    keep[instances.labels[inner.slices]] = True
    keep[0] = False
    if keep[1:].all():
        return instances
    lookup = np.where(keep, np.cumsum(keep), 0).astype(np.uint32)
    _kernels.relabel(instances.labels, lookup)
    cut = frozenset(int(lookup[label]) for label in instances.cut if keep[label])
    return Instances(instances.labels, instances.box, cut, int(keep.sum()))
