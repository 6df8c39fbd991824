"""Scores of many images: pooled, averaged per image, as a dictionary and as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_mouse_seg.metrics._scores import IOU_NINE, IOU_TEN, InstanceScores, pool_scores

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_SETS = {"iou_ten": IOU_TEN, "iou_nine": IOU_NINE}
_BY_THRESHOLD = ("precision", "recall", "f1", "average_precision")
_PLAIN = ("panoptic_quality", "segmentation_quality", "recognition_quality", "aji", "pixel_dice", "pixel_iou")
_COUNTS = ("n_predicted", "n_truth", "splits", "merges", "misses", "extras")


@dataclass(frozen=True, slots=True)
class Summary:
    """Scores over a set of images.

    Attributes
    ----------
    n_images
        How many images.
    pooled
        From the summed counts: every object weighs the same.
    per_image
        Mean over the images of each image's own score: every image weighs the same. Counts are means too.
    """

    n_images: int
    pooled: dict[str, float]
    per_image: dict[str, float]

    def as_dict(self) -> dict[str, object]:
        """Return nested plain values, ready for JSON."""
        return {"n_images": self.n_images, "pooled": dict(self.pooled), "per_image": dict(self.per_image)}


def score_row(scores: InstanceScores) -> dict[str, float]:
    """Return every score by name.

    Names are ``f1_50`` (F1 at IoU 0.50), ``f1_iou_ten`` and ``f1_iou_nine`` (means over ten and nine
    thresholds), the same for ``precision``, ``recall`` and ``average_precision``, then the scores
    without threshold and the counts. Only thresholds that were evaluated are listed.
    """
    row: dict[str, float] = {}
    for name in _BY_THRESHOLD:
        for threshold in IOU_TEN:
            if threshold in scores.thresholds:
                row[f"{name}_{round(threshold * 100)}"] = scores.at(name, threshold)
        for label, thresholds in _SETS.items():
            if set(thresholds) <= set(scores.thresholds):
                row[f"{name}_{label}"] = scores.mean(name, thresholds)
    return row | {name: getattr(scores, name) for name in (*_PLAIN, *_COUNTS)}


def summarise(scores: Iterable[InstanceScores]) -> Summary:
    """Return pooled and per-image mean scores.

    Parameters
    ----------
    scores
        One an image, with the same thresholds.

    Raises
    ------
    ValueError
        If there is no image, or the thresholds differ.
    """
    images = list(scores)
    pooled = score_row(pool_scores(images))
    rows = [score_row(image) for image in images]
    return Summary(len(images), pooled, {name: float(np.mean([row[name] for row in rows])) for name in pooled})


def format_table(rows: Mapping[str, Mapping[str, float]], columns: Sequence[str]) -> str:
    """Return rows of scores as aligned text.

    Parameters
    ----------
    rows
        Scores by row name, as made by ``score_row``.
    columns
        Which scores to show. A score that a row lacks is shown as ``-``.

    Returns
    -------
    str
        One line a row, below a line of column names; whole numbers without, others with three decimals.
    """
    cells = [["", *columns]]
    cells += [[name, *(_cell(row.get(column)) for column in columns)] for name, row in rows.items()]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns) + 1)]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        )
        for line in cells
    )


def _cell(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3f}"
