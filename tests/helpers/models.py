"""Small models with known behaviour, written as real model files."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch

from napari_mouse_seg.networks import ArchitecturePlan, Model, ModelCard, build_network, load_model, save_model
from napari_mouse_seg.plans import DistanceTargets, InstancesPlan, IntensityPlan

if TYPE_CHECKING:
    from pathlib import Path

    from napari_mouse_seg.plans import TargetsPlan

SMALL = ArchitecturePlan(encoder="resnet18", encoder_depth=3, decoder_channels=(16, 8, 8))


def write_random_model(folder: Path, *, halo_px: int = 72, seed: int = 0, **card: object) -> Model:
    """Write a small convolutional network with random weights; its scores vary over the whole range.

    Its stride is 8 and its receptive field reaches 69 px, so that a halo of 72 px covers it.
    """
    torch.manual_seed(seed)
    targets = cast("TargetsPlan", card.get("targets", DistanceTargets()))
    architecture = SMALL.replace(outputs=targets.outputs)
    network = build_network(architecture)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.2, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    head = network.segmentation_head[0]
    with torch.no_grad():
        head.weight *= 4
    settings: dict[str, object] = {
        "name": "random",
        "summary": "Random weights, for tests",
        "architecture": architecture,
        "stride_px": 8,
        "halo_px": halo_px,
        "intensity": IntensityPlan(asinh_gain=10),
        "instances": InstancesPlan(min_area_px=1, foreground_threshold=0.5, split_depth=0.1),
    }
    path = folder / "random.safetensors"
    save_model(path, ModelCard(**(settings | card)), network.eval())
    return load_model(path)
