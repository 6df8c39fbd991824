"""Annotations → samples → augmentation → loss → loop."""

from napari_mouse_seg.training._finetune import Control, FineTuning, PaintedPatch
from napari_mouse_seg.training._loop import Trainer, learning_rate_factor, train
from napari_mouse_seg.training._losses import instance_loss, soft_dice_loss
from napari_mouse_seg.training._paint import prepare_paint
from napari_mouse_seg.training._predict import predict_scores
from napari_mouse_seg.training._rehearsal import load_rehearsal, rehearsal_file, save_rehearsal
from napari_mouse_seg.training._samples import PatchSampler, TrainingImage, prepare_image
from napari_mouse_seg.training._strokes import complete_strokes, prepare_strokes

__all__ = [
    "Control",
    "FineTuning",
    "PaintedPatch",
    "PatchSampler",
    "Trainer",
    "TrainingImage",
    "complete_strokes",
    "instance_loss",
    "learning_rate_factor",
    "load_rehearsal",
    "predict_scores",
    "prepare_image",
    "prepare_paint",
    "prepare_strokes",
    "rehearsal_file",
    "save_rehearsal",
    "soft_dice_loss",
    "train",
]
