"""One step after the other, with averaged weights and checkpoints, so that a killed run goes on where it was."""

from __future__ import annotations

import math
import os
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, Subset

from napari_mouse_seg._atomic import patiently
from napari_mouse_seg.errors import TrainingError
from napari_mouse_seg.events import StepsDone
from napari_mouse_seg.networks import memory_format
from napari_mouse_seg.training._adamw import AdamW
from napari_mouse_seg.training._losses import instance_loss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from torch import Tensor, nn

    from napari_mouse_seg.plans import TrainingPlan
    from napari_mouse_seg.training._samples import PatchSampler


def learning_rate_factor(step: int, plan: TrainingPlan) -> float:
    """Return the factor on the peak learning rate: linear warm-up, then half a cosine down to 1 %."""
    if step < plan.warmup_steps:
        return (step + 1) / plan.warmup_steps
    return cosine((step - plan.warmup_steps) / max(1, plan.steps - plan.warmup_steps))


def cosine(done: float) -> float:
    """Return half a cosine from 1 down to 0.01 as ``done`` goes from 0 to 1."""
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def _averaging(decay: float) -> Callable[[Any, Any, Any], None]:  # Any: lists of tensors, as torch groups them
    """Return the rule of an exponential moving average whose memory grows to its length over the first steps.

    A short training would otherwise average mostly what it started from. All tensors of a kind at once: a GPU is
    waited for once a step, and not for each.
    """

    def average(old: Any, new: Any, count: Any) -> None:
        if old[0].is_floating_point():
            number = int(count)
            torch._foreach_lerp_(old, new, 1 - min(decay, (1 + number) / (10 + number)))
        else:
            torch._foreach_copy_(old, new)

    return average


class Trainer:
    """A network in training: optimiser, averaged weights, checkpoints.

    Parameters
    ----------
    network
        Gives logits; is moved to the device and trained in place.
    plan
        Step size and weights.
    loss
        Of logits and maps, both (N, channels, Y, X); a scalar.
    device
        Torch device string.

    Attributes
    ----------
    steps
        Done so far.
    """

    def __init__(
        self, network: nn.Module, plan: TrainingPlan, loss: Callable[[Tensor, Tensor], Tensor], device: str = "cpu"
    ) -> None:
        self._format = memory_format(device)
        self._network = network.to(device).to(memory_format=self._format).train()
        self._plan = plan
        self._loss = loss
        self._device = device
        self._average = AveragedModel(network, multi_avg_fn=_averaging(plan.average_decay), use_buffers=True)
        self._optimiser = AdamW(network.parameters(), plan.learning_rate, plan.weight_decay)
        self._parts: dict[str, Any] = {  # Any: all have state_dict and load_state_dict
            "optimiser": self._optimiser,  # First: it refuses a checkpoint of another network before it takes anything.
            "network": network,
            "average": self._average,
        }
        self.steps = 0

    @property
    def averaged(self) -> nn.Module:
        """The network with averaged weights, for looking at in between; it changes with every step."""
        module: nn.Module = self._average.module
        return module.eval()

    def step(self, images: Tensor, maps: Tensor, rate_factor: float) -> float:
        """Take one step on (N, C, Y, X) images and their (N, M, Y, X) maps; return the loss.

        Raises
        ------
        TrainingError
            If the loss or its gradient is no longer finite; the weights are as they were.
        """
        plan = self._plan
        self._optimiser.rate = plan.learning_rate * rate_factor
        images = images.to(self._device).contiguous(memory_format=self._format)
        loss = self._loss(self._network(images).float(), maps.to(self._device))
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(f"The loss became {value}; lower the learning rate (now {plan.learning_rate:g}).")
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch
        norm = float(torch.nn.utils.clip_grad_norm_(self._network.parameters(), 5.0))
        if not math.isfinite(norm):
            raise TrainingError(f"The gradient became {norm}; lower the learning rate (now {plan.learning_rate:g}).")
        self._optimiser.step()
        self._average.update_parameters(self._network)
        self.steps += 1
        return value

    def finish(self) -> None:
        """Give the network the averaged weights, and set it to evaluation."""
        self._network.load_state_dict(self._average.module.state_dict())
        self._network.eval()

    def save(self, checkpoint: Path, notes: dict[str, Any] | None = None) -> None:  # Any: tensors, numbers, text
        """Write everything, notes too; the finished file replaces an older one in a single step."""
        temporary = checkpoint.with_name(checkpoint.name + ".part")
        state = {name: part.state_dict() for name, part in self._parts.items()}
        torch.save(state | {"steps": self.steps, "notes": notes or {}}, temporary)
        patiently(lambda: os.replace(temporary, checkpoint))

    def restore(self, checkpoint: Path) -> None:
        """Go on from a checkpoint."""
        self.take(torch.load(checkpoint, map_location=self._device, weights_only=True))

    def take(self, saved: dict[str, Any]) -> None:  # Any: as written by ``save``
        """Go on from what a checkpoint holds."""
        for name, part in self._parts.items():
            part.load_state_dict(saved[name])
        self.steps = int(saved["steps"])


def train(
    network: nn.Module,
    sampler: PatchSampler,
    plan: TrainingPlan,
    checkpoint: Path,
    *,
    device: str = "cpu",
    report_every: int = 50,
    workers: int = 1,
) -> Iterator[StepsDone]:
    """Train on objects in place; afterwards the network holds the averaged weights.

    Parameters
    ----------
    network
        Gives three logit maps.
    sampler
        Patches by number.
    plan
        Length, step size, weights.
    checkpoint
        Written at every report; if it exists, the run goes on from it.
    device
        Torch device string.
    report_every
        Steps between events.
    workers
        Loader processes; 0 loads in this one.

    Yields
    ------
    StepsDone
        After every ``report_every`` steps and at the end.

    Raises
    ------
    TrainingError
        If the loss is no longer finite.
    """
    trainer = Trainer(network, plan, partial(instance_loss, plan=plan), device)
    if checkpoint.exists():
        trainer.restore(checkpoint)
    rest = Subset(sampler, range(trainer.steps * plan.batch_size, len(sampler)))
    # The loader turns the sampler's arrays into tensors.
    loader: DataLoader[Any] = DataLoader(rest, batch_size=plan.batch_size, num_workers=workers)
    losses: list[float] = []
    for images, maps in loader:
        losses.append(trainer.step(images, maps, learning_rate_factor(trainer.steps, plan)))
        if trainer.steps % report_every == 0 or trainer.steps == plan.steps:
            trainer.save(checkpoint)
            yield StepsDone(trainer.steps, plan.steps, sum(losses) / len(losses))
            losses.clear()
    trainer.finish()
