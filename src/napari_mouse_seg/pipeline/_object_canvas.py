"""Objects of one image as they grow from view to view."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count, islice
from typing import TYPE_CHECKING

import numpy as np

from napari_mouse_seg.inference import require_free
from napari_mouse_seg.pipeline._canvas import Canvas, bands
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_mouse_seg.pipeline._segment import SegmentResult

_MOSTLY = 0.5
_GAP = 1 << 20
"""New ids go on above what was painted, unless that leaves out so many: ids end at 2**32 - 1, tables grow with them."""


@dataclass(slots=True)
class Merge:
    """What a result changes on a canvas.

    Attributes
    ----------
    result
        What is merged in.
    ids
        (n + 1,) int64: for each new object its id on the canvas, 0 to leave it out, -1, -2, … for ids to be given.
    erased
        Ids on the canvas that the result completes.
    cut
        Ids that an edge cuts afterwards, negative ones as in ``ids``.
    n_new
        How many ids are to be given.
    """

    result: SegmentResult
    ids: NDArray[np.int64]
    erased: set[int]
    cut: set[int]
    n_new: int = 0


class ObjectCanvas(Canvas[Merge]):
    """Single objects, each with an id of its own; 0 is background.

    Parameters
    ----------
    shape
        Rows and columns of the network's grid.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        super().__init__(shape)
        self._cut: set[int] = set()
        self._claimed: set[int] = set()
        self._last_id = 0
        # Where runs wrote objects: what is 0 there was erased by the user. Nobody paints in a large one.
        self._written: NDArray[np.bool_] | None = np.zeros(shape, np.bool_) if self.is_editable else None

    @property
    def paint_label(self) -> int:
        """An id that is free: a stroke made with it is a new object."""
        return next(label for label in count(self._last_id + 1) if label not in self._claimed)

    @property
    def cut(self) -> frozenset[int]:
        """Ids of objects that an edge still cuts."""
        return frozenset(self._cut)

    def claim(self, labels: set[int]) -> None:
        """Note ids that the user has painted with: a cut object with such an id is theirs, and never erased."""
        self._claimed |= labels
        self._cut -= labels

    def compare(self, result: SegmentResult) -> Merge:
        """Work out what a result changes; nothing is written.

        Objects already there stay, painted ones included; those that were cut are replaced by their
        completed selves and keep their id; new ones get ids that were never used. Those that the user has erased for
        the most part do not come again.

        Parameters
        ----------
        result
            Of a view or the full image, on the same grid.

        Returns
        -------
        Merge
            For ``apply``, before anything else is merged.

        Raises
        ------
        ExportError
            If the canvas is on a disk that has no room for the result.
        """
        require_free(self.array, result.labels.nbytes)
        there = self.array[result.box.slices]
        areas, overlaps = _compare(result.labels, there, result.n_objects)
        gone = np.zeros_like(areas)
        if self._written is not None:
            erased = result.labels[self._written[result.box.slices] & (there == 0)]
            gone = np.bincount(erased, minlength=result.n_objects + 1)
        merge = Merge(result, np.zeros(result.n_objects + 1, np.int64), set(), set(self._cut))
        # Whole objects first: a cut object may turn out to be several, and what stays cut must not take its id.
        labels = range(1, result.n_objects + 1)
        for label in sorted(labels, key=result.cut.__contains__):
            if gone[label] <= _MOSTLY * areas[label]:
                merge.ids[label] = self._place(label, merge, overlaps.get(label, {}), int(areas[label]))
        return merge

    def apply(self, merge: Merge) -> Box | None:
        """Write what ``compare`` worked out; quick enough for the main thread while ``is_editable``.

        What was painted since then stays, and new ids are others.

        Returns
        -------
        Box or None
            What changed.
        """
        result = merge.result
        if not merge.ids.any():
            return None
        new_ids = self._free_ids(merge.n_new)
        lookup = np.where(merge.ids < 0, new_ids[np.maximum(-merge.ids, 0)], merge.ids).astype(np.uint32)
        self._last_id = max(self._last_id, int(new_ids[-1]))
        self._cut = {int(new_ids[-label]) if label < 0 else label for label in merge.cut} - self._claimed
        if merge.erased - self._claimed:
            self._erase(merge.erased - self._claimed, result.box)
        target = self.array[result.box.slices]
        written = None if self._written is None else self._written[result.box.slices]
        changed = False
        for rows in bands(result.labels):
            renamed = lookup[result.labels[rows]]
            free = (renamed > 0) & (target[rows] == 0)
            if written is not None:
                free &= ~written[rows]
                written[rows] |= free
            np.copyto(target[rows], renamed, where=free)
            changed = changed or bool(free.any())
        return result.box if changed else None

    def _free_ids(self, n: int) -> NDArray[np.int64]:
        """Return 0, and n ids that nothing has."""
        # Painting may have used ids anywhere; canvases that cannot be painted are too large to search.
        highest = int(self.array.max(initial=0)) if self.is_editable else 0
        if highest - self._last_id <= _GAP:
            base = max(self._last_id, highest)
            return np.concatenate([[0], np.arange(base + 1, base + 1 + n)])
        taken = self._claimed.union(np.unique(self.array[self.array > self._last_id]).tolist())
        free = (label for label in count(self._last_id + 1) if label not in taken)
        return np.array([0, *islice(free, n)])

    def _place(self, label: int, merge: Merge, others: dict[int, int], area: int) -> int:
        """Decide an object's id: one on the canvas, 0 to leave it out, or -1, -2, … for new ones.

        Parameters
        ----------
        label
            Of the result.
        merge
            What was decided so far; the cut objects that this one completes are noted in it.
        others
            Pixels shared with each object on the canvas.
        area
            Of the new object.
        """
        is_cut = label in merge.result.cut
        whole = sum(pixels for other, pixels in others.items() if other not in self._cut)
        if whole > _MOSTLY * area:
            return 0
        # Those that another object of this result has completed are taken.
        open_ids = [other for other in others if other in merge.cut]
        if is_cut and open_ids:
            # Both parts are cut: they become one object, still cut, and nothing of it is erased.
            return max(open_ids, key=lambda other: others[other])
        merge.erased.update(open_ids)
        merge.cut.difference_update(open_ids)
        if open_ids:
            new_id = max(open_ids, key=lambda other: others[other])
        else:
            merge.n_new += 1
            new_id = -merge.n_new
        if is_cut:
            merge.cut.add(new_id)
        return new_id

    def _erase(self, labels: set[int], around: Box) -> None:
        """Remove objects; they may reach out of the box in which they were met, as far as their pixels go on."""
        bounds = Box(0, 0, *self.array.shape)
        others = self._last_id + 1  # Painted with ids above all that were given.
        doomed = np.zeros(others + 1, np.bool_)
        doomed[list(labels)] = True
        margin = 64
        while True:
            box = around.grow(margin).intersect(bounds)
            view = self.array[box.slices]
            reaches_out = False
            for rows in bands(view):
                band = view[rows]
                inside = doomed[np.minimum(band, others)]
                ends = [inside[:, 0], inside[:, -1]]
                if rows.start == 0:
                    ends.append(inside[0])
                if rows.stop >= view.shape[0]:
                    ends.append(inside[-1])
                reaches_out = reaches_out or any(end.any() for end in ends)
                band[inside] = 0
                if self._written is not None:
                    self._written[box.slices][rows][inside] = False
            if box == bounds or not reaches_out:
                return
            margin *= 2


def _compare(
    found: NDArray[np.uint32], there: NDArray[np.uint32], n: int
) -> tuple[NDArray[np.int64], dict[int, dict[int, int]]]:
    """Return the area of each new object, and the pixels it shares: new label → old label → pixels."""
    areas = np.zeros(n + 1, np.int64)
    table: dict[int, dict[int, int]] = {}
    for rows in bands(found):
        new, old = found[rows], there[rows]
        areas += np.bincount(new.ravel(), minlength=n + 1)
        both = (new > 0) & (old > 0)
        # One number a pair: sorting those is much faster than sorting columns.
        pairs, pixels = np.unique(new[both].astype(np.uint64) << np.uint64(32) | old[both], return_counts=True)
        for pair, shared in zip(pairs.tolist(), pixels.tolist(), strict=True):
            others = table.setdefault(pair >> 32, {})
            others[pair & 0xFFFFFFFF] = others.get(pair & 0xFFFFFFFF, 0) + shared
    return areas, table
