"""How well areas of classes agree: a table of counts that adds up over images, and the scores made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.errors import ImageError, UnsupportedImageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_MOST_LABELS = 4096


@dataclass(frozen=True, slots=True)
class AreaScores:
    """Counts of one image, or of many pooled; every score is a property of them.

    A class that is on neither side has no scores: NaN; it is left out of means.

    Attributes
    ----------
    labels
        Of the classes, ascending.
    confusion
        (n, n) pixels, int64: true class along rows, predicted class along columns.
    """

    labels: tuple[int, ...]
    confusion: NDArray[np.int64]

    @property
    def iou(self) -> NDArray[np.float64]:
        """Intersection over union of each class."""
        return self._share(1, self._union())

    @property
    def dice(self) -> NDArray[np.float64]:
        """2 TP / (2 TP + FP + FN) of each class."""
        return self._share(2, self.confusion.sum(0) + self.confusion.sum(1))

    @property
    def precision(self) -> NDArray[np.float64]:
        """TP / (TP + FP) of each class; 0 for one that is only in the truth."""
        return self._share(1, self.confusion.sum(0))

    @property
    def recall(self) -> NDArray[np.float64]:
        """TP / (TP + FN) of each class; 0 for one that is only predicted."""
        return self._share(1, self.confusion.sum(1))

    @property
    def mean_iou(self) -> float:
        """Mean over the classes that are there; NaN if there is no pixel."""
        return float(np.nanmean(self.iou)) if self._union().any() else np.nan

    @property
    def mean_dice(self) -> float:
        """Mean over the classes that are there; NaN if there is no pixel."""
        return float(np.nanmean(self.dice)) if self._union().any() else np.nan

    @property
    def pixel_accuracy(self) -> float:
        """Share of pixels whose class is right; NaN if there is no pixel."""
        total = int(self.confusion.sum())
        return float(np.trace(self.confusion)) / total if total else np.nan

    def _union(self) -> NDArray[np.int64]:
        union: NDArray[np.int64] = self.confusion.sum(0) + self.confusion.sum(1) - np.diag(self.confusion)
        return union

    def _share(self, factor: int, whole: NDArray[np.int64]) -> NDArray[np.float64]:
        hits = factor * np.diag(self.confusion).astype(np.float64)
        share = np.divide(hits, whole, out=np.zeros(len(self.labels)), where=whole > 0)
        return np.where(self._union() > 0, share, np.nan)


def area_scores(predicted: NDArray[Any], truth: NDArray[Any], ignore: int | None = None) -> AreaScores:
    """Compare predicted with true classes.

    Parameters
    ----------
    predicted, truth
        Integer labels of equal shape; every value is a class, 0 too.
    ignore
        True pixels with this label are left out, for instance those that nobody annotated.

    Raises
    ------
    ImageError
        If shapes differ.
    UnsupportedImageError
        If an image does not hold integers, or so many labels that they cannot be classes.
    """
    if predicted.shape != truth.shape:
        raise ImageError(f"The prediction has shape {predicted.shape}, the truth {truth.shape}.")
    if predicted.dtype.kind not in "iub" or truth.dtype.kind not in "iub":
        raise UnsupportedImageError(f"Classes must be integers, but these are {predicted.dtype} and {truth.dtype}.")
    known = np.ones(truth.shape, np.bool_) if ignore is None else truth != ignore
    labels, coded = np.unique(np.concatenate([truth[known], predicted[known]]), return_inverse=True)
    n = len(labels)
    if n > _MOST_LABELS:
        raise UnsupportedImageError(f"There are {n} different labels; these are objects, not classes.")
    true, found = np.split(coded, 2)
    confusion = np.bincount(true * n + found, minlength=n * n).reshape(n, n)
    return AreaScores(tuple(int(label) for label in labels), confusion.astype(np.int64))


def pool_areas(scores: Iterable[AreaScores]) -> AreaScores:
    """Add up the counts of several images, so that every pixel weighs the same.

    Raises
    ------
    ValueError
        If there is no image.
    """
    images = list(scores)
    if not images:
        raise ValueError("There is no image to pool.")
    labels = sorted({label for image in images for label in image.labels})
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    for image in images:
        places = np.searchsorted(labels, image.labels)
        confusion[np.ix_(places, places)] += image.confusion
    return AreaScores(tuple(labels), confusion)
