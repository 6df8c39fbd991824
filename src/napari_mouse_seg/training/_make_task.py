"""Card → task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_mouse_seg.plans import BACKGROUND_LABEL, AreaTargets
from napari_mouse_seg.training._areas import AreasTask
from napari_mouse_seg.training._objects import ObjectsTask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_mouse_seg.networks import ModelCard
    from napari_mouse_seg.plans import RetrainPlan
    from napari_mouse_seg.training._task import PaintedPatch, Task

_INVERTED = 0.5
_CLEAR_CONTRAST = 0.1
"""Between objects and background, on stretched pixels."""


def make_task(card: ModelCard, plan: RetrainPlan, patches: Sequence[PaintedPatch], rehearse: str = "") -> Task:
    """Return what a model of this card is taught by these patches.

    Parameters
    ----------
    card
        Of the model to be made; its targets decide.
    plan
        Crops and step size.
    patches
        That are learnt from. Where objects are brighter than the background in some and darker in others, half of all
        crops are inverted: a few patches do not show every kind of image both ways.
    rehearse
        Name of the bundled model whose own samples are mixed in; empty for none. Areas have none.
    """
    if isinstance(card.targets, AreaTargets):
        return AreasTask(plan, card.intensity, card.targets, patches)
    inverted = _INVERTED if _has_both_polarities(patches) else 0.0
    return ObjectsTask(
        plan, card.intensity, card.instances, card.targets, rehearse=rehearse, invert_probability=inverted
    )


def _has_both_polarities(patches: Sequence[PaintedPatch]) -> bool:
    contrasts = []
    for patch in patches:
        objects = patch.paint > BACKGROUND_LABEL
        ground = ~objects if patch.is_complete else patch.paint == BACKGROUND_LABEL
        if objects.any() and ground.any():
            brightness = patch.stretched.mean(0)
            contrasts.append(float(brightness[objects].mean() - brightness[ground].mean()))
    return bool(contrasts) and min(contrasts) < -_CLEAR_CONTRAST and max(contrasts) > _CLEAR_CONTRAST
