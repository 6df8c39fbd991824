"""A U-Net made for processors: dense 3 x 3 convolutions from half resolution down, no pass at full resolution.

On processors without matrix units depthwise convolutions and everything done at full resolution wait for memory, not
for arithmetic; the encoders made for phones are slow there although they count few operations. This network puts the
image's 2 x 2 blocks into channels by its first convolution and gives them back by a sub-pixel head (Shi et al. 2016);
between the two it is a U-Net (Ronneberger et al. 2015) of residual blocks (He et al. 2016) whose skip connections
are added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

    from napari_mouse_seg.networks._card import CompactPlan


class _Block(nn.Module):
    """Convolution, batch norm, sum with the input where sizes agree, ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, residual: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.act = nn.ReLU(inplace=True)
        self._residual = residual and inputs == outputs and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(self.conv(x))
        if self._residual:
            out = out.add_(x)
        return self.act(out)  # type: ignore[no-any-return]  # torch


class CompactUnet(nn.Module):
    """The network of a ``CompactPlan``; takes (N, C, Y, X) with sides that are multiples of its stride, gives logits.

    Parameters
    ----------
    plan
        Widths and numbers of blocks.
    """

    def __init__(self, plan: CompactPlan) -> None:
        super().__init__()
        widths = plan.widths
        self.stem = nn.Sequential(
            nn.Conv2d(plan.in_channels, widths[0], 6, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        )
        self.encoder = nn.ModuleList(
            nn.Sequential(
                *([_Block(widths[index - 1], width, stride=2)] if index else []),
                # At half resolution a sum costs as much as a convolution.
                *(_Block(width, width, residual=index > 0) for _ in range(blocks)),
            )
            for index, (width, blocks) in enumerate(zip(widths, plan.encoder_blocks, strict=True))
        )
        finer = list(range(len(widths) - 2, -1, -1))
        self.rise = nn.ModuleList(nn.Conv2d(widths[index + 1], widths[index], 1) for index in finer)
        self.decoder = nn.ModuleList(
            nn.Sequential(*(_Block(widths[index], widths[index], residual=index > 0) for _ in range(blocks)))
            for index, blocks in zip(finer, plan.decoder_blocks, strict=True)
        )
        self.head = nn.Conv2d(widths[0], 4 * len(plan.outputs), 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        skipped = []
        for stage in self.encoder:
            x = stage(x)
            skipped.append(x)
        skipped.pop()
        for rise, stage in zip(self.rise, self.decoder, strict=True):
            x = functional.interpolate(rise(x), scale_factor=2.0, mode="nearest") + skipped.pop()
            x = stage(x)
        return functional.pixel_shuffle(self.head(x), 2)
