"""Resolve, then run: the engine under the panel, the command line and batches; no Qt, no napari."""

from napari_mouse_seg.pipeline._agreement import compare_areas, compare_objects
from napari_mouse_seg.pipeline._area_canvas import AreaCanvas
from napari_mouse_seg.pipeline._canvas import Canvas
from napari_mouse_seg.pipeline._job import SegmentJob, resolve
from napari_mouse_seg.pipeline._object_canvas import ObjectCanvas
from napari_mouse_seg.pipeline._object_size import measure_diameter
from napari_mouse_seg.pipeline._part import Part, image_state
from napari_mouse_seg.pipeline._patches import PatchCut, cut_patch
from napari_mouse_seg.pipeline._process import Orders, StillWaiting, TrainingProcess
from napari_mouse_seg.pipeline._retrain import retrain
from napari_mouse_seg.pipeline._retrain_checks import check_overlap
from napari_mouse_seg.pipeline._retrain_job import RetrainJob, resolve_retrain
from napari_mouse_seg.pipeline._retrain_start import NEW_PREFIX, new_networks
from napari_mouse_seg.pipeline._save import (
    check_free,
    find_finished,
    labels_of_image,
    make_record,
    result_paths,
    save_result,
    why_unfinished,
)
from napari_mouse_seg.pipeline._segment import ScoreCache, SegmentResult, segment
from napari_mouse_seg.pipeline._truth import (
    CONTEXT_PX,
    PlacedLabels,
    Truth,
    box_around,
    read_truth,
    segmented_boxes,
)
from napari_mouse_seg.pipeline._tune import Tried, Tuned, find_best, mean_f1
from napari_mouse_seg.pipeline._usual_model import usual_model

__all__ = [
    "CONTEXT_PX",
    "NEW_PREFIX",
    "AreaCanvas",
    "Canvas",
    "ObjectCanvas",
    "Orders",
    "Part",
    "PatchCut",
    "PlacedLabels",
    "RetrainJob",
    "ScoreCache",
    "SegmentJob",
    "SegmentResult",
    "StillWaiting",
    "TrainingProcess",
    "Tried",
    "Truth",
    "Tuned",
    "box_around",
    "check_free",
    "check_overlap",
    "compare_areas",
    "compare_objects",
    "cut_patch",
    "find_best",
    "find_finished",
    "image_state",
    "labels_of_image",
    "make_record",
    "mean_f1",
    "measure_diameter",
    "new_networks",
    "read_truth",
    "resolve",
    "resolve_retrain",
    "result_paths",
    "retrain",
    "save_result",
    "segment",
    "segmented_boxes",
    "usual_model",
    "why_unfinished",
]
