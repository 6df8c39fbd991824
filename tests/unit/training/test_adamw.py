"""The optimiser against torch's own."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from napari_mouse_seg.training._adamw import AdamW

RATE, DECAY = 1e-2, 1e-2


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 3))


def train(network: nn.Module, optimiser: Any, steps: int, seed: int = 0) -> None:  # Any: theirs or ours
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        optimiser.zero_grad()
        network(torch.randn(2, 1, 9, 9, generator=generator)).square().mean().backward()
        optimiser.step()


def equal(first: nn.Module, second: nn.Module) -> bool:
    return all(torch.equal(*pair) for pair in zip(first.parameters(), second.parameters(), strict=True))


def test_the_same_bits_as_torchs_with_frozen_parameters_and_a_rate_that_changes() -> None:
    ours, theirs = network(), network()
    for each in (ours, theirs):
        each[0].bias.requires_grad_(False)
    mine, torchs = (
        AdamW(ours.parameters(), RATE, DECAY),
        torch.optim.AdamW(theirs.parameters(), RATE, weight_decay=DECAY),
    )
    for rate in (RATE, RATE / 3):
        mine.rate = torchs.param_groups[0]["lr"] = rate
        train(ours, mine, 5)
        train(theirs, torchs, 5)
    assert equal(ours, theirs)
    assert not equal(ours, network())


def test_it_goes_on_from_what_was_kept_as_if_nothing_had_been() -> None:
    whole, halves = network(), network()
    optimiser = AdamW(whole.parameters(), RATE, DECAY)
    train(whole, optimiser, 3)
    train(whole, optimiser, 3, seed=1)
    first = AdamW(halves.parameters(), RATE, DECAY)
    train(halves, first, 3)
    second = AdamW(halves.parameters(), RATE, DECAY)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    train(halves, second, 3, seed=1)
    assert equal(whole, halves)


@pytest.mark.parametrize(
    "other", [nn.Sequential(nn.Conv2d(1, 4, 3)), nn.Sequential(*network()[:2], nn.Conv2d(4, 3, 3))]
)
def test_what_was_kept_of_another_network_changes_nothing(other: nn.Module) -> None:
    ours, untouched = network(), network()
    optimiser = AdamW(ours.parameters(), RATE, DECAY)
    strange = AdamW(other.parameters(), RATE, DECAY)
    train(other, strange, 1)
    with pytest.raises(ValueError, match=r"another network|shorter|longer"):
        optimiser.load_state_dict(strange.state_dict())
    train(ours, optimiser, 2)
    train(untouched, AdamW(untouched.parameters(), RATE, DECAY), 2)
    assert equal(ours, untouched)
