"""What the recipes of the nuclei models share: what they start from, and a run that goes on after an interruption."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from napari_mouse_seg.networks import build_network, find_model
from napari_mouse_seg.training import PatchSampler, train

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from napari_mouse_seg.networks import ArchitecturePlan, CompactPlan
    from napari_mouse_seg.plans import IntensityPlan, TrainingPlan
    from napari_mouse_seg.training import TrainingImage


def load_start(network: nn.Module, name: str) -> None:
    """Load the weights of a bundled model or a model file; a stem for RGB takes a third of those for grey a channel."""
    weights = find_model(name).network().state_dict()
    for key, value in network.state_dict().items():
        if weights[key].shape != value.shape:
            weights[key] = weights[key].expand_as(value) / value.shape[1]
    network.load_state_dict(weights)


def run(
    description: str | None,
    plan: TrainingPlan,
    architecture: ArchitecturePlan | CompactPlan,
    intensity: IntensityPlan,
    load_images: Callable[[Path, TrainingPlan], list[TrainingImage]],
    start: str | None = None,
) -> None:
    """Parse the command line and train; the checkpoint and the averaged weights go into ``--work``.

    ``start`` is what ``--start`` is if it is not given: a model whose weights are the start, or None for random ones.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True, help="folder with bbbc039/ and dsb2018/")
    parser.add_argument("--work", type=Path, required=True, help="checkpoint folder")
    parser.add_argument("--steps", type=int, default=plan.steps)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--start", default=start, metavar="NAME|FILE", help="model to start from")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    plan = plan.model_copy(update={"steps": arguments.steps})
    arguments.work.mkdir(parents=True, exist_ok=True)
    network = build_network(architecture)
    if arguments.start is not None:
        load_start(network, arguments.start)
    images = load_images(arguments.data, plan)
    print(f"{len(images)} images", flush=True)
    start = time.monotonic()
    sampler = PatchSampler(images, plan, intensity)
    for event in train(network, sampler, plan, arguments.work / "checkpoint.pt", device=arguments.device):
        minutes = (time.monotonic() - start) / 60
        print(f"{event.steps}/{event.total} loss {event.loss:.4f} {minutes:.1f} min", flush=True)
    torch.save(network.state_dict(), arguments.work / "network.pt")
