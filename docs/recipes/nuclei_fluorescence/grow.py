"""Third stage of the fluorescence-nuclei model: a deeper network that begins with the scores of the refined one.

    python docs/recipes/nuclei_fluorescence/grow.py --data ../shared/data --work runs/3 --start runs/2/checkpoint.pt

The refined network fits its own training images hardly better than others, so it is too small for them. Blocks at an
eighth of the resolution and below cost a processor little. New blocks begin as the identity and the new level's sum as
nothing (Chen et al. 2016, Net2Net; Goyal et al. 2017 begin the last norm of a residual block at zero), so that nothing
that was learnt is lost.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from nuclei_training import averaged, read_bbbc039_validation, run
from torch import nn
from train import ARCHITECTURE, INTENSITY, load_images

from napari_mouse_seg.networks import CompactPlan
from napari_mouse_seg.plans import AugmentationPlan, TrainingPlan

GROWN = CompactPlan(widths=(24, 32, 64, 128, 160), encoder_blocks=(1, 2, 4, 5, 3), decoder_blocks=(1, 2, 2, 1))
TRAINING = TrainingPlan(
    steps=5000,
    learning_rate=2e-3,
    average_decay=0.999,
    seed=2,
    augmentation=AugmentationPlan(min_scale=0.5, max_scale=2.0, scale_probability=0.2),
)
SHARES = {"dsb2018-small": 0.42}
"""Small nuclei are what the refined network is worst at, on training images too."""


def load_refined(network: nn.Module, checkpoint: str) -> None:
    """Give a grown network the averaged weights of a checkpoint of the smaller one; its scores are then the same."""
    refined = averaged(torch.load(checkpoint, map_location="cpu", weights_only=True))
    grown = network.state_dict()
    deeper = len(GROWN.widths) - len(ARCHITECTURE.widths)
    known = {_moved(name, deeper): value for name, value in refined.items()}
    if unknown := known.keys() - grown.keys():
        raise ValueError(f"{checkpoint} is not of the network that is grown here: {sorted(unknown)[0]}")
    for name, module in network.named_modules():
        if isinstance(module, nn.BatchNorm2d) and f"{name}.weight" not in known and _adds_to_known(name):
            nn.init.zeros_(module.weight)
    for conv in list(network.rise)[:deeper]:
        nn.init.zeros_(conv.weight)
        nn.init.zeros_(conv.bias)
    network.load_state_dict(network.state_dict() | known)


def _moved(name: str, deeper: int) -> str:
    """Return a tensor's name where ``deeper`` levels are added; the way up counts from the coarsest."""
    part, *rest = name.split(".")
    if part not in ("rise", "decoder"):
        return name
    return ".".join([part, str(int(rest[0]) + deeper), *rest[1:]])


def _adds_to_known(name: str) -> bool:
    """Return whether a norm's block stands behind blocks that there were before."""
    part, *rest = name.split(".")
    return part == "decoder" or (part == "encoder" and int(rest[0]) < len(ARCHITECTURE.widths))


if __name__ == "__main__":
    run(
        __doc__,
        TRAINING,
        GROWN,
        INTENSITY,
        load_images,
        load_validation=read_bbbc039_validation,
        shares=SHARES,
        load=load_refined,
    )
