"""The networks of segmentation-models-pytorch: build them, and make them faster.

The only module that loads the library: that takes seconds, which the bundled models need not wait for.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import segmentation_models_pytorch as smp
import torch
from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoder, UnetDecoderBlock
from timm.layers.conv2d_same import Conv2dSame
from torch import nn
from torch.nn import functional

from napari_mouse_seg.errors import ModelError

if TYPE_CHECKING:
    from napari_mouse_seg.networks._card import ArchitecturePlan

_FAMILIES = {
    "unet": smp.Unet,
    "unetplusplus": smp.UnetPlusPlus,
    "deeplabv3plus": smp.DeepLabV3Plus,
    "fpn": smp.FPN,
    "linknet": smp.Linknet,
}


def build_smp_network(plan: ArchitecturePlan, encoder_weights: str | None) -> nn.Module:
    """Build a network of the library; see ``build_network``."""
    options: dict[str, Any] = {}  # Any: keyword arguments of the library
    if plan.family in ("unet", "unetplusplus"):
        options["decoder_channels"] = plan.decoder_channels
    try:
        network: nn.Module = _FAMILIES[plan.family](
            encoder_name=plan.encoder,
            encoder_depth=plan.encoder_depth,
            encoder_weights=encoder_weights,
            in_channels=plan.in_channels,
            classes=len(plan.outputs),
            **options,
        )
    except (KeyError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"Cannot build a {plan.family} with encoder {plan.encoder!r}: {error}. Choose another encoder."
        ) from error
    return network


def rearrange_convolutions(network: nn.Module) -> None:
    """Make a network in evaluation faster in place; scores stay the same but for rounding.

    One-sided padding goes into wider kernels, and the last doubling of a U-Net behind its convolution. Input sides
    must then be multiples of the network's stride.
    """
    for module in list(network.modules()):
        if isinstance(module, UnetDecoder) and _DoublingBlock.fits(module.blocks[-1]):
            module.blocks[-1] = _DoublingBlock(module.blocks[-1])
        for name, child in list(module.named_children()):
            if isinstance(child, Conv2dSame) and _can_fold_padding(child):
                setattr(module, name, _fold_padding(child))


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
