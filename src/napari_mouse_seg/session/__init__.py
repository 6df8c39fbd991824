"""What one viewer is doing: its choices, its runs, its labels, its training; no Qt, no napari."""

from napari_mouse_seg.session._engine import Engine, PipelineEngine
from napari_mouse_seg.session._messages import Check, Progress, RunState, Summary, in_words
from napari_mouse_seg.session._paint import PaintSaved, PaintSummary
from napari_mouse_seg.session._round import TrainState
from napari_mouse_seg.session._runner import Runner, RunningTask
from napari_mouse_seg.session._runs import Merged, decode_regions
from napari_mouse_seg.session._session import SegmentSession
from napari_mouse_seg.session._train import TrainSession
from napari_mouse_seg.session._tuning import Comparison, Question, Tuning
from napari_mouse_seg.session._workspace import Workspace

__all__ = [
    "Check",
    "Comparison",
    "Engine",
    "Merged",
    "PaintSaved",
    "PaintSummary",
    "PipelineEngine",
    "Progress",
    "Question",
    "RunState",
    "Runner",
    "RunningTask",
    "SegmentSession",
    "Summary",
    "TrainSession",
    "TrainState",
    "Tuning",
    "Workspace",
    "decode_regions",
    "in_words",
]
