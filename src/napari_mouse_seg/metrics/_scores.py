"""What a comparison comes to: counts that add up over images, and the scores made from them.

Only counts are stored, so scores pooled over images are sums of counts, never means of ratios.
An empty image scores 1 where both sides are empty, and 0 where only one is.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.metrics._match import Matches, match_instances

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

IOU_TEN = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
"""Ten thresholds, 0.50 to 0.95; reported as ``iou_ten``."""

IOU_NINE = IOU_TEN[:-1]
"""Nine thresholds, 0.50 to 0.90, as in Caicedo et al. 2019; reported as ``iou_nine``."""

_LINK_SHARE = 0.5


def _ratio(part: float, whole: float, n_predicted: int, n_truth: int) -> float:
    """Score with the empty cases: 1 if both sides are empty, 0 if one is."""
    if n_predicted == 0 or n_truth == 0:
        return float(n_predicted == n_truth)
    return part / whole


@dataclass(frozen=True, slots=True)
class InstanceScores:
    """Counts of one image, or of many pooled; every score is a property of them.

    Attributes
    ----------
    thresholds
        IoU thresholds; a pair at or above one is matched.
    true_positives
        Matched pairs at each threshold.
    n_predicted, n_truth
        Objects on either side, after small ones were dropped.
    n_panoptic, panoptic_iou
        Pairs with IoU above 0.5 (strictly, as panoptic quality is defined), and the sum of their IoU.
    aji_intersection, aji_union
        Numerator and denominator of the aggregated Jaccard index, in pixels.
    pixels_common, pixels_predicted, pixels_truth
        Foreground pixels.
    splits, merges, misses, extras
        Two objects are *linked* when their overlap covers at least half of the smaller one. Split: a true
        object linked to several predicted ones; merge: a predicted one linked to several true ones;
        miss: a true one without link; extra: a predicted one without link.
    """

    thresholds: tuple[float, ...]
    true_positives: tuple[int, ...]
    n_predicted: int
    n_truth: int
    n_panoptic: int
    panoptic_iou: float
    aji_intersection: int
    aji_union: int
    pixels_common: int
    pixels_predicted: int
    pixels_truth: int
    splits: int
    merges: int
    misses: int
    extras: int

    @property
    def false_positives(self) -> tuple[int, ...]:
        """Predicted objects without a match, at each threshold."""
        return tuple(self.n_predicted - hits for hits in self.true_positives)

    @property
    def false_negatives(self) -> tuple[int, ...]:
        """True objects without a match, at each threshold."""
        return tuple(self.n_truth - hits for hits in self.true_positives)

    @property
    def precision(self) -> tuple[float, ...]:
        """TP / (TP + FP) at each threshold."""
        return tuple(self._share(hits, self.n_predicted) for hits in self.true_positives)

    @property
    def recall(self) -> tuple[float, ...]:
        """TP / (TP + FN) at each threshold."""
        return tuple(self._share(hits, self.n_truth) for hits in self.true_positives)

    @property
    def f1(self) -> tuple[float, ...]:
        """2 TP / (2 TP + FP + FN) at each threshold."""
        return tuple(self._share(2 * hits, self.n_predicted + self.n_truth) for hits in self.true_positives)

    @property
    def average_precision(self) -> tuple[float, ...]:
        """TP / (TP + FP + FN) at each threshold, as in the 2018 Data Science Bowl and StarDist."""
        return tuple(self._share(hits, self.n_predicted + self.n_truth - hits) for hits in self.true_positives)

    @property
    def recognition_quality(self) -> float:
        """F1 of the pairs with IoU above 0.5."""
        return self._share(2 * self.n_panoptic, self.n_predicted + self.n_truth)

    @property
    def segmentation_quality(self) -> float:
        """Mean IoU of the pairs with IoU above 0.5; 0 when objects are there but none is matched."""
        return self._share(self.panoptic_iou, max(1, self.n_panoptic))

    @property
    def panoptic_quality(self) -> float:
        """Recognition times segmentation quality (Kirillov et al. 2019)."""
        return self.recognition_quality * self.segmentation_quality

    @property
    def aji(self) -> float:
        """Aggregated Jaccard index (Kumar et al. 2017)."""
        return self._share(self.aji_intersection, self.aji_union)

    @property
    def pixel_dice(self) -> float:
        """Dice coefficient of the foregrounds."""
        return self._share(2 * self.pixels_common, self.pixels_predicted + self.pixels_truth)

    @property
    def pixel_iou(self) -> float:
        """Intersection over union of the foregrounds."""
        return self._share(self.pixels_common, self.pixels_predicted + self.pixels_truth - self.pixels_common)

    def at(self, score: str, threshold: float) -> float:
        """Return one of precision, recall, f1 or average_precision at one threshold."""
        values: tuple[float, ...] = getattr(self, score)
        return values[self.thresholds.index(threshold)]

    def mean(self, score: str, thresholds: tuple[float, ...]) -> float:
        """Return the mean of precision, recall, f1 or average_precision over some thresholds.

        Raises
        ------
        ValueError
            If a threshold was not evaluated.
        """
        return float(np.mean([self.at(score, threshold) for threshold in thresholds]))

    def _share(self, part: float, whole: float) -> float:
        return _ratio(part, whole, self.n_predicted, self.n_truth)


def instance_scores(
    predicted: NDArray[Any],
    truth: NDArray[Any],
    thresholds: tuple[float, ...] = IOU_TEN,
    min_area_px: int = 0,
) -> InstanceScores:
    """Compare predicted with true labels.

    Parameters
    ----------
    predicted, truth
        Integer labels of equal shape; 0 is background.
    thresholds
        IoU thresholds in (0, 1].
    min_area_px
        Objects with fewer pixels are dropped on both sides before matching.

    Returns
    -------
    InstanceScores
        Counts and scores. Both images empty: every score is 1; one empty: every score is 0.

    Raises
    ------
    ImageError
        If shapes differ or a label is out of range.
    UnsupportedImageError
        If an image does not hold integers.
    """
    matches = match_instances(predicted, truth, min_area_px)
    panoptic = matches.iou > 0.5
    splits, merges, misses, extras = _count_errors(matches)
    aji_intersection, aji_union = _aggregate_jaccard(matches)
    return InstanceScores(
        thresholds=tuple(thresholds),
        true_positives=tuple(len(matches.assign(threshold)) for threshold in thresholds),
        n_predicted=len(matches.predicted_ids),
        n_truth=len(matches.truth_ids),
        n_panoptic=int(panoptic.sum()),
        panoptic_iou=float(matches.iou[panoptic].sum()),
        aji_intersection=aji_intersection,
        aji_union=aji_union,
        pixels_common=int(matches.intersection.sum()),
        pixels_predicted=int(matches.predicted_areas.sum()),
        pixels_truth=int(matches.truth_areas.sum()),
        splits=splits,
        merges=merges,
        misses=misses,
        extras=extras,
    )


def pool_scores(scores: Iterable[InstanceScores]) -> InstanceScores:
    """Add up the counts of several images, so that every object weighs the same.

    Raises
    ------
    ValueError
        If there is no image, or the thresholds differ.
    """
    images = list(scores)
    if len({image.thresholds for image in images}) != 1:
        raise ValueError("Scores can be pooled only over at least one image and with the same IoU thresholds.")
    sums = {
        field.name: sum(getattr(image, field.name) for image in images)
        for field in fields(InstanceScores)
        if field.name not in ("thresholds", "true_positives")
    }
    hits = np.sum([image.true_positives for image in images], axis=0)
    return InstanceScores(images[0].thresholds, tuple(int(count) for count in hits), **sums)


def _count_errors(matches: Matches) -> tuple[int, int, int, int]:
    """Count splits, merges, misses and extras, as defined at ``InstanceScores``."""
    smaller = np.minimum(matches.predicted_areas[matches.predicted_index], matches.truth_areas[matches.truth_index])
    linked = matches.intersection >= _LINK_SHARE * smaller
    per_truth = np.bincount(matches.truth_index[linked], minlength=len(matches.truth_ids))
    per_predicted = np.bincount(matches.predicted_index[linked], minlength=len(matches.predicted_ids))
    counts = (per_truth > 1, per_predicted > 1, per_truth == 0, per_predicted == 0)
    splits, merges, misses, extras = (int(np.count_nonzero(found)) for found in counts)
    return splits, merges, misses, extras


def _aggregate_jaccard(matches: Matches) -> tuple[int, int]:
    """Numerator and denominator: each true object with its best partner; unused predicted ones are added.

    Of partners that are equally good, the one met first in raster order is taken, so that ids decide nothing.
    """
    order = np.lexsort((matches.first, -matches.iou, matches.truth_index))
    best = order[np.unique(matches.truth_index[order], return_index=True)[1]]
    intersection = matches.intersection[best]
    areas = matches.predicted_areas[matches.predicted_index[best]]
    unused = np.ones(len(matches.predicted_ids), bool)
    unused[matches.predicted_index[best]] = False
    union = matches.truth_areas.sum() + (areas - intersection).sum() + matches.predicted_areas[unused].sum()
    return int(intersection.sum()), int(union)
