"""Card → task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_mouse_seg.plans import AreaTargets
from napari_mouse_seg.training._areas import AreasTask
from napari_mouse_seg.training._objects import ObjectsTask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_mouse_seg.networks import ModelCard
    from napari_mouse_seg.plans import RetrainPlan
    from napari_mouse_seg.training._task import PaintedPatch, Task

_STROKES_RATE = 0.3


def make_task(card: ModelCard, plan: RetrainPlan, patches: Sequence[PaintedPatch], rehearse: str = "") -> Task:
    """Return what a model of this card is taught by these patches.

    Parameters
    ----------
    card
        Of the model to be made; its targets decide.
    plan
        Crops and step size; where there are strokes, steps are smaller: the completed objects are the model's own, and
        large steps carry it away with them (``benchmarks/retrain.py --paint strokes --rate``).
    patches
        That are learnt from.
    rehearse
        Name of the bundled model whose own samples are mixed in; empty for none. Areas have none.
    """
    if isinstance(card.targets, AreaTargets):
        return AreasTask(plan, card.intensity, card.targets, patches)
    if any(not patch.meaning.whole_objects for patch in patches):
        plan = plan.replace(learning_rate=plan.learning_rate * _STROKES_RATE)
    return ObjectsTask(plan, card.intensity, card.instances, rehearse)
