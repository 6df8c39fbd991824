"""The classical way in the shape of a network: Otsu's threshold and the distance to the background.

It runs through the same tiles, cache and decoder as every model, so that it can be compared with them anywhere. A
path of its own through the engine was rejected: it would be compared with less than what users get.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

    from napari_mouse_seg.networks._card import ClassicalPlan

_SIGMAS = 3
_NEVER = -30.0
_LEAST = 1e-6
_HALF = 0.5


class ClassicalNetwork(nn.Module):
    """Takes (N, 1, Y, X) whose threshold is 0.5, of any size, and gives logits like a trained network.

    The foreground's score is the smoothed intensity, the boundary's is 0, and the distance's is the Euclidean distance
    to where the intensity falls below one half, smoothed, over the plan's farthest one. The only weights are those of
    the Gaussian, which are fixed. Scores do not depend on the tile once the halo covers ``reach_px``.

    Parameters
    ----------
    plan
        Smoothing and farthest distance.
    """

    def __init__(self, plan: ClassicalPlan) -> None:
        super().__init__()
        radius = round(_SIGMAS * plan.smoothing_px)
        kernel = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / plan.smoothing_px) ** 2)
        self.kernel = nn.Parameter((kernel / kernel.sum()).float(), requires_grad=False)
        self._farthest = plan.distance_px
        self.reach_px = 2 * radius + plan.distance_px

    def forward(self, x: Tensor) -> Tensor:
        # A threshold in half precision would be coarse.
        with torch.autocast(x.device.type, enabled=False):
            intensity = self._smooth(x.float())
            distance = self._smooth(distance_to_background(intensity > _HALF, self._farthest))
            never = torch.full_like(intensity, _NEVER)
            return torch.cat([_logit(intensity), never, _logit(distance / self._farthest)], 1)

    def _smooth(self, x: Tensor) -> Tensor:
        radius = len(self.kernel) // 2
        padded = functional.pad(x, [radius] * 4, mode="replicate")
        along_y = functional.conv2d(padded, self.kernel.view(1, 1, -1, 1))
        return functional.conv2d(along_y, self.kernel.view(1, 1, 1, -1))


def distance_to_background(inside: Tensor, farthest_px: int) -> Tensor:
    """Return the Euclidean distance to the nearest pixel that is not inside, at most ``farthest_px``.

    Beyond the array's edge everything counts as inside. First along Y, by steps that double; then along X over all
    offsets (Felzenszwalb and Huttenlocher 2012 name the two passes).

    Parameters
    ----------
    inside
        (N, C, Y, X) bool.
    farthest_px
        Cost grows with it, not with the objects.
    """
    rows, columns = inside.shape[2:]
    far = float(farthest_px)
    along_y = torch.where(inside, far, 0.0)
    step = 1
    while step <= farthest_px:
        padded = functional.pad(along_y, [0, 0, step, step], value=far)
        beside = torch.minimum(padded[:, :, :rows], padded[:, :, 2 * step :]) + step
        along_y = torch.minimum(along_y, beside)
        step *= 2
    squares = functional.pad(along_y.square(), [farthest_px, farthest_px], value=far**2)
    nearest = along_y.square()
    beside = torch.empty_like(nearest)
    for offset in range(1, farthest_px):
        left = squares[..., farthest_px - offset : farthest_px - offset + columns]
        right = squares[..., farthest_px + offset : farthest_px + offset + columns]
        # In place: fresh arrays would cost more than the arithmetic.
        torch.minimum(left, right, out=beside)
        torch.minimum(nearest, beside.add_(offset**2), out=nearest)
    return nearest.sqrt_()


def _logit(score: Tensor) -> Tensor:
    return torch.logit(score, eps=_LEAST)
