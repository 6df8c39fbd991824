"""Resolve, then run: the engine under the panel, the command line and batches; no Qt, no napari."""

from napari_mouse_seg.pipeline._canvas import LabelCanvas, Merge
from napari_mouse_seg.pipeline._job import SegmentJob, resolve
from napari_mouse_seg.pipeline._save import check_free, find_finished, result_paths, save_result
from napari_mouse_seg.pipeline._segment import ScoreCache, SegmentResult, segment

__all__ = [
    "LabelCanvas",
    "Merge",
    "ScoreCache",
    "SegmentJob",
    "SegmentResult",
    "check_free",
    "find_finished",
    "resolve",
    "result_paths",
    "save_result",
    "segment",
]
