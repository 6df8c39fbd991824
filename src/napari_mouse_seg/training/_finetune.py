"""Fine-tuning on painted patches: a schedule in minutes, a look at the result every few seconds, the best kept."""

from __future__ import annotations

import copy
import dataclasses
import logging
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from napari_mouse_seg.errors import TrainingError
from napari_mouse_seg.events import Event, StepsDone, Validated, Warned
from napari_mouse_seg.networks import free_memory, is_out_of_memory
from napari_mouse_seg.training._blend import Blend
from napari_mouse_seg.training._clock import Clock
from napari_mouse_seg.training._loop import Trainer, cosine
from napari_mouse_seg.training._samples import PatchSampler
from napari_mouse_seg.training._task import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from torch import nn

    from napari_mouse_seg.plans import RetrainPlan
    from napari_mouse_seg.training._task import PaintedPatch, Task

_LOG = logging.getLogger(__name__)
_DAMAGED = (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError)
_WARMUP_STEPS = 10
_REPORT_S = 1.0
_FIRST_LOOK_S = 12.0
_LOOKS = 12
_REFRESHES = 10


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
        Trained in place; afterwards it holds the best weights: averaged over the last steps and, if there are
        ``unseen`` patches, with those that it had.
    task
        What it is taught.
    patches
        To learn from.
    validation
        To measure on; never learnt from. May be empty.
    plan
        Length and batches.
    device
        Torch device string.
    unseen
        Of the patches those that the network has not learnt from; how well it does on them says how much of it is worth
        keeping, unless the plan does. None if it cannot do the task yet, so that there is nothing to keep.

    Attributes
    ----------
    learnt_share
        Of the weights that are kept; the rest is as it was before. Chosen when ``run`` begins.
    """

    def __init__(
        self,
        network: nn.Module,
        task: Task,
        patches: Sequence[PaintedPatch],
        validation: Sequence[PaintedPatch],
        plan: RetrainPlan,
        device: str = "cpu",
        *,
        unseen: Sequence[PaintedPatch] | None = None,
    ) -> None:
        self._network = network
        self._unseen = unseen or ()
        self._blend = None if unseen is None else Blend(network.to(device))
        self.learnt_share = 1.0
        self._task = task
        self._patches = tuple(patches)
        self._validation = tuple(validation)
        self._plan = plan
        self._device = device
        self._trainer = Trainer(network, task.training, task.loss, device)
        self._best: _Best | None = None
        self._untold: dict[str, bool] = {}
        self._clock = Clock(plan)

    @property
    def averaged(self) -> nn.Module:
        """The network as it would be kept now, for looking at; the next call changes it."""
        trained = self._trainer.averaged
        return trained if self._blend is None else self._blend.mix(trained, self.learnt_share)

    @property
    def best_step(self) -> int:
        """The step whose weights are kept."""
        return self._trainer.steps if self._best is None else self._best.step

    @property
    def best_score(self) -> Score | None:
        """Its validation score; None without validation."""
        return None if self._best is None else self._best.score

    def run(self, control: Control) -> Iterator[Event]:
        """Train until the time or the steps are over, or a stop is wanted.

        Yields
        ------
        Event
            ``StepsDone`` about once a second, ``Validated`` soon and then about a dozen times; after each of these
            ``averaged`` is worth a look. ``Warned`` where memory runs out midway, or the loss is no longer finite
            after the score was good: what was learnt by then is kept.

        Raises
        ------
        TrainingError
            If the loss is no longer finite and no weights are known to be good.
        RuntimeError, MemoryError
            If memory runs out at once.
        """
        clock = self._clock
        self.learnt_share = self._choose_share()
        sampler = self._make_sampler()
        clock.start()
        losses: list[float] = []
        drawn = self._trainer.steps * self._plan.batch_size
        reported = looked = clock.elapsed_s
        pause_s = _FIRST_LOOK_S
        remade = int(clock.done(self._trainer.steps) * _REFRESHES)
        while (self._trainer.steps == 0 or clock.done(self._trainer.steps) < 1) and not control.wants_stop():
            done = clock.done(self._trainer.steps)
            if int(done * _REFRESHES) > remade and self._task.needs_refresh(self._patches):
                remade, sampler = int(done * _REFRESHES), self._remake(sampler)
            try:
                losses.append(self._step(sampler, drawn, cosine(done)))
            except (RuntimeError, MemoryError, TrainingError) as error:
                yield Warned(self._why_it_ends(error))
                break
            drawn += self._plan.batch_size
            clock.pause(control.wait_while_paused)
            if clock.elapsed_s - reported >= _REPORT_S:
                reported = clock.elapsed_s
                yield self._report(clock, losses)
            if clock.elapsed_s - looked >= pause_s:
                looked, pause_s = clock.elapsed_s, max(_FIRST_LOOK_S, clock.total_s / _LOOKS)
                yield self._look()
            yield from self._tell()
        if losses:
            yield self._report(clock, losses)
        yield self._look()
        yield from self._tell()
        kept = self.averaged.state_dict() if self._best is None else self._best.weights
        self._network.load_state_dict(kept)
        self._network.eval()

    def _step(self, sampler: PatchSampler, first: int, factor: float) -> float:
        """Take a step and return its loss."""
        batch = [sampler[first + index] for index in range(self._plan.batch_size)]
        images, maps = (torch.from_numpy(np.stack(part)) for part in zip(*batch, strict=True))
        warmth = min(1.0, (self._trainer.steps + 1) / _WARMUP_STEPS)
        return self._trainer.step(images, maps, warmth * factor * self._task.step_size)

    def _why_it_ends(self, error: Exception) -> str:
        """Say why a step was the last one, and what is kept; raise the error where there is nothing to keep.

        Memory may have gone to another process, unless it never was enough.
        """
        steps = self._trainer.steps
        if is_out_of_memory(error) and steps >= _WARMUP_STEPS:
            free_memory(self._device)
            return f"Memory ran out after {steps} steps; what was learnt by then is kept."
        if isinstance(error, TrainingError) and self._best is not None:
            return f"{error} What was best is kept, of step {self._best.step}."
        raise error

    def save(self, checkpoint: Path, key: str) -> None:
        """Write all that is needed to go on after a crash, under a key that stands for job and paint."""
        notes: dict[str, Any] = {"key": key, "elapsed_s": self._clock.elapsed_s}  # Any: tensors, numbers, text
        if self._best is not None:
            notes["best"] = dataclasses.asdict(self._best)
        self._trainer.save(checkpoint, notes)

    def restore(self, checkpoint: Path, key: str) -> int:
        """Go on from a checkpoint of the same key; return its number of steps, 0 if there is none."""
        try:
            saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
            notes = saved["notes"]
            if notes["key"] != key:
                return 0
            found = notes.get("best")
            best = None if found is None else _Best(Score(**found["score"]), found["step"], found["weights"])
            clock = Clock(self._plan, notes["elapsed_s"])
            self._trainer.take(saved)
            self._best, self._clock = best, clock
        except FileNotFoundError:
            return 0
        except _DAMAGED as error:
            if is_out_of_memory(error):
                raise
            _LOG.warning("%s cannot be read (%s); the training starts anew.", checkpoint, error)
            return 0
        return self._trainer.steps

    def _report(self, clock: Clock, losses: list[float]) -> StepsDone:
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
        try:
            network = self.averaged
            score = self._task.score(network, self._validation)
            is_best = self._best is None or score.value >= self._best.score.value
            if is_best:
                self._best = _Best(score, steps, copy.deepcopy(network.state_dict()))
        except (RuntimeError, MemoryError) as error:
            self._go_on_without("measured on the validation patches", error)
            return Validated(steps, None, False)
        return Validated(steps, score.value, is_best, score.parts, score.name)

    def _choose_share(self) -> float:
        if self._blend is None:
            return 1.0
        if self._plan.learnt_share is not None:
            return self._plan.learnt_share
        return self._task.learnt_share(self._blend.before, self._patches, self._unseen)

    def _remake(self, sampler: PatchSampler) -> PatchSampler:
        """Return what to draw from now; the same as before where there is no memory for better."""
        try:
            return self._make_sampler()
        except (RuntimeError, MemoryError) as error:
            self._go_on_without("asked to complete the strokes anew", error)
            return sampler

    def _go_on_without(self, what: str, error: Exception) -> None:
        """Note that memory ran out for something that a training can do without; raise all other errors."""
        if not is_out_of_memory(error):
            raise error
        free_memory(self._device)
        message = f"There was not memory enough for the model to be {what}; the training goes on without."
        self._untold.setdefault(message, True)

    def _tell(self) -> Iterator[Warned]:
        for message in [message for message, untold in self._untold.items() if untold]:
            self._untold[message] = False
            yield Warned(message)

    def _make_sampler(self) -> PatchSampler:
        images = self._task.prepare(self._patches, self._trainer.averaged)
        return PatchSampler(images, self._task.training, self._task.intensity, self._task.shares)


@dataclass(frozen=True, slots=True)
class _Best:
    """The weights that scored best so far."""

    score: Score
    step: int
    weights: dict[str, torch.Tensor]
