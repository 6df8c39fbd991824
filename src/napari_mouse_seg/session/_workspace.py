"""Scores and labels of one image by one model, and which regions have been segmented."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mouse_seg.pipeline import Canvas, ScoreCache, SegmentJob
    from napari_mouse_seg.plans import InstancesPlan
    from napari_mouse_seg.tiling import Box


@dataclass(slots=True, eq=False)
class Workspace:
    """One labels layer's worth of state.

    Attributes
    ----------
    job
        The job it was made for; others that fit share its scores.
    cache
        Scores of the tiles that are done.
    canvas
        The labels.
    regions
        Boxes in image pixels that are on the canvas; None stands for the full image.
    instances
        Thresholds that the canvas was made with; None before the first run.
    edited
        Whether the user has painted in the labels, which must then not be replaced.
    device
        Where the network ran last, for people; empty before the first run.
    """

    job: SegmentJob
    cache: ScoreCache
    canvas: Canvas[Any]
    regions: tuple[Box | None, ...] = ()
    instances: InstancesPlan | None = None
    edited: bool = field(default=False)
    device: str = ""

    def with_region(self, region: Box | None) -> tuple[Box | None, ...]:
        """Return the regions after one more; those that it covers are left out."""
        if region is None or None in self.regions:
            return (None,)
        others = [known for known in self.regions if known is not None and not region.contains(known)]
        if any(known.contains(region) for known in others):
            return tuple(others)
        return (*others, region)
