"""Resolve, then run: the engine under the panel, the command line and batches; no Qt, no napari."""

from napari_mouse_seg.pipeline._area_canvas import AreaCanvas
from napari_mouse_seg.pipeline._canvas import Canvas
from napari_mouse_seg.pipeline._job import SegmentJob, resolve
from napari_mouse_seg.pipeline._object_canvas import ObjectCanvas
from napari_mouse_seg.pipeline._object_size import measure_diameter
from napari_mouse_seg.pipeline._patches import PatchCut, cut_patch
from napari_mouse_seg.pipeline._process import Orders, StillWaiting, TrainingProcess
from napari_mouse_seg.pipeline._retrain import retrain
from napari_mouse_seg.pipeline._retrain_job import NEW_PREFIX, RetrainJob, new_networks, resolve_retrain
from napari_mouse_seg.pipeline._save import check_free, find_finished, result_paths, save_result
from napari_mouse_seg.pipeline._segment import ScoreCache, SegmentResult, segment

__all__ = [
    "NEW_PREFIX",
    "AreaCanvas",
    "Canvas",
    "ObjectCanvas",
    "Orders",
    "PatchCut",
    "RetrainJob",
    "ScoreCache",
    "SegmentJob",
    "SegmentResult",
    "StillWaiting",
    "TrainingProcess",
    "check_free",
    "cut_patch",
    "find_finished",
    "measure_diameter",
    "new_networks",
    "resolve",
    "resolve_retrain",
    "result_paths",
    "retrain",
    "save_result",
    "segment",
]
