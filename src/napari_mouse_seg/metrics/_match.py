"""Which predicted object overlaps which true object, and by how much.

Only pairs that overlap are kept: the dense objects x objects table of most implementations
takes 80 GB for 100,000 nuclei on each side, this one a few megabytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.errors import ImageError, UnsupportedImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BAND_PIXELS = 1 << 22
_ID_BITS = np.uint64(32)
_ID_MASK = np.uint64((1 << 32) - 1)


@dataclass(frozen=True, slots=True)
class Matches:
    """Objects of two label images and every pair that shares a pixel.

    Attributes
    ----------
    predicted_ids, truth_ids
        Labels in ascending order, background left out.
    predicted_areas, truth_areas
        Their areas in pixels.
    predicted_index, truth_index
        One entry a pair: positions in ``predicted_ids`` and ``truth_ids``.
    intersection, iou
        One entry a pair: pixels in common, and intersection over union.
    first
        One entry a pair: position of its first pixel in raster order, which tells pairs apart whatever their ids.
    """

    predicted_ids: NDArray[np.uint32]
    truth_ids: NDArray[np.uint32]
    predicted_areas: NDArray[np.int64]
    truth_areas: NDArray[np.int64]
    predicted_index: NDArray[np.intp]
    truth_index: NDArray[np.intp]
    intersection: NDArray[np.int64]
    iou: NDArray[np.float64]
    first: NDArray[np.int64]

    def assign(self, threshold: float) -> NDArray[np.intp]:
        """Return the pairs of a largest one-to-one matching with IoU at or above the threshold.

        From 0.5 upwards greedy is optimal: a pair at IoU >= 0.5 shares at least half of either
        object, so an object has two such partners only where they are its two exact halves (IoU
        0.5 each), and these have no other partner. Below 0.5 a maximum bipartite matching is made.

        Returns
        -------
        NDArray[np.intp]
            Positions in the arrays of pairs.
        """
        pairs = np.flatnonzero(self.iou >= threshold)
        if threshold >= 0.5:
            pairs = pairs[np.unique(self.predicted_index[pairs], return_index=True)[1]]
            return pairs[np.unique(self.truth_index[pairs], return_index=True)[1]]
        return self._largest_matching(pairs)

    def _largest_matching(self, pairs: NDArray[np.intp]) -> NDArray[np.intp]:
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import maximum_bipartite_matching

        shape = (len(self.predicted_ids), len(self.truth_ids))
        if pairs.size == 0:
            return pairs
        places = (self.predicted_index[pairs], self.truth_index[pairs])
        graph = csr_array((np.ones(pairs.size), places), shape=shape)
        partner = maximum_bipartite_matching(graph, perm_type="column")
        chosen: NDArray[np.intp] = pairs[partner[places[0]] == places[1]]
        return chosen


def match_instances(predicted: NDArray[Any], truth: NDArray[Any], min_area_px: int = 0) -> Matches:
    """Return the overlaps between two label images.

    Rows are read in bands, so memory-mapped images of any size work; runs of equal pairs are
    counted before sorting, so the cost is about one pass over the pixels.

    Parameters
    ----------
    predicted, truth
        Integer (or bool) labels of equal shape, 2-D or more; 0 is background, ids below 2**32.
    min_area_px
        Objects with fewer pixels are dropped on both sides and their pixels count as background.

    Returns
    -------
    Matches
        Objects, areas and overlapping pairs.

    Raises
    ------
    ImageError
        If the shapes differ or a label is negative or too large.
    UnsupportedImageError
        If an image does not hold integers.
    """
    _check(predicted, truth)
    keys, counts, first = _count_pairs(predicted, truth)
    predicted_of, truth_of = keys >> _ID_BITS, keys & _ID_MASK
    predicted_ids, predicted_areas = _areas(predicted_of, counts, min_area_px)
    truth_ids, truth_areas = _areas(truth_of, counts, min_area_px)
    shared = np.isin(predicted_of, predicted_ids) & np.isin(truth_of, truth_ids)
    rows = np.searchsorted(predicted_ids, predicted_of[shared])
    columns = np.searchsorted(truth_ids, truth_of[shared])
    intersection = counts[shared]
    iou = intersection / (predicted_areas[rows] + truth_areas[columns] - intersection)
    return Matches(
        predicted_ids.astype(np.uint32),
        truth_ids.astype(np.uint32),
        predicted_areas,
        truth_areas,
        rows,
        columns,
        intersection,
        iou,
        first[shared],
    )


def _check(predicted: NDArray[Any], truth: NDArray[Any]) -> None:
    if predicted.shape != truth.shape:
        raise ImageError(
            f"The predicted labels have shape {predicted.shape}, but the true labels {truth.shape}; "
            "compare labels of the same image at the same scale."
        )
    for name, labels in (("predicted", predicted), ("true", truth)):
        if labels.dtype.kind not in "iub":
            raise UnsupportedImageError(
                f"The {name} labels are {labels.dtype}, not integers; give a label image, one integer an object."
            )


_Pairs = tuple["NDArray[np.uint64]", "NDArray[np.int64]", "NDArray[np.int64]"]


def _count_pairs(predicted: NDArray[Any], truth: NDArray[Any]) -> _Pairs:
    """Distinct pairs (predicted id in the upper 32 bits) with their numbers of pixels and their first pixels."""
    if predicted.size == 0:
        return np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64)
    rows = max(1, _BAND_PIXELS * predicted.shape[0] // predicted.size)
    row_pixels = predicted.size // predicted.shape[0]
    bands = []
    for start in range(0, predicted.shape[0], rows):
        part = slice(start, start + rows)
        keys, counts, first = _count_band(np.asarray(predicted[part]), np.asarray(truth[part]))
        bands.append((keys, counts, first + start * row_pixels))
    keys, counts, first = (np.concatenate(parts) for parts in zip(*bands, strict=True))
    return _merge_pairs(keys, counts, first)


def _merge_pairs(keys: NDArray[np.uint64], counts: NDArray[np.int64], first: NDArray[np.int64]) -> _Pairs:
    """Add the counts of equal keys up; ``first`` is ascending among equal keys, so that the first one is kept."""
    unique, index, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return unique, np.bincount(inverse, weights=counts, minlength=unique.size).astype(np.int64), first[index]


def _count_band(predicted: NDArray[Any], truth: NDArray[Any]) -> _Pairs:
    predicted, truth = predicted.reshape(-1), truth.reshape(-1)
    changes = (predicted[1:] != predicted[:-1]) | (truth[1:] != truth[:-1])
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    lengths = np.diff(starts, append=predicted.size)
    keys = (_ids(predicted[starts]) << _ID_BITS) | _ids(truth[starts])
    return _merge_pairs(keys, lengths, starts)


def _ids(labels: NDArray[Any]) -> NDArray[np.uint64]:
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high > int(_ID_MASK):
        raise ImageError(
            f"A label image holds the value {low if low < 0 else high}; labels go from 0 to {int(_ID_MASK)}, "
            "so renumber the objects."
        )
    return labels.astype(np.uint64)


def _sum_by_key(keys: NDArray[np.uint64], counts: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    unique, inverse = np.unique(keys, return_inverse=True)
    return unique, np.bincount(inverse, weights=counts, minlength=unique.size).astype(np.int64)


def _areas(
    ids: NDArray[np.uint64], counts: NDArray[np.int64], min_area_px: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Objects that are large enough, with their areas."""
    unique, areas = _sum_by_key(ids, counts)
    kept = (unique != 0) & (areas >= min_area_px)
    return unique[kept], areas[kept]
