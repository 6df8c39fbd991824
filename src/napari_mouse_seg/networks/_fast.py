"""The same network, faster: what only training needs is merged into the convolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from napari_mouse_seg.networks._card import ArchitecturePlan

if TYPE_CHECKING:
    from napari_mouse_seg.networks._card import NetworkPlan

_RELU6_TOP = 6.0


class _ReLU6InPlace(nn.Module):
    """ReLU6 without a second array; torch's own makes one even when told not to."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.clamp_(0.0, _RELU6_TOP)


def prepare_for_inference(network: nn.Module, plan: NetworkPlan) -> nn.Module:
    """Make a network faster in place, and return it; scores stay the same but for rounding.

    Batch norms go into the convolutions, ReLU6 works in place, and networks of segmentation-models-pytorch are
    rearranged. Input sides must then be multiples of the network's stride.

    Parameters
    ----------
    network
        Set to evaluation.
    plan
        That it was built from.
    """
    network = fold_batch_norms(network, plan.in_channels)
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.ReLU6):
                setattr(module, name, _ReLU6InPlace())
    if isinstance(plan, ArchitecturePlan):
        from napari_mouse_seg.networks._smp import rearrange_convolutions

        rearrange_convolutions(network)
    return network


def fold_batch_norms(network: nn.Module, in_channels: int) -> nn.Module:
    """Merge every batch norm into the convolution before it, in place, and return the network.

    A forward pass records which convolution's output each batch norm reads, so it works for any
    architecture without tracing.
    """
    network.eval()
    owners: dict[int, nn.Conv2d] = {}
    alive: list[torch.Tensor] = []  # Keeps ids unique during the pass.
    pairs: list[tuple[nn.Conv2d, nn.BatchNorm2d]] = []

    def note_output(module: nn.Module, _args: object, output: torch.Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            owners[id(output)] = module
            alive.append(output)

    def note_input(module: nn.Module, args: tuple[torch.Tensor, ...]) -> None:
        conv = owners.get(id(args[0]))
        if conv is not None and isinstance(module, nn.BatchNorm2d):
            pairs.append((conv, module))

    hooks = [m.register_forward_hook(note_output) for m in network.modules() if isinstance(m, nn.Conv2d)]
    hooks += [m.register_forward_pre_hook(note_input) for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    try:
        with torch.no_grad():
            weight = next(network.parameters())
            network(torch.zeros(1, in_channels, 64, 64, device=weight.device, dtype=weight.dtype))
    finally:
        for hook in hooks:
            hook.remove()
    folded = {id(norm) for _, norm in pairs}
    for conv, norm in pairs:
        fused = fuse_conv_bn_eval(conv, norm)
        conv.weight, conv.bias = fused.weight, fused.bias
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if id(child) in folded:
                # timm's norm layers carry their activation.
                setattr(module, name, getattr(child, "act", None) or nn.Identity())
    return network
