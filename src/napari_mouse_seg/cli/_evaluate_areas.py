"""``mouse-seg evaluate --areas``: classes against classes."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from statistics import fmean
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from napari_mouse_seg.metrics import AreaScores

_MANY_CLASSES = 50


@dataclass(frozen=True, slots=True)
class AreaComparison:
    """Compares areas, one class a column.

    Attributes
    ----------
    ignore
        True pixels with this label are left out; None leaves out none.
    """

    ignore: int | None = None

    note = (
        "IoU of each class, mean over classes, share of right pixels; classes that are nowhere, and images without a "
        "pixel to compare, are left out (-)."
    )

    def compare(self, predicted: Path, truth: Path) -> AreaScores:
        """Read two files and compare them."""
        from napari_mouse_seg.cli._labels import read_labels
        from napari_mouse_seg.metrics import area_scores

        return area_scores(read_labels(predicted), read_labels(truth), self.ignore)

    def rows(self, scores: dict[str, AreaScores]) -> dict[str, dict[str, float | None]]:
        """Return every image's scores by name; None where no pixel was compared."""
        return {stem: _row(score) for stem, score in scores.items()}

    def table(self, scores: dict[str, AreaScores]) -> tuple[dict[str, dict[str, float]], list[str]]:
        """Return what is printed: rows and columns."""
        from napari_mouse_seg.metrics import pool_areas

        pooled = pool_areas(scores.values())
        rows = {stem: _shown(score) for stem, score in scores.items()}
        means = [score.mean_iou for score in scores.values() if not isnan(score.mean_iou)]
        mean = {"mean IoU": fmean(means)} if means else {}
        columns = [*(f"class {label}" for label in pooled.labels), "mean IoU", "pixels right"]
        return {**rows, "mean over images": mean, "pooled pixels": _shown(pooled)}, columns

    def report(self, scores: dict[str, AreaScores]) -> dict[str, Any]:  # Any: nested JSON
        """Return the pooled scores for JSON."""
        from napari_mouse_seg.metrics import pool_areas

        pooled = pool_areas(scores.values())
        return {
            "ignored_label": self.ignore,
            "n_images": len(scores),
            "labels": pooled.labels,
            "confusion": pooled.confusion.tolist(),
            "pooled": _row(pooled),
        }

    def doubt(self, scores: dict[str, AreaScores]) -> str | None:
        """Return a warning if labels seem to mean something else than the same classes on both sides."""
        from napari_mouse_seg.metrics import pool_areas

        pooled = pool_areas(scores.values())
        if len(pooled.labels) > _MANY_CLASSES:
            return f"There are {len(pooled.labels)} classes; if labels are single objects, leave out --areas."
        others = [place for place, label in enumerate(pooled.labels) if label != 0]
        if others and not pooled.confusion.diagonal()[others].any():
            return "No class but 0 is in truth and prediction at once; check that labels mean the same in both."
        if self.ignore is None and 0 in pooled.labels and pooled.confusion[:, pooled.labels.index(0)].sum() == 0:
            return "0 is in the truth but never predicted; if it means “not annotated”, add --ignore 0."
        return None


def _shown(scores: AreaScores) -> dict[str, float]:
    found = zip(scores.labels, scores.iou.tolist(), strict=True)
    values = {f"class {label}": iou for label, iou in found}
    values |= {"mean IoU": scores.mean_iou, "pixels right": scores.pixel_accuracy}
    return {name: value for name, value in values.items() if not isnan(value)}


def _row(scores: AreaScores) -> dict[str, float | None]:
    by_class = {
        f"{name}_{label}": float(value)
        for name in ("iou", "dice", "precision", "recall")
        for label, value in zip(scores.labels, getattr(scores, name), strict=True)
        if not isnan(value)
    }
    whole = {"mean_iou": scores.mean_iou, "mean_dice": scores.mean_dice, "pixel_accuracy": scores.pixel_accuracy}
    return by_class | {name: None if isnan(value) else value for name, value in whole.items()}
