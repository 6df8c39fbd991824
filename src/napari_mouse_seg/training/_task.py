"""What a fine-tuning asks of the task: objects or areas differ in targets, loss and score, never in the schedule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from napari_mouse_seg.plans import NOT_PAINTED, AugmentationPlan, TrainingPlan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from napari_mouse_seg.plans import IntensityPlan, PaintPlan, RetrainPlan
    from napari_mouse_seg.training._samples import TrainingImage

PAINTED_GROUP = "painted"
"""Sampling group of what the user painted."""

_AVERAGE_DECAY = 0.98
_UNLIMITED = 10**9


@dataclass(frozen=True, slots=True)
class PaintedPatch:
    """One patch as the user left it.

    Attributes
    ----------
    name
        For messages.
    stretched
        (C, Y, X) float32 from ``images.stretch``.
    paint
        (Y, X) integers: 0 is not painted. For objects 1 is background, each higher label is one object; for areas it is
        the label of a class.
    meaning
        How the paint is read.
    """

    name: str
    stretched: NDArray[np.float32]
    paint: NDArray[Any]
    meaning: PaintPlan

    @property
    def is_complete(self) -> bool:
        """Whether every object of the patch is there in full, so that objects can be counted."""
        everything = self.meaning.rest_is_background or bool((self.paint != NOT_PAINTED).all())
        return everything and self.meaning.whole_objects


@dataclass(frozen=True, slots=True)
class Score:
    """How good a network is on painted patches.

    Attributes
    ----------
    value
        From 0 to 1; what decides which weights are kept.
    parts
        What is written on the card: the same by its name, and what it is made of.
    name
        What it measures, in words.
    """

    value: float
    parts: dict[str, float] = field(default_factory=dict)
    name: str = ""


class Task(Protocol):
    """What a network is taught, and how it is judged."""

    @property
    def training(self) -> TrainingPlan:
        """Crops, augmentation and step size."""

    @property
    def intensity(self) -> IntensityPlan:
        """What is done to the pixels before the network."""

    @property
    def shares(self) -> Mapping[str, float]:
        """How much of all crops comes from a sampling group; see ``PatchSampler``."""

    @property
    def step_size(self) -> float:
        """Factor on the learning rate; it may change with ``prepare``."""

    def learnt_share(self, before: nn.Module, patches: Sequence[PaintedPatch], unseen: Sequence[PaintedPatch]) -> float:
        """Return how much of what the patches teach to keep, 0 to 1; the rest stays as it was before.

        ``unseen`` are those of the patches that the network of before has not learnt from; it is judged on them.
        """

    def prepare(self, patches: Sequence[PaintedPatch], network: nn.Module) -> list[TrainingImage]:
        """Encode what is learnt from; the network is as it stands now, in evaluation mode."""

    def needs_refresh(self, patches: Sequence[PaintedPatch]) -> bool:
        """Return whether ``prepare`` should be asked again as the network improves."""

    def loss(self, logits: Tensor, maps: Tensor) -> Tensor:
        """Return a scalar from (N, outputs, Y, X) logits and (N, M, Y, X) maps of the images prepared."""

    def score(self, network: nn.Module, patches: Sequence[PaintedPatch]) -> Score:
        """Judge a network in evaluation mode on at least one patch."""


def fine_tuning_plan(plan: RetrainPlan, invert_probability: float = 0.0) -> TrainingPlan:
    """Return how crops are drawn and steps taken in a training whose end a clock decides."""
    return TrainingPlan(
        patch_px=plan.crop_px,
        batch_size=plan.batch_size,
        steps=_UNLIMITED,
        learning_rate=plan.learning_rate,
        average_decay=_AVERAGE_DECAY,
        seed=plan.seed,
        augmentation=AugmentationPlan(min_scale=0.7, max_scale=1.4, invert_probability=invert_probability),
    )
