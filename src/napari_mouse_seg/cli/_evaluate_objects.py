"""``mouse-seg evaluate`` for objects: every object against its true partner."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

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


_LISTED = 3
_MASK_PIECES = 3
_FEW = 100  # Pairs of pixels.
_MOST = 0.5


@dataclass(frozen=True, slots=True)
class ObjectComparison:
    """Compares objects.

    Attributes
    ----------
    drop_below
        Objects with fewer pixels are dropped on both sides.
    """

    drop_below: int = 0
    _strange: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False)

    note = "@50, @75: at IoU 0.50, 0.75. iou_nine: mean over IoU 0.50 to 0.90; iou_ten: 0.50 to 0.95."

    def compare(self, predicted: Path, truth: Path) -> InstanceScores:
        """Read two files and compare them."""
        from napari_mouse_seg.cli._labels import read_labels
        from napari_mouse_seg.metrics import instance_scores

        found, true = read_labels(predicted), read_labels(truth)
        scores = instance_scores(found, true, min_area_px=self.drop_below)
        for path, labels in ((predicted, found), (truth, true)):
            if strange := what_else(labels):
                self._strange.setdefault(strange, []).append(str(path))
        return scores

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
        """Return a warning of files that do not look like labels of objects."""
        texts = []
        for strange, paths in self._strange.items():
            more = f" and {len(paths) - _LISTED} more" if len(paths) > _LISTED else ""
            texts.append(f"{', '.join(paths[:_LISTED])}{more}: {strange}")
        return " ".join(texts) or None


def what_else(labels: NDArray[np.integer[Any]]) -> str:
    """Return what labels seem to be if not one number an object, in words; empty if nothing speaks against it.

    Parameters
    ----------
    labels
        (Y, X) or more axes, of integers.
    """
    import numpy as np
    from scipy import ndimage

    left, right = labels[..., :-1], labels[..., 1:]
    both = (left != 0) & (right != 0)
    n_both = int(both.sum())
    if n_both >= _FEW and int((left != right)[both].sum()) > _MOST * n_both:
        return "most neighbouring pixels differ, so this seems to be an image and not labels of objects."
    if len(np.unique(labels[labels != 0])) == 1 and ndimage.label(labels != 0)[1] > _MASK_PIECES:
        return "the only label is in many pieces, so this seems to be a mask; number its objects first."
    return ""
