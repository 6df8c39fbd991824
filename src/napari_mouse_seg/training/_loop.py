"""The training loop: a generator of events with checkpoints, so that a killed run goes on where it was."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Subset

from napari_mouse_seg.errors import TrainingError
from napari_mouse_seg.training._losses import instance_loss

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch import Tensor, nn

    from napari_mouse_seg.plans import TrainingPlan
    from napari_mouse_seg.training._samples import PatchSampler


_Parts = dict[str, "nn.Module | torch.optim.Optimizer"]


@dataclass(frozen=True, slots=True)
class StepsDone:
    """Progress of a training run: steps done, of how many, and the mean loss since the last report."""

    steps: int
    total: int
    loss: float


def learning_rate_factor(step: int, plan: TrainingPlan) -> float:
    """Return the factor on the peak learning rate: linear warm-up, then half a cosine down to 1 %."""
    if step < plan.warmup_steps:
        return (step + 1) / plan.warmup_steps
    done = (step - plan.warmup_steps) / max(1, plan.steps - plan.warmup_steps)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


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
    """Train in place; afterwards the network holds the averaged weights.

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
    network.to(device).to(memory_format=torch.channels_last).train()
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(plan.average_decay), use_buffers=True)  # type: ignore[no-untyped-call]  # torch
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    parts: _Parts = {"network": network, "average": average, "optimiser": optimiser}
    first = _restore(checkpoint, parts, device)
    rest = Subset(sampler, range(first * plan.batch_size, len(sampler)))
    # The loader turns the sampler's arrays into tensors.
    loader: DataLoader[Any] = DataLoader(rest, batch_size=plan.batch_size, num_workers=workers)
    losses: list[float] = []
    for step, (images, maps) in enumerate(loader, start=first):
        for group in optimiser.param_groups:
            group["lr"] = plan.learning_rate * learning_rate_factor(step, plan)
        losses.append(_step(network, optimiser, images.to(device), maps.to(device), plan))
        average.update_parameters(network)
        if (step + 1) % report_every == 0 or step + 1 == plan.steps:
            _save(checkpoint, parts, step + 1)
            yield StepsDone(step + 1, plan.steps, sum(losses) / len(losses))
            losses.clear()
    network.load_state_dict(average.module.state_dict())
    network.eval()


def _step(
    network: nn.Module, optimiser: torch.optim.Optimizer, images: Tensor, maps: Tensor, plan: TrainingPlan
) -> float:
    logits = network(images.contiguous(memory_format=torch.channels_last))
    loss = instance_loss(logits.float(), maps, plan)
    value = float(loss.detach())
    if not math.isfinite(value):
        raise TrainingError(f"The loss became {value}; lower the learning rate (now {plan.learning_rate:g}).")
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]  # torch
    torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    optimiser.step()
    return value


def _restore(checkpoint: Path, parts: _Parts, device: str) -> int:
    """Load a checkpoint if there is one; return the number of steps it had done."""
    if not checkpoint.exists():
        return 0
    saved = torch.load(checkpoint, map_location=device, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(saved[name])
    return int(saved["steps"])


def _save(checkpoint: Path, parts: _Parts, steps: int) -> None:
    temporary = checkpoint.with_name(checkpoint.name + ".part")
    torch.save({name: part.state_dict() for name, part in parts.items()} | {"steps": steps}, temporary)
    os.replace(temporary, checkpoint)
