"""Card → network: build it and know its reach.

segmentation-models-pytorch for the architectures that users ask for by name; one network of our own that is fast on
processors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from napari_mouse_seg.networks._card import ClassicalPlan, CompactPlan
from napari_mouse_seg.networks._classical import ClassicalNetwork
from napari_mouse_seg.networks._compact import CompactUnet

if TYPE_CHECKING:
    from napari_mouse_seg.networks._card import ModelCard, NetworkPlan

_IMAGE_AXES = 4


def build_network(plan: NetworkPlan, encoder_weights: str | None = None) -> nn.Module:
    """Build the network of a plan.

    Parameters
    ----------
    plan
        Architecture, encoder and channels.
    encoder_weights
        Name of pretrained weights for the encoder (downloaded by the library), or None for random ones. There are
        none for a compact network, nor for a classical one.

    Returns
    -------
    nn.Module
        Takes (N, C, Y, X) float32 with Y and X multiples of the stride, gives (N, outputs, Y, X) logits.

    Raises
    ------
    ModelError
        If the library does not know the encoder or the combination.
    """
    if isinstance(plan, CompactPlan):
        return CompactUnet(plan)
    if isinstance(plan, ClassicalPlan):
        return ClassicalNetwork(plan)
    from napari_mouse_seg.networks._smp import build_smp_network

    return build_smp_network(plan, encoder_weights)


class _PoolingWatch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch
    """Notes every operation that pools over the whole tile, however a network spells it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch
        self.found = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # Any: torch's
        name = func.name()
        if "adaptive" in name or (name.startswith("aten::mean") and args[0].ndim == _IMAGE_AXES):
            self.found = True
        return func(*args, **(kwargs or {}))


def has_global_pooling(network: nn.Module, in_channels: int = 1) -> bool:
    """Return whether the network pools over the whole tile, so that scores depend on the tile size."""
    was_training = network.training
    watch = _PoolingWatch()
    try:
        with torch.no_grad(), watch:
            network.eval()(torch.zeros(1, in_channels, 64, 64, device=next(network.parameters()).device))
    finally:
        network.train(was_training)
    return watch.found


def measure_receptive_field(network: nn.Module, in_channels: int, size_px: int = 1024, stride_px: int = 32) -> int:
    """Return how far, in pixels, one output can depend on the input (largest over the positions in a stride).

    Every weight is set to one and every activation made linear on a copy, so that no path can cancel; the
    non-zero span of the input gradient is then the theoretical reach.

    Parameters
    ----------
    network
        Any convolutional network without global pooling.
    in_channels
        Channels of its input.
    size_px
        Width of the test image; a reach that fills it is reported as ``size_px // 2``. Its height is one stride: the
        kernels are square, so the reach along rows is the reach, at a fraction of the cost.
    stride_px
        Positions over one stride are probed.
    """
    probe = _linear_copy(network)
    image = torch.zeros(1, in_channels, stride_px, size_px, dtype=torch.float64, requires_grad=True)
    output = probe(image)
    reach = 0
    centre = size_px // 2 // stride_px * stride_px
    for position in (centre, centre + stride_px // 2, centre + stride_px - 1):
        (gradient,) = torch.autograd.grad(output[0, :, :, position].sum(), image, retain_graph=True)
        columns = gradient.abs().amax(dim=(0, 1, 2)).nonzero().ravel()
        reach = max(reach, int(position - columns.min()), int(columns.max() - position))
    return min(reach, size_px // 2)


def with_measured_reach(card: ModelCard, network: nn.Module) -> ModelCard:
    """Return the card of a new network with its stride, receptive field, halo and pooling as they are.

    The halo is two strides: the useful reach of a trained network is a fraction of the theoretical one.
    """
    plan = card.architecture
    if isinstance(plan, ClassicalPlan):
        return card  # Its reach follows from its plan.
    if isinstance(plan, CompactPlan):
        stride_px, pools = 2 ** len(plan.widths), False  # To look whether it pools would import torch's compiler.
    else:
        stride_px, pools = 2**plan.encoder_depth, has_global_pooling(network, plan.in_channels)
    reach = 0 if pools else measure_receptive_field(network, plan.in_channels, stride_px=stride_px)
    halo_px = 2 * stride_px if pools else min(2 * stride_px, -(-reach // stride_px) * stride_px)
    return card.replace(stride_px=stride_px, receptive_field_px=reach, halo_px=halo_px, global_pooling=pools)


def _linear_copy(network: nn.Module) -> nn.Module:
    import copy

    probe = copy.deepcopy(network).cpu().double().eval()
    for name, module in list(probe.named_modules()):
        parent = probe.get_submodule(name.rpartition(".")[0]) if "." in name else probe
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1.0 / module.weight[0].numel())
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, (nn.BatchNorm2d, nn.GroupNorm)) or type(module).__name__.startswith(
            ("ReLU", "SiLU", "Hardswish", "Hardsigmoid", "Sigmoid", "GELU")
        ):
            setattr(parent, name.rpartition(".")[2], nn.Identity())
        elif isinstance(module, nn.MaxPool2d):
            setattr(
                parent,
                name.rpartition(".")[2],
                nn.AvgPool2d(module.kernel_size, module.stride, module.padding),
            )
    return probe.double()
