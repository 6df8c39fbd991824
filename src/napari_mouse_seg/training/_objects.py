"""Learning objects from paint: foreground, touching boundary and distance of what is painted whole or with strokes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_mouse_seg.images import compress
from napari_mouse_seg.instances import decode
from napari_mouse_seg.metrics import instance_scores
from napari_mouse_seg.plans import BACKGROUND_LABEL, NOT_PAINTED
from napari_mouse_seg.tiling import SCORE_ONE
from napari_mouse_seg.training._losses import instance_loss
from napari_mouse_seg.training._paint import prepare_paint
from napari_mouse_seg.training._predict import predict_scores
from napari_mouse_seg.training._rehearsal import REHEARSAL_GROUP, load_rehearsal
from napari_mouse_seg.training._strokes import complete_strokes, prepare_strokes
from napari_mouse_seg.training._task import PAINTED_GROUP, Score, fine_tuning_plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

    from napari_mouse_seg.plans import InstancesPlan, IntensityPlan, RetrainPlan, TrainingPlan
    from napari_mouse_seg.training._samples import TrainingImage
    from napari_mouse_seg.training._task import PaintedPatch

_MATCH_IOU = 0.5
_REHEARSAL_SHARE = 0.25


class ObjectsTask:
    """A ``Task`` for ``DistanceTargets``.

    Parameters
    ----------
    plan
        Crops and step size.
    intensity, instances
        Of the model.
    rehearse
        Name of the bundled model whose own samples are mixed in against forgetting; empty for none.
    """

    def __init__(
        self, plan: RetrainPlan, intensity: IntensityPlan, instances: InstancesPlan, rehearse: str = ""
    ) -> None:
        self.training: TrainingPlan = fine_tuning_plan(plan)
        self.intensity = intensity
        self.shares: Mapping[str, float] = {REHEARSAL_GROUP: _REHEARSAL_SHARE}
        self._instances = instances
        self._base_images = load_rehearsal(rehearse, self.training) if rehearse else []

    def prepare(self, patches: Sequence[PaintedPatch], network: nn.Module) -> list[TrainingImage]:
        """Encode whole paint as it is, and strokes with the help of the network's own objects."""
        return [*(self._prepare(patch, network) for patch in patches), *self._base_images]

    def needs_refresh(self, patches: Sequence[PaintedPatch]) -> bool:
        """Return whether there are strokes, whose objects the network completes."""
        return any(not patch.meaning.whole_objects for patch in patches)

    def loss(self, logits: Tensor, maps: Tensor) -> Tensor:
        """Return ``instance_loss``."""
        return instance_loss(logits, maps, self.training)

    def score(self, network: nn.Module, patches: Sequence[PaintedPatch]) -> Score:
        """Return the mean over patches of F1, or of the foreground's overlap where not all objects are painted."""
        value = float(np.mean([self._score(network, patch) for patch in patches]))
        return Score(value, {"f1_50": value})

    def _prepare(self, patch: PaintedPatch, network: nn.Module) -> TrainingImage:
        if patch.meaning.whole_objects:
            return prepare_paint(patch.stretched, patch.paint, patch.meaning, self.training, PAINTED_GROUP)
        scores = predict_scores(network, compress(patch.stretched, self.intensity))
        every = patch.meaning.rest_is_background
        objects = complete_strokes(scores, patch.paint, self._instances, every_object=every)
        half_width = self.training.boundary_half_width_px
        return prepare_strokes(patch.stretched, patch.paint, objects, scores, half_width, PAINTED_GROUP)

    def _score(self, network: nn.Module, patch: PaintedPatch) -> float:
        scores = predict_scores(network, compress(patch.stretched, self.intensity))
        is_object = patch.paint > BACKGROUND_LABEL
        if patch.is_complete:
            found = decode(scores, self._instances).labels
            truth = np.where(is_object, patch.paint, 0).astype(np.int64)
            return float(instance_scores(found, truth, thresholds=(_MATCH_IOU,)).f1[0])
        painted = patch.paint != NOT_PAINTED
        found_there = painted & (scores[0] > self._instances.foreground_threshold * SCORE_ONE)
        either = (found_there | is_object).sum()
        return float((found_there & is_object).sum() / either) if either else 1.0
