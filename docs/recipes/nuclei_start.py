"""The weights that a recipe's network begins with: those of another one, which may be smaller and for grey images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from napari_mouse_seg.networks import find_model

if TYPE_CHECKING:
    from torch import Tensor

    from napari_mouse_seg.networks import CompactPlan

CHECKPOINT = ".pt"
_STEM = "stem.0.weight"


def averaged(saved: dict[str, Any]) -> dict[str, Tensor]:
    """Return the averaged weights of a checkpoint; AveragedModel keeps them under a prefix."""
    return {key.removeprefix("module."): value for key, value in saved["average"].items() if key != "n_averaged"}


def load_start(network: nn.Module, plan: CompactPlan, start: str) -> None:
    """Give a network the weights of another so that its scores are the same at first.

    New blocks begin as the identity, as their last norm is zero (Goyal et al. 2017), and new levels add nothing, so
    that nothing that was learnt is lost (Chen et al. 2016, Net2Net). A stem for RGB takes a third of one for grey a
    channel.

    Parameters
    ----------
    network
        Of the plan.
    plan
        May have more blocks and levels than the other network, and three channels in place of one.
    start
        Checkpoint, bundled model or model file.

    Raises
    ------
    ValueError
        If the other network is not a part of this one.
    """
    weights = _read(start)
    levels = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("encoder."))
    deeper = len(plan.widths) - levels
    known = {_moved(name, deeper): value for name, value in weights.items()}
    known[_STEM] = known[_STEM].expand(-1, plan.in_channels, -1, -1) * (known[_STEM].shape[1] / plan.in_channels)
    own = network.state_dict()
    for name, value in known.items():
        if name not in own or own[name].shape != value.shape:
            raise ValueError(f"The network of {start} is not a part of the one that is trained here: {name} differs.")
    for name, module in network.named_modules():
        if isinstance(module, nn.BatchNorm2d) and f"{name}.weight" not in known and _is_behind_known(name, levels):
            nn.init.zeros_(module.weight)
    for conv in list(network.rise)[:deeper]:
        nn.init.zeros_(conv.weight)
        nn.init.zeros_(conv.bias)
    network.load_state_dict(network.state_dict() | known)


def _read(start: str) -> dict[str, Tensor]:
    if Path(start).suffix == CHECKPOINT:
        return averaged(torch.load(start, map_location="cpu", weights_only=True))
    return find_model(start).network().state_dict()


def _moved(name: str, deeper: int) -> str:
    """Return a tensor's name where ``deeper`` levels are added; the way up counts from the coarsest."""
    part, *rest = name.split(".")
    if part not in ("rise", "decoder"):
        return name
    return ".".join([part, str(int(rest[0]) + deeper), *rest[1:]])


def _is_behind_known(norm: str, levels: int) -> bool:
    """Return whether a new norm's block stands behind blocks that there were before."""
    part, *rest = norm.split(".")
    return part == "decoder" or (part == "encoder" and int(rest[0]) < levels)
