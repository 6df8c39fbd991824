"""Learning areas from paint: every pixel belongs to one class, and those that are not annotated count nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_mouse_seg.images import compress
from napari_mouse_seg.metrics import area_scores, pool_areas
from napari_mouse_seg.plans import BACKGROUND_LABEL, NOT_PAINTED
from napari_mouse_seg.training._losses import area_loss
from napari_mouse_seg.training._predict import predict_scores
from napari_mouse_seg.training._samples import MapRules, TrainingImage
from napari_mouse_seg.training._task import PAINTED_GROUP, Score, fine_tuning_plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from napari_mouse_seg.metrics import AreaScores
    from napari_mouse_seg.plans import AreaTargets, IntensityPlan, RetrainPlan, TrainingPlan
    from napari_mouse_seg.training._task import PaintedPatch

LARGEST_CLASS_WEIGHT = 5.0
"""A pixel of the rarest class never counts more than this many pixels of the commonest."""

_LABELS = 256
_NOT_ANNOTATED = 0


class AreasTask:
    """A ``Task`` for ``AreaTargets``.

    Parameters
    ----------
    plan
        Crops and step size.
    intensity
        Of the model.
    targets
        The classes, in the order of the outputs.
    patches
        That are learnt from; how much of each class they hold gives the weights.
    """

    def __init__(
        self, plan: RetrainPlan, intensity: IntensityPlan, targets: AreaTargets, patches: Sequence[PaintedPatch]
    ) -> None:
        self.training: TrainingPlan = fine_tuning_plan(plan)
        self.intensity = intensity
        self.shares: Mapping[str, float] = {}
        self.step_size = 1.0
        self._targets = targets
        counts = sum((self._count(self._encode(patch)) for patch in patches), np.zeros(len(targets.classes), np.int64))
        self._weights = torch.from_numpy(class_weights(counts))

    def learnt_share(self, before: nn.Module, patches: Sequence[PaintedPatch], unseen: Sequence[PaintedPatch]) -> float:
        """Return 1: a class is mostly new, and strokes over an area say more than one object does."""
        return 1.0

    def prepare(self, patches: Sequence[PaintedPatch], network: nn.Module) -> list[TrainingImage]:
        """Encode the paint; the network is not asked."""
        return [class_image(patch.stretched, self._encode(patch), PAINTED_GROUP) for patch in patches]

    def needs_refresh(self, patches: Sequence[PaintedPatch]) -> bool:
        """Return False: the paint says it all."""
        return False

    def loss(self, logits: Tensor, maps: Tensor) -> Tensor:
        """Return ``area_loss``."""
        return area_loss(logits, maps, self._weights.to(logits.device, logits.dtype))

    def score(self, network: nn.Module, patches: Sequence[PaintedPatch]) -> Score:
        """Return the mean IoU over the classes that are annotated in the patches, all pixels pooled."""
        scores = pool_areas(self._compare(network, patch) for patch in patches)
        iou = {
            self._targets.outputs[position - 1]: float(value)
            for position, value, annotated in zip(scores.labels, scores.iou, scores.confusion.sum(1), strict=True)
            if annotated
        }
        value = float(np.mean(list(iou.values()))) if iou else 0.0
        return Score(value, {"mean_iou": value} | {f"iou {name}": each for name, each in iou.items()}, "mean IoU")

    def _compare(self, network: nn.Module, patch: PaintedPatch) -> AreaScores:
        scores = predict_scores(network, compress(patch.stretched, self.intensity), self._targets.activation)
        return area_scores(scores.argmax(0) + 1, self._encode(patch), ignore=_NOT_ANNOTATED)

    def _encode(self, patch: PaintedPatch) -> NDArray[np.uint8]:
        return encode_classes(patch, self._targets)

    def _count(self, encoded: NDArray[np.uint8]) -> NDArray[np.int64]:
        counted: NDArray[np.int64] = np.bincount(encoded.ravel(), minlength=len(self._targets.classes) + 1)[1:]
        return counted


def encode_classes(patch: PaintedPatch, targets: AreaTargets) -> NDArray[np.uint8]:
    """Return (Y, X): 0 where nothing is annotated, otherwise 1 + the position of the class.

    Where the rest is background, what is not painted is the class with label ``BACKGROUND_LABEL``. Labels that are no
    class are not annotated.
    """
    positions = np.zeros(_LABELS, np.uint8)
    for position, entry in enumerate(targets.classes, start=1):
        positions[entry.label] = position
    if patch.meaning.rest_is_background:
        positions[NOT_PAINTED] = positions[BACKGROUND_LABEL]
    known = (patch.paint >= 0) & (patch.paint < _LABELS)
    encoded: NDArray[np.uint8] = np.where(known, positions[np.where(known, patch.paint, 0)], np.uint8(0))
    return encoded


def class_weights(counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return a weight for the pixels of each class from how many are annotated.

    The root of how much rarer a class is than the commonest: the inverse itself lets a few strokes outvote everything
    else. The commonest weighs 1, none more than ``LARGEST_CLASS_WEIGHT``; a class that is not annotated never shows up,
    and has 1.
    """
    weights = np.sqrt(counts.max() / np.maximum(counts, 1))
    return np.where(counts > 0, np.minimum(weights, LARGEST_CLASS_WEIGHT), 1).astype(np.float32)


def class_image(stretched: NDArray[np.float32], encoded: NDArray[np.uint8], group: str) -> TrainingImage:
    """Make (C, Y, X) pixels and (Y, X) encoded classes ready to be sampled; every class is drawn equally often."""
    present = range(1, int(encoded.max()) + 1)
    centres = tuple(np.flatnonzero(encoded == position).astype(np.int32) for position in present)
    return TrainingImage(stretched.astype(np.float16), encoded[None], group, CLASS_MAPS, centres)


def _is_annotated(maps: NDArray[np.uint8]) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = maps[0] != _NOT_ANNOTATED
    return known


def _nearest(maps: NDArray[np.uint8], grid: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Sample (1, Y, X) classes at ``grid`` in both directions; between two classes there is no third."""
    nearest = np.clip(np.round(grid).astype(np.intp), 0, maps.shape[1] - 1)
    taken: NDArray[np.uint8] = maps[:, nearest][:, :, nearest]
    return taken


CLASS_MAPS = MapRules(_is_annotated, _nearest)
"""Of (1, Y, X) uint8 maps: 0 where nothing is annotated, otherwise 1 + the position of the class."""
