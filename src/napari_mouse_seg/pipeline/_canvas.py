"""Labels of one image as they grow from view to view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_mouse_seg.inference import sparse_zeros
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_mouse_seg.pipeline._segment import SegmentResult

_COARSEST_PX = 1024
_BAND_PX = 4_000_000
_MOSTLY = 0.5


class LabelCanvas:
    """A label image over the whole network grid.

    Parameters
    ----------
    shape
        Rows and columns of the network's grid.

    Attributes
    ----------
    array
        (Y, X) uint32; takes memory (or, when large, disk) only where objects are.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.array: NDArray[np.uint32] = sparse_zeros(shape, np.uint32)
        self._cut: set[int] = set()
        self._written: set[Box] = set()
        self._last_id = 0

    def levels(self) -> list[NDArray[np.uint32]]:
        """Return the array and coarser strided views of it; they share its memory, so they are always current."""
        levels = [self.array]
        while max(levels[-1].shape) > _COARSEST_PX and min(levels[-1].shape) > 1:
            levels.append(levels[-1][::2, ::2])
        return levels

    @property
    def cut(self) -> frozenset[int]:
        """Ids of objects that an edge still cuts."""
        return frozenset(self._cut)

    def clear(self) -> None:
        """Remove all objects that runs have added; ids start at 1 again.

        Only boxes that were written are touched, so that an untouched part of a large canvas takes no memory.
        """
        for box in self._written:
            self.array[box.slices] = 0
        self._written.clear()
        self._cut.clear()
        self._last_id = 0

    def add(self, result: SegmentResult) -> Box | None:
        """Merge a result in.

        Objects already there stay, painted ones included; those that were cut are replaced by their
        completed selves and keep their id; new ones get ids that were never used.

        Parameters
        ----------
        result
            Of a view or the full image, on the same grid.

        Returns
        -------
        Box or None
            What changed.
        """
        target = self.array[result.box.slices]
        found = result.labels
        # Painting may have used ids anywhere; canvases on disk cannot be painted and are too large to search.
        painted = target if isinstance(self.array, np.memmap) else self.array
        self._last_id = max(self._last_id, int(painted.max(initial=0)))
        areas, overlaps = _compare(found, target, result.n_objects)
        lookup = np.zeros(result.n_objects + 1, np.uint32)
        cut_before = frozenset(self._cut)
        for label in range(1, result.n_objects + 1):
            lookup[label] = self._place(label, result, overlaps.get(label, {}), int(areas[label]), cut_before)
        if not lookup.any():
            return None
        changed = False
        self._written.add(result.box)
        for rows in _bands(found):
            renamed = lookup[found[rows]]
            free = (renamed > 0) & (target[rows] == 0)
            np.copyto(target[rows], renamed, where=free)
            changed = changed or bool(free.any())
        return result.box if changed else None

    def _place(
        self, label: int, result: SegmentResult, others: dict[int, int], area: int, cut_before: frozenset[int]
    ) -> int:
        """Decide an object's id on the canvas, 0 to leave it out; erase the cut objects that it completes."""
        is_cut = label in result.cut
        whole = sum(pixels for other, pixels in others.items() if other not in cut_before)
        if whole > _MOSTLY * area:
            return 0
        open_ids = [other for other in others if other in cut_before]
        if is_cut and open_ids:
            # Both parts are cut: they become one object, still cut, and nothing of it is erased.
            return max(open_ids, key=lambda other: others[other])
        # A cut object may turn out to be several: the first of them keeps its id.
        free_ids = [other for other in open_ids if other in self._cut]
        for other in free_ids:
            self._erase(other, result.box)
            self._cut.discard(other)
        if free_ids:
            new_id = max(free_ids, key=lambda other: others[other])
        else:
            self._last_id += 1
            new_id = self._last_id
        if is_cut:
            self._cut.add(new_id)
        return new_id

    def _erase(self, label: int, around: Box) -> None:
        """Remove an object; it may reach out of the box in which it was met, as far as its pixels go on."""
        bounds = Box(0, 0, *self.array.shape)
        margin = 64
        while True:
            box = around.grow(margin).intersect(bounds)
            view = self.array[box.slices]
            inside = view == label
            edges = (inside[0], inside[-1], inside[:, 0], inside[:, -1])
            view[inside] = 0
            if box == bounds or not any(edge.any() for edge in edges):
                return
            margin *= 2


def _bands(array: NDArray[np.uint32]) -> Iterator[slice]:
    """Rows in bands, so that temporary arrays stay small on large images."""
    height = max(1, _BAND_PX // max(1, array.shape[1]))
    return (slice(start, start + height) for start in range(0, array.shape[0], height))


def _compare(
    found: NDArray[np.uint32], there: NDArray[np.uint32], count: int
) -> tuple[NDArray[np.int64], dict[int, dict[int, int]]]:
    """Return the area of each new object, and the pixels it shares: new label → old label → pixels."""
    areas = np.zeros(count + 1, np.int64)
    table: dict[int, dict[int, int]] = {}
    for rows in _bands(found):
        new, old = found[rows], there[rows]
        areas += np.bincount(new.ravel(), minlength=count + 1)
        both = (new > 0) & (old > 0)
        # One number a pair: sorting those is much faster than sorting columns.
        pairs, pixels = np.unique(new[both].astype(np.uint64) << np.uint64(32) | old[both], return_counts=True)
        for pair, shared in zip(pairs.tolist(), pixels.tolist(), strict=True):
            others = table.setdefault(pair >> 32, {})
            others[pair & 0xFFFFFFFF] = others.get(pair & 0xFFFFFFFF, 0) + shared
    return areas, table
