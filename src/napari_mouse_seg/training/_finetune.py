"""Fine-tuning on painted patches: a schedule in minutes, a look at the result every few seconds, the best kept."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from napari_mouse_seg.events import Event, StepsDone, Validated
from napari_mouse_seg.images import compress
from napari_mouse_seg.instances import decode
from napari_mouse_seg.metrics import instance_scores
from napari_mouse_seg.plans import BACKGROUND_LABEL, NOT_PAINTED, AugmentationPlan, TrainingPlan
from napari_mouse_seg.tiling import SCORE_ONE
from napari_mouse_seg.training._loop import Trainer, cosine
from napari_mouse_seg.training._paint import prepare_paint
from napari_mouse_seg.training._predict import predict_scores
from napari_mouse_seg.training._rehearsal import REHEARSAL_GROUP, load_rehearsal
from napari_mouse_seg.training._samples import PatchSampler, TrainingImage
from napari_mouse_seg.training._strokes import prepare_strokes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from torch import nn

    from napari_mouse_seg.plans import InstancesPlan, IntensityPlan, PaintPlan, RetrainPlan

_WARMUP_STEPS = 10
_AVERAGE_DECAY = 0.98
_REPORT_S = 1.0
_FIRST_LOOK_S = 12.0
_LOOKS = 12
_STROKE_LOOKS = 10
_MATCH_IOU = 0.5
_UNLIMITED = 10**9
_REHEARSAL_SHARE = 0.25


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
        (Y, X) integers: 0 is not painted, 1 is background, each higher label is one object.
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


class Control(Protocol):
    """What the user wants of a training at work; asked after every step."""

    def wait_while_paused(self) -> None:
        """Return at once unless it is paused."""

    def wants_stop(self) -> bool:
        """Return whether to stop and keep what is best."""


class FineTuning:
    """One fine-tuning of a network; ``run`` does it.

    Parameters
    ----------
    network
        Trained in place; afterwards it holds the best averaged weights.
    patches
        To learn from.
    validation
        To measure on; never learnt from. May be empty.
    plan
        Length, step size, crops.
    intensity, instances
        Of the model.
    rehearse
        Name of the bundled model whose own samples are mixed in against forgetting; empty for none.
    device
        Torch device string.
    """

    def __init__(
        self,
        network: nn.Module,
        patches: Sequence[PaintedPatch],
        validation: Sequence[PaintedPatch],
        plan: RetrainPlan,
        intensity: IntensityPlan,
        instances: InstancesPlan,
        rehearse: str = "",
        device: str = "cpu",
    ) -> None:
        self._network = network
        self._patches = tuple(patches)
        self._validation = tuple(validation)
        self._plan = plan
        self._intensity = intensity
        self._instances = instances
        self._training = TrainingPlan(
            patch_px=plan.crop_px,
            batch_size=plan.batch_size,
            steps=_UNLIMITED,
            learning_rate=plan.learning_rate,
            average_decay=_AVERAGE_DECAY,
            seed=plan.seed,
            augmentation=AugmentationPlan(min_scale=0.7, max_scale=1.4),
        )
        self._base_images = load_rehearsal(rehearse, self._training) if rehearse else []
        self._trainer = Trainer(network, self._training, device)
        self._best: tuple[float, int, dict[str, torch.Tensor]] | None = None

    @property
    def averaged(self) -> nn.Module:
        """The network as it stands, for looking at."""
        return self._trainer.averaged

    @property
    def best_step(self) -> int:
        """The step whose weights are kept."""
        return self._trainer.steps if self._best is None else self._best[1]

    @property
    def best_score(self) -> float | None:
        """Its validation score; None without validation."""
        return None if self._best is None else self._best[0]

    def run(self, control: Control) -> Iterator[Event]:
        """Train until the time or the steps are over, or a stop is wanted.

        Yields
        ------
        Event
            ``StepsDone`` about once a second, ``Validated`` about a dozen times; after each of these ``averaged`` is
            worth a look.

        Raises
        ------
        TrainingError
            If the loss is no longer finite.
        """
        clock = _Clock(self._plan)
        sampler = self._make_sampler()
        losses: list[float] = []
        drawn, reported, looked, remade = 0, 0.0, 0.0, 0
        while clock.done(self._trainer.steps) < 1 and not control.wants_stop():
            done = clock.done(self._trainer.steps)
            if int(done * _STROKE_LOOKS) > remade and self._has_strokes():
                remade, sampler = int(done * _STROKE_LOOKS), self._make_sampler()
            batch = [sampler[drawn + index] for index in range(self._plan.batch_size)]
            drawn += len(batch)
            images, maps = (torch.from_numpy(np.stack(part)) for part in zip(*batch, strict=True))
            warmth = min(1.0, (self._trainer.steps + 1) / _WARMUP_STEPS)
            losses.append(self._trainer.step(images, maps, warmth * cosine(done)))
            clock.pause(control.wait_while_paused)
            if clock.elapsed_s - reported >= _REPORT_S:
                reported = clock.elapsed_s
                yield self._report(clock, losses)
            if clock.elapsed_s - looked >= max(_FIRST_LOOK_S, clock.total_s / _LOOKS):
                looked = clock.elapsed_s
                yield self._look()
        if losses:
            yield self._report(clock, losses)
        yield self._look()
        self._trainer.finish()
        if self._best is not None:
            self._network.load_state_dict(self._best[2])

    def _report(self, clock: _Clock, losses: list[float]) -> StepsDone:
        steps = self._trainer.steps
        mean = sum(losses) / len(losses)
        losses.clear()
        done = clock.done(steps)
        total = steps if done >= 1 else max(steps, round(steps / max(done, 1e-6)))
        return StepsDone(steps, total, mean, clock.left_s(steps))

    def _look(self) -> Validated:
        """Measure the averaged weights, and remember them if they are the best so far."""
        steps = self._trainer.steps
        if not self._validation:
            return Validated(steps, None, False)
        network = self._trainer.averaged
        score = float(np.mean([self._score(network, patch) for patch in self._validation]))
        is_best = self._best is None or score >= self._best[0]
        if is_best:
            self._best = score, steps, copy.deepcopy(network.state_dict())
        return Validated(steps, score, is_best)

    def _score(self, network: nn.Module, patch: PaintedPatch) -> float:
        """F1 of the objects where all are painted, otherwise IoU of the foreground where there is paint."""
        scores = predict_scores(network, compress(patch.stretched, self._intensity))
        is_object = patch.paint > BACKGROUND_LABEL
        if patch.is_complete:
            found = decode(scores, self._instances).labels
            truth = np.where(is_object, patch.paint, 0).astype(np.int64)
            return float(instance_scores(found, truth, thresholds=(_MATCH_IOU,)).f1[0])
        painted = patch.paint != NOT_PAINTED
        found_there = painted & (scores[0] > self._instances.foreground_threshold * SCORE_ONE)
        either = (found_there | is_object).sum()
        return float((found_there & is_object).sum() / either) if either else 1.0

    def _has_strokes(self) -> bool:
        return any(not patch.meaning.whole_objects for patch in self._patches)

    def _make_sampler(self) -> PatchSampler:
        images = [self._prepare(patch) for patch in self._patches]
        shares = {REHEARSAL_GROUP: _REHEARSAL_SHARE}
        return PatchSampler([*images, *self._base_images], self._training, self._intensity, shares)

    def _prepare(self, patch: PaintedPatch) -> TrainingImage:
        if patch.meaning.whole_objects:
            return prepare_paint(patch.stretched, patch.paint, patch.meaning, self._training, "painted")
        paint = np.where(patch.paint == NOT_PAINTED, BACKGROUND_LABEL, patch.paint)
        paint = paint if patch.meaning.rest_is_background else patch.paint
        scores = predict_scores(self._trainer.averaged, compress(patch.stretched, self._intensity))
        half_width = self._training.boundary_half_width_px
        return prepare_strokes(patch.stretched, paint, scores, self._instances, half_width, "painted")


class _Clock:
    """How far a training is, in time or in steps; pauses do not count."""

    def __init__(self, plan: RetrainPlan) -> None:
        self._steps = plan.steps
        self._began = time.perf_counter()
        self._paused_s = 0.0
        self._minutes = plan.minutes

    @property
    def elapsed_s(self) -> float:
        return time.perf_counter() - self._began - self._paused_s

    @property
    def total_s(self) -> float:
        """Planned length; 0 where steps are counted."""
        return 0.0 if self._steps is not None else self._minutes * 60

    def done(self, steps: int) -> float:
        """Share that is done, 0 to 1 and beyond."""
        return steps / self._steps if self._steps is not None else self.elapsed_s / self.total_s

    def left_s(self, steps: int) -> float | None:
        done = self.done(steps)
        return max(0.0, self.elapsed_s * (1 - done) / done) if done > 0 else None

    def pause(self, wait: Any) -> None:  # Any: a function without arguments
        began = time.perf_counter()
        wait()
        self._paused_s += time.perf_counter() - began
