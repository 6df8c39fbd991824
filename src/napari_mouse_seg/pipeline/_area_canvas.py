"""Class labels of one image as they grow from view to view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_mouse_seg.inference import require_free
from napari_mouse_seg.pipeline._canvas import Canvas, bands
from napari_mouse_seg.plans import BACKGROUND_LABEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_mouse_seg.pipeline._segment import SegmentResult
    from napari_mouse_seg.plans import ClassPlan
    from napari_mouse_seg.tiling import Box


class AreaCanvas(Canvas["SegmentResult"]):
    """Areas of classes; 0 is where nothing was segmented.

    Views agree where they overlap, so a result is simply written, except where the user has painted.

    Parameters
    ----------
    shape
        Rows and columns of the network's grid.
    classes
        What the labels mean.
    """

    def __init__(self, shape: tuple[int, int], classes: Sequence[ClassPlan]) -> None:
        super().__init__(shape)
        labels = [entry.label for entry in classes]
        self._first = next((label for label in labels if label != BACKGROUND_LABEL), labels[0])
        # As written by runs: what differs from it was painted. Nobody paints in a large one.
        self._written: NDArray[np.uint8] | None = np.zeros(shape, np.uint8) if self.is_editable else None

    @property
    def paint_label(self) -> int:
        """The first class that is not the background."""
        return self._first

    def claim(self, labels: set[int]) -> None:
        """Nothing to note: painted pixels are known by what runs wrote there."""

    def compare(self, result: SegmentResult) -> SegmentResult:
        """Return the result itself.

        Raises
        ------
        ExportError
            If the canvas is on a disk that has no room for it.
        """
        require_free(self.array, result.labels.nbytes)
        return result

    def apply(self, change: SegmentResult) -> Box | None:
        """Write a result where the user has not painted; returns what changed."""
        target = self.array[change.box.slices]
        written = None if self._written is None else self._written[change.box.slices]
        changed = False
        for rows in bands(change.labels):
            new, old = change.labels[rows], target[rows]
            free = new > 0
            if written is not None:
                free &= old == written[rows]
                np.copyto(written[rows], new, where=free, casting="unsafe")
            changed = changed or bool((old[free] != new[free]).any())
            np.copyto(old, new, where=free)
        return change.box if changed else None
