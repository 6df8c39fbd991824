"""Learning objects from paint, whole or with strokes, in any scheme of targets that objects can be made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_mouse_seg.images import compress
from napari_mouse_seg.instances import decode, decoder_maps
from napari_mouse_seg.metrics import instance_scores
from napari_mouse_seg.plans import BACKGROUND_LABEL, NOT_PAINTED, BoundaryTargets
from napari_mouse_seg.tiling import SCORE_ONE, Box
from napari_mouse_seg.training._blend import learnt_share
from napari_mouse_seg.training._guess import Guess, guess_foreground, mix_scores
from napari_mouse_seg.training._losses import boundary_loss, instance_loss
from napari_mouse_seg.training._paint import prepare_paint
from napari_mouse_seg.training._predict import predict_scores
from napari_mouse_seg.training._rehearsal import REHEARSAL_GROUP, load_rehearsal
from napari_mouse_seg.training._samples import DEFAULT_TARGETS
from napari_mouse_seg.training._strokes import complete_strokes, prepare_strokes
from napari_mouse_seg.training._task import PAINTED_GROUP, Score, fine_tuning_plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from napari_mouse_seg.plans import InstancesPlan, IntensityPlan, ObjectTargets, RetrainPlan, TrainingPlan
    from napari_mouse_seg.training._samples import TrainingImage
    from napari_mouse_seg.training._task import PaintedPatch


class _Measure(NamedTuple):
    key: str
    words: str


_F1 = _Measure("f1_50", "F1")
_OVERLAP = _Measure("foreground_iou", "IoU")
_MATCH_IOU = 0.5
_REHEARSAL_SHARE = 0.25
_STROKES_STEP = 0.3
"""Size of steps while a network learns from strokes of which it knows as much as a classifier of pixels does.

What it completes is its own then, and large steps carry it away with that; a network that is lost learns from the
classifier, and needs them.
"""


class ObjectsTask:
    """A ``Task`` for ``DistanceTargets`` or ``BoundaryTargets``.

    Parameters
    ----------
    plan
        Crops and step size.
    intensity, instances, targets
        Of the model.
    rehearse
        Name of the bundled model whose own samples are mixed in against forgetting; empty for none.
    invert_probability
        Share of crops whose dark and bright change places.
    """

    def __init__(
        self,
        plan: RetrainPlan,
        intensity: IntensityPlan,
        instances: InstancesPlan,
        targets: ObjectTargets = DEFAULT_TARGETS,
        *,
        rehearse: str = "",
        invert_probability: float = 0.0,
    ) -> None:
        self.training: TrainingPlan = fine_tuning_plan(plan, invert_probability)
        self.intensity = intensity
        self.shares: Mapping[str, float] = {REHEARSAL_GROUP: _REHEARSAL_SHARE}
        self._instances = instances
        self._targets = targets
        self._loss = boundary_loss if isinstance(targets, BoundaryTargets) else instance_loss
        self.step_size = 1.0
        self._guess: Guess | None = None
        self._base_images = load_rehearsal(rehearse, self.training, targets) if rehearse else []

    def learnt_share(self, before: nn.Module, patches: Sequence[PaintedPatch], unseen: Sequence[PaintedPatch]) -> float:
        """Return ``learnt_share`` of the painted objects and of the score before, where there are objects."""
        n_objects = sum(len(np.unique(patch.paint[patch.paint > BACKGROUND_LABEL])) for patch in patches)
        # A network that finds nothing anywhere is right about patches without objects.
        telling = [patch for patch in unseen if (patch.paint > BACKGROUND_LABEL).any()]
        return learnt_share(n_objects, self.score(before, telling).value if telling else 0.0)

    def prepare(self, patches: Sequence[PaintedPatch], network: nn.Module) -> list[TrainingImage]:
        """Encode whole paint as it is, and strokes with the help of the network's own objects.

        The patches are the same at every call. Sets ``step_size``.
        """
        whole = [patch for patch in patches if patch.meaning.whole_objects]
        strokes = [patch for patch in patches if not patch.meaning.whole_objects]
        return [
            *(self._encode(patch) for patch in whole),
            *self._complete(strokes, network),
            *self._base_images,
        ]

    def needs_refresh(self, patches: Sequence[PaintedPatch]) -> bool:
        """Return whether there are strokes, whose objects the network completes."""
        return any(not patch.meaning.whole_objects for patch in patches)

    def loss(self, logits: Tensor, maps: Tensor) -> Tensor:
        """Return the loss of the scheme: ``instance_loss`` or ``boundary_loss``."""
        return self._loss(logits, maps, self.training)

    def score(self, network: nn.Module, patches: Sequence[PaintedPatch]) -> Score:
        """Return the mean over patches of F1, or of the foreground's overlap where not all objects are painted."""
        scores = [(_F1 if patch.is_complete else _OVERLAP, self._score(network, patch)) for patch in patches]
        kinds = [kind for kind in (_F1, _OVERLAP) if any(kind is of for of, _ in scores)]
        parts = {kind.key: float(np.mean([value for of, value in scores if of is kind])) for kind in kinds}
        value = float(np.mean([value for _, value in scores]))
        return Score(value, parts, " and ".join(kind.words for kind in kinds))

    def _encode(self, patch: PaintedPatch) -> TrainingImage:
        meaning = patch.meaning
        return prepare_paint(patch.stretched, patch.paint, meaning, self.training, self._targets, PAINTED_GROUP)

    def _maps(self, network: nn.Module, image: NDArray[np.float32]) -> NDArray[np.uint16]:
        """Return foreground, touching boundary and distance of (C, Y, X) network input, whatever the scheme."""
        scores = predict_scores(network, image, self._targets.activation)
        read = decoder_maps(self._targets, lambda box: scores[:, *box.slices])
        return read(Box(0, 0, *scores.shape[1:]))

    def _complete(self, patches: Sequence[PaintedPatch], network: nn.Module) -> Iterator[TrainingImage]:
        if not patches:
            return
        images = [compress(patch.stretched, self.intensity) for patch in patches]
        paints = [patch.paint for patch in patches]
        if self._guess is None:
            self._guess = guess_foreground(images, paints, self.training.seed)
        scores, share = mix_scores([self._maps(network, image) for image in images], self._guess, paints)
        self.step_size = 1 - (1 - _STROKES_STEP) * share
        for patch, mixed in zip(patches, scores, strict=True):
            every = patch.meaning.rest_is_background
            objects = complete_strokes(mixed, patch.paint, self._instances, every_object=every)
            yield prepare_strokes(patch.stretched, patch.paint, objects, mixed, self._targets, PAINTED_GROUP)

    def _score(self, network: nn.Module, patch: PaintedPatch) -> float:
        scores = self._maps(network, compress(patch.stretched, self.intensity))
        is_object = patch.paint > BACKGROUND_LABEL
        if patch.is_complete:
            found = decode(scores, self._instances).labels
            truth = np.where(is_object, patch.paint, 0).astype(np.int64)
            return float(instance_scores(found, truth, thresholds=(_MATCH_IOU,)).f1[0])
        painted = patch.paint != NOT_PAINTED
        found_there = painted & (scores[0] > self._instances.foreground_threshold * SCORE_ONE)
        either = (found_there | is_object).sum()
        return float((found_there & is_object).sum() / either) if either else 1.0
