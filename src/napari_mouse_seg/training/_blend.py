"""Between what a network was and what a few patches made of it.

Little paint bends a network towards itself: it fits the patches and forgets what it knew of everything else. The mean
of the weights before and after does better than either on what was not painted (Wortsman et al. 2022, "Robust
fine-tuning of zero-shot models"). How far to go depends on how much is painted, and on how much there was to forget.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

_HALF_WAY_OBJECTS = 50
"""So many painted objects weigh as much as what a perfect network knows. From experiments: see docs/accuracy.md."""


def learnt_share(n_objects: int, score_before: float) -> float:
    """Return how much of the way from the old weights to the trained ones to go, 0 to 1.

    Parameters
    ----------
    n_objects
        Painted.
    score_before
        0 to 1, of the old weights on the same paint, which they have not seen; at 0 there is nothing to keep.
    """
    return 1 - score_before * _HALF_WAY_OBJECTS / (_HALF_WAY_OBJECTS + n_objects)


class Blend:
    """A network whose weights lie between those at the beginning and those of now.

    Parameters
    ----------
    network
        As it is at the beginning; it is copied.
    """

    def __init__(self, network: nn.Module) -> None:
        self._before = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self._network = copy.deepcopy(network).eval()

    @property
    def before(self) -> nn.Module:
        """The network of the beginning, in evaluation mode; it is the same object as ``mix`` returns."""
        self._network.load_state_dict(self._before)
        return self._network

    def mix(self, now: nn.Module, share: float) -> nn.Module:
        """Return the network with ``share`` of the weights and running means of now, in evaluation mode.

        Counters are taken from now. What an earlier call returned changes too.
        """
        weights = {
            name: self._before[name].to(value.device).lerp(value, share) if value.is_floating_point() else value
            for name, value in now.state_dict().items()
        }
        self._network.load_state_dict(weights)
        return self._network
