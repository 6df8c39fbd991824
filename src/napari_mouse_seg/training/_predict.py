"""The network on one whole patch, as training looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from napari_mouse_seg.networks import memory_format
from napari_mouse_seg.tiling import SCORE_ONE

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

_MULTIPLE_PX = 32


def predict_scores(
    network: nn.Module, image: NDArray[np.float32], activation: Literal["sigmoid", "softmax"] = "sigmoid"
) -> NDArray[np.uint16]:
    """Run a network on one patch.

    Parameters
    ----------
    network
        In evaluation mode, on any device.
    image
        (C, Y, X) float32 network input; mirrored at its edges to sides that every network takes.
    activation
        What turns logits into scores; stands with the targets.

    Returns
    -------
    NDArray[np.uint16]
        (outputs, Y, X) scores from 0 to ``SCORE_ONE``.
    """
    rows, columns = image.shape[1:]
    pad = [(0, 0), (0, -rows % _MULTIPLE_PX), (0, -columns % _MULTIPLE_PX)]
    device = next(network.parameters()).device
    batch = torch.from_numpy(np.pad(image, pad, mode="symmetric")[None]).to(device)
    with torch.inference_mode():
        logits = network(batch.contiguous(memory_format=memory_format(device.type))).float()
        scores = (torch.softmax(logits, 1) if activation == "softmax" else torch.sigmoid(logits))[0]
    out: NDArray[np.uint16] = (scores[:, :rows, :columns] * SCORE_ONE).round().cpu().numpy().astype(np.uint16)
    return out
