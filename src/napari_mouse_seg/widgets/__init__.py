"""Editors of plans, and the panels made of them; Qt without napari, and nothing computes here."""

from napari_mouse_seg.widgets._card_view import CardView
from napari_mouse_seg.widgets._plan_editor import PlanEditor
from napari_mouse_seg.widgets._run_bar import RunBar
from napari_mouse_seg.widgets._segment_panel import ModelChoice, SegmentPanel

__all__ = ["CardView", "ModelChoice", "PlanEditor", "RunBar", "SegmentPanel"]
