"""AdamW without torch's ``Optimizer``, whose first use imports torch's compiler (2 s and 150 MB a training)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.optim.adamw import adamw

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor, nn


class AdamW:
    """Decoupled weight decay (Loshchilov & Hutter 2019), computed by torch's functional form.

    Parameters
    ----------
    parameters
        Those that are to be learnt, on the device where they stay.
    rate
        The learning rate; may be set between steps.
    decay
        Weight decay.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], rate: float, decay: float) -> None:
        self._parameters = list(parameters)
        self.rate = rate
        self._decay = decay
        # Of one parameter each: mean gradient, mean of its square, number of steps.
        self._means: list[Tensor] = [torch.zeros_like(each) for each in self._parameters]
        self._squares: list[Tensor] = [torch.zeros_like(each) for each in self._parameters]
        self._steps: list[Tensor] = [torch.tensor(0.0) for _ in self._parameters]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Take one step along the gradients; parameters without one stay as they are."""
        gradients = [parameter.grad for parameter in self._parameters]
        of = [number for number, gradient in enumerate(gradients) if gradient is not None]
        adamw(
            [self._parameters[number] for number in of],
            [gradient for gradient in gradients if gradient is not None],
            [self._means[number] for number in of],
            [self._squares[number] for number in of],
            [],
            [self._steps[number] for number in of],
            lr=self.rate,
            weight_decay=self._decay,
            beta1=0.9,
            beta2=0.999,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )

    def state_dict(self) -> dict[str, Any]:  # Any: tensors by name
        """Return what a checkpoint has to hold."""
        return {"means": self._means, "squares": self._squares, "steps": self._steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:  # Any: as above
        """Go on from a checkpoint of the same parameters; nothing changes if it is of others."""
        own = self.state_dict()
        pairs = [pair for name in own for pair in zip(own[name], state[name], strict=True)]
        if any(mine.shape != saved.shape for mine, saved in pairs):
            raise ValueError("The checkpoint is of another network.")
        for mine, saved in pairs:
            mine.copy_(saved)
