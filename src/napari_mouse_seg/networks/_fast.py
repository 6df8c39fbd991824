"""The same network, faster: what only training needs is merged into the convolutions."""

from __future__ import annotations

import itertools

import torch
from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoder, UnetDecoderBlock
from timm.layers.conv2d_same import Conv2dSame
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

_RELU6_TOP = 6.0


class _ReLU6InPlace(nn.Module):
    """ReLU6 without a second array; torch's own makes one even when told not to."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.clamp_(0.0, _RELU6_TOP)


class _DoublingBlock(nn.Module):
    """A U-Net block without skip connection whose first convolution works before the doubling, not after it.

    Of the 3 x 3 pixels that the kernel meets after a nearest-neighbour doubling many are copies of one; their
    weights are added up beforehand (sub-pixel convolution, Shi et al. 2016).
    """

    def __init__(self, block: UnetDecoderBlock) -> None:
        super().__init__()
        conv = block.conv1[0]
        self._doubled = nn.Conv2d(conv.in_channels, 4 * conv.out_channels, 3, padding=1)
        weight = conv.weight.new_zeros(conv.out_channels, 2, 2, conv.in_channels, 3, 3)
        for y, x, row, column in itertools.product(range(2), range(2), range(3), range(3)):
            source = (y + row + 1) // 2, (x + column + 1) // 2
            weight[:, y, x, :, *source] += conv.weight.detach()[:, :, row, column]
        self._doubled.weight = nn.Parameter(weight.flatten(0, 2))
        bias = torch.zeros_like(weight[:, 0, 0, 0, 0, 0]) if conv.bias is None else conv.bias.detach()
        self._doubled.bias = nn.Parameter(bias.repeat_interleave(4))
        self._then = nn.Sequential(*list(block.conv1)[1:], block.attention1, block.conv2, block.attention2)

    @staticmethod
    def fits(block: nn.Module) -> bool:
        """Return whether the block is one that this class can replace."""
        return (
            isinstance(block, UnetDecoderBlock)
            and block.interpolation_mode == "nearest"
            and block.conv1[0].kernel_size == (3, 3)
            and block.conv1[0].groups == 1
        )

    def forward(self, x: torch.Tensor, _rows: int, _columns: int, skip_connection: None = None) -> torch.Tensor:
        out: torch.Tensor = self._then(functional.pixel_shuffle(self._doubled(x), 2))
        return out


def prepare_for_inference(network: nn.Module, in_channels: int) -> nn.Module:
    """Make a network faster in place, and return it; scores stay the same but for rounding.

    Batch norms go into the convolutions, one-sided padding into wider kernels, the last doubling of a U-Net behind
    its convolution, and ReLU6 works in place. Input sides must then be multiples of the network's stride.

    Parameters
    ----------
    network
        Set to evaluation.
    in_channels
        Of its input.
    """
    network = fold_batch_norms(network, in_channels)
    for module in list(network.modules()):
        if isinstance(module, UnetDecoder) and _DoublingBlock.fits(module.blocks[-1]):
            module.blocks[-1] = _DoublingBlock(module.blocks[-1])
        for name, child in list(module.named_children()):
            if isinstance(child, Conv2dSame) and _can_fold_padding(child):
                setattr(module, name, _fold_padding(child))
            elif isinstance(child, nn.ReLU6):
                setattr(module, name, _ReLU6InPlace())
    return network


def _can_fold_padding(conv: Conv2dSame) -> bool:
    """Return whether one column more is all that ``SAME`` padding of even sides comes to."""
    odd = all(size % 2 == 1 and size > 1 for size in conv.kernel_size)
    return odd and conv.stride == (2, 2) and conv.dilation == (1, 1)


def _fold_padding(conv: Conv2dSame) -> nn.Conv2d:
    """Return a convolution with a kernel one wider, whose first row and column are zero, and even padding.

    TensorFlow's ``SAME`` pads an even side by one more at the end than at the start when it halves it; padding
    the array first copies it.
    """
    rows, columns = conv.kernel_size
    wider = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        (rows + 1, columns + 1),
        stride=2,
        padding=((rows - 1) // 2, (columns - 1) // 2),
        groups=conv.groups,
        bias=conv.bias is not None,
    )
    weight = conv.weight.new_zeros(wider.weight.shape)
    weight[:, :, 1:, 1:] = conv.weight.detach()
    wider.weight = nn.Parameter(weight)
    wider.bias = conv.bias
    return wider.eval()


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
