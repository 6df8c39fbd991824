"""What the paint decides of a training."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.projects import disc_patch
from napari_mouse_seg.networks import ModelCard
from napari_mouse_seg.plans import BACKGROUND_LABEL, PaintPlan, RetrainPlan
from napari_mouse_seg.training import PaintedPatch, make_task

CARD = ModelCard(name="discs", summary="")


def patch(*, dark: bool = False, sparse: bool = False) -> PaintedPatch:
    pixels, paint = disc_patch(0)
    stretched = ((pixels - 100) / 100).clip(0, 1)
    if sparse:  # Background is painted in the upper half alone.
        paint = np.where((paint == BACKGROUND_LABEL) & (np.arange(len(paint))[:, None] > len(paint) // 2), 0, paint)
    return PaintedPatch("p", 1 - stretched if dark else stretched, paint, PaintPlan(rest_is_background=not sparse))


def inverted(*patches: PaintedPatch) -> float:
    return make_task(CARD, RetrainPlan(), patches).training.augmentation.invert_probability


@pytest.mark.parametrize("sparse", [False, True])
def test_dark_and_bright_objects_together_are_learnt_both_ways(sparse: bool) -> None:
    assert inverted(patch(sparse=sparse), patch(dark=True, sparse=sparse)) == 0.5


@pytest.mark.parametrize("dark", [False, True])
def test_objects_of_one_polarity_are_not_inverted(dark: bool) -> None:
    assert inverted(patch(dark=dark), patch(dark=dark, sparse=True)) == 0


def test_objects_without_clear_contrast_decide_nothing() -> None:
    faint = patch(dark=True)
    grey = PaintedPatch("grey", 0.5 + 0.1 * (faint.stretched - 0.5), faint.paint, faint.meaning)
    assert inverted(patch(), grey) == 0


def test_without_background_paint_nothing_is_decided() -> None:
    only = patch(dark=True, sparse=True)
    objects = np.where(only.paint > BACKGROUND_LABEL, only.paint, 0)
    assert inverted(patch(), PaintedPatch("objects", only.stretched, objects, PaintPlan())) == 0
