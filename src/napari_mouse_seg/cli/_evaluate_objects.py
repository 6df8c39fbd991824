"""``mouse-seg evaluate`` for objects: every object against its true partner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from napari_mouse_seg.metrics import InstanceScores

_COLUMNS = {
    "precision_50": "P@50",
    "recall_50": "R@50",
    "f1_50": "F1@50",
    "f1_iou_nine": "F1 iou_nine",
    "f1_iou_ten": "F1 iou_ten",
    "average_precision_50": "AP@50",
    "average_precision_75": "AP@75",
    "panoptic_quality": "PQ",
    "aji": "AJI",
    "pixel_dice": "Dice",
    "splits": "splits",
    "merges": "merges",
    "misses": "misses",
    "extras": "extras",
}


@dataclass(frozen=True, slots=True)
class ObjectComparison:
    """Compares objects.

    Attributes
    ----------
    drop_below
        Objects with fewer pixels are dropped on both sides.
    """

    drop_below: int = 0

    note = "@50, @75: at IoU 0.50, 0.75. iou_nine: mean over IoU 0.50 to 0.90; iou_ten: 0.50 to 0.95."

    def compare(self, predicted: Path, truth: Path) -> InstanceScores:
        """Read two files and compare them."""
        from napari_mouse_seg.cli._labels import read_labels
        from napari_mouse_seg.metrics import instance_scores

        return instance_scores(read_labels(predicted), read_labels(truth), min_area_px=self.drop_below)

    def rows(self, scores: dict[str, InstanceScores]) -> dict[str, dict[str, float]]:
        """Return every image's scores by name."""
        from napari_mouse_seg.metrics import score_row

        return {stem: score_row(score) for stem, score in scores.items()}

    def table(self, scores: dict[str, InstanceScores]) -> tuple[dict[str, dict[str, float]], list[str]]:
        """Return what is printed: rows and columns."""
        from napari_mouse_seg.metrics import summarise

        summary = summarise(scores.values())
        rows = {**self.rows(scores), "mean over images": summary.per_image, "pooled objects": summary.pooled}
        shown = {name: {title: row[column] for column, title in _COLUMNS.items()} for name, row in rows.items()}
        return shown, list(_COLUMNS.values())

    def report(self, scores: dict[str, InstanceScores]) -> dict[str, Any]:  # Any: nested JSON
        """Return the scores over all images for JSON."""
        from napari_mouse_seg.metrics import IOU_NINE, IOU_TEN, summarise

        summary = summarise(scores.values())
        return {"iou_ten": IOU_TEN, "iou_nine": IOU_NINE, "drop_below_px": self.drop_below, **summary.as_dict()}

    def doubt(self, _scores: dict[str, InstanceScores]) -> str | None:
        """Nothing to warn of."""
        return None
