"""Annotations → samples → augmentation → loss → loop."""

from napari_mouse_seg.training._areas import (
    AreasTask,
    class_image,
    class_weights,
    encode_classes,
)
from napari_mouse_seg.training._blend import Blend, learnt_share
from napari_mouse_seg.training._finetune import Control, FineTuning
from napari_mouse_seg.training._guess import Guess, guess_foreground, mix_scores
from napari_mouse_seg.training._loop import Trainer, learning_rate_factor, train
from napari_mouse_seg.training._losses import area_loss, boundary_loss, instance_loss, soft_dice_loss
from napari_mouse_seg.training._make_task import make_task
from napari_mouse_seg.training._objects import ObjectsTask
from napari_mouse_seg.training._paint import prepare_paint
from napari_mouse_seg.training._predict import predict_scores
from napari_mouse_seg.training._rehearsal import load_rehearsal, rehearsal_file, save_rehearsal
from napari_mouse_seg.training._samples import PatchSampler, TrainingImage, prepare_image
from napari_mouse_seg.training._strokes import complete_strokes, prepare_strokes
from napari_mouse_seg.training._task import PaintedPatch, Score, Task

__all__ = [
    "AreasTask",
    "Blend",
    "Control",
    "FineTuning",
    "Guess",
    "ObjectsTask",
    "PaintedPatch",
    "PatchSampler",
    "Score",
    "Task",
    "Trainer",
    "TrainingImage",
    "area_loss",
    "boundary_loss",
    "class_image",
    "class_weights",
    "complete_strokes",
    "encode_classes",
    "guess_foreground",
    "instance_loss",
    "learning_rate_factor",
    "learnt_share",
    "load_rehearsal",
    "make_task",
    "mix_scores",
    "predict_scores",
    "prepare_image",
    "prepare_paint",
    "prepare_strokes",
    "rehearsal_file",
    "save_rehearsal",
    "soft_dice_loss",
    "train",
]
