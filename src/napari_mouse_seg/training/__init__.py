"""Annotations → samples → augmentation → loss → loop."""

from napari_mouse_seg.training._loop import StepsDone, learning_rate_factor, train
from napari_mouse_seg.training._losses import instance_loss, soft_dice_loss
from napari_mouse_seg.training._paint import prepare_paint
from napari_mouse_seg.training._samples import PatchSampler, TrainingImage, prepare_image

__all__ = [
    "PatchSampler",
    "StepsDone",
    "TrainingImage",
    "instance_loss",
    "learning_rate_factor",
    "prepare_image",
    "prepare_paint",
    "soft_dice_loss",
    "train",
]
