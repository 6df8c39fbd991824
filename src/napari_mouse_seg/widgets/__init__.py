"""Editors of plans, and the panels made of them; Qt without napari, and nothing computes here."""

from napari_mouse_seg.widgets._card_view import CardView
from napari_mouse_seg.widgets._class_table import first_classes
from napari_mouse_seg.widgets._curve_view import CurveView
from napari_mouse_seg.widgets._delay import delay
from napari_mouse_seg.widgets._patch_list import PatchRow
from napari_mouse_seg.widgets._plan_editor import PlanEditor
from napari_mouse_seg.widgets._run_bar import RunBar
from napari_mouse_seg.widgets._segment_panel import ModelChoice, SegmentPanel
from napari_mouse_seg.widgets._train_panel import TrainPanel

__all__ = [
    "CardView",
    "CurveView",
    "ModelChoice",
    "PatchRow",
    "PlanEditor",
    "RunBar",
    "SegmentPanel",
    "TrainPanel",
    "delay",
    "first_classes",
]
