"""Frozen plans: every parameter with its default, bounds, unit and description, written once."""

from napari_mouse_seg.plans._base import Plan
from napari_mouse_seg.plans._instances import InstancesPlan
from napari_mouse_seg.plans._intensity import IntensityPlan
from napari_mouse_seg.plans._paint import BACKGROUND_LABEL, NOT_PAINTED, PaintPlan
from napari_mouse_seg.plans._project import (
    ImageReference,
    PatchPlan,
    ProjectPlan,
    RetrainPlan,
    RoundPlan,
)
from napari_mouse_seg.plans._segment import DeviceName, SegmentPlan
from napari_mouse_seg.plans._targets import (
    AreaTargets,
    BoundaryTargets,
    ClassPlan,
    DistanceTargets,
    ObjectTargets,
    TargetsPlan,
)
from napari_mouse_seg.plans._training import AugmentationPlan, TrainingPlan

__all__ = [
    "BACKGROUND_LABEL",
    "NOT_PAINTED",
    "AreaTargets",
    "AugmentationPlan",
    "BoundaryTargets",
    "ClassPlan",
    "DeviceName",
    "DistanceTargets",
    "ImageReference",
    "InstancesPlan",
    "IntensityPlan",
    "ObjectTargets",
    "PaintPlan",
    "PatchPlan",
    "Plan",
    "ProjectPlan",
    "RetrainPlan",
    "RoundPlan",
    "SegmentPlan",
    "TargetsPlan",
    "TrainingPlan",
]
