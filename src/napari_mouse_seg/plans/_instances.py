"""How scores become objects."""

from __future__ import annotations

from pydantic import Field

from napari_mouse_seg.plans._base import Plan


class InstancesPlan(Plan):
    """Thresholds of the watershed that turns scores into instances; all act on cached scores."""

    foreground_threshold: float = Field(
        0.5,
        gt=0,
        lt=1,
        title="Foreground",
        description="Pixels with a higher foreground score belong to objects. Lower it to find fainter objects.",
    )
    split_depth: float = Field(
        0.35,
        gt=0,
        lt=1,
        title="Split depth",
        description="How deep the score must fall between two cores to make them two objects. Lower it to split more.",
    )
    boundary_weight: float = Field(
        1.0,
        ge=0,
        le=2,
        title="Boundary weight",
        description="How strongly the touching-boundary score lowers the core score between neighbours.",
    )
    min_area_px: int = Field(
        20,
        ge=1,
        le=100_000,
        title="Minimum area (px)",
        description="Smaller objects are dropped; in pixels as the model sees them.",
    )
    min_certainty: float = Field(
        0.0,
        ge=0,
        lt=1,
        title="Least certainty",
        description="Objects whose mean foreground score is lower are dropped. Raise it if debris is found.",
    )
    max_hole_px: int = Field(
        50,
        ge=0,
        le=500,
        title="Fill holes up to (px)",
        description="Smaller holes inside objects are filled; in pixels as the model sees them.",
    )
