"""Losses of the three instance maps and of classes, over what is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

    from napari_mouse_seg.plans import TrainingPlan

_KNOWN = 255
_NO_CLASS = -1
_EXTRA, _MISSED = 0.3, 0.7
_LEAST = 1e-6


def instance_loss(logits: Tensor, maps: Tensor, plan: TrainingPlan) -> Tensor:
    """Weighted cross-entropy of all maps plus soft Dice of the foreground, and overlap of the touching boundary.

    A pixel that is not known in a map counts nowhere in that map: neither in its cross-entropy nor in either sum of
    its Dice.

    Parameters
    ----------
    logits
        (N, 3, Y, X) float: foreground, touching boundary, distance.
    maps
        (N, 7, Y, X) uint8 as in ``TrainingImage.maps``.
    plan
        Weights, and what is done for the touching class.

    Returns
    -------
    Tensor
        A scalar.
    """
    truth = maps[:, :3].to(logits.dtype) / 255
    weight = maps[:, 3].to(logits.dtype) / 16
    known = (maps[:, 4:7] == _KNOWN).to(logits.dtype)
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    foreground, boundary, distance = entropy.unbind(1)
    rarity = 1 + (plan.boundary_weight - 1) * truth[:, 1]
    scores = torch.sigmoid(logits[:, :2])
    boundary = boundary * (scores[:, 1] - truth[:, 1]).abs().clamp(min=_LEAST) ** plan.boundary_focus
    # Cross-entropy against a soft target is lowest at the target; its own entropy is taken off, so that 0 is perfect.
    floor = functional.binary_cross_entropy(truth[:, 2], truth[:, 2], reduction="none")
    terms = torch.stack([foreground * rarity * weight, boundary * rarity, (distance - floor) * weight], 1)
    means = (terms * known).sum((0, 2, 3)) / known.sum((0, 2, 3)).clamp(min=1)
    dice = soft_dice_loss(scores[:, :1], truth[:, :1], known[:, :1]).sum()
    return means.sum() + 0.5 * (dice + overlap_loss(scores[:, 1:], truth[:, 1:2], known[:, 1:2], plan))


def boundary_loss(logits: Tensor, maps: Tensor, plan: TrainingPlan) -> Tensor:
    """Weighted cross-entropy of background, interior and touching boundary, plus their overlaps.

    Parameters
    ----------
    logits
        (N, 3, Y, X) float, of classes that exclude each other.
    maps
        (N, 7, Y, X) uint8 as in ``TrainingImage.maps``, whose first three are those classes.
    plan
        Weights, and what is done for the touching class.

    Returns
    -------
    Tensor
        A scalar.
    """
    truth = maps[:, :3].to(logits.dtype) / 255
    known = (maps[:, 4:7] == _KNOWN).to(logits.dtype)
    weight = maps[:, 3].to(logits.dtype) / 16 * known[:, 0]
    scores = torch.softmax(logits, 1)
    rarity = 1 + (plan.boundary_weight - 1) * truth[:, 2]
    focus = (1 - (scores * truth).sum(1)).clamp(min=_LEAST) ** plan.boundary_focus
    entropy = -(truth * torch.log_softmax(logits, 1)).sum(1) * focus
    # A weighted mean, so that a weight shifts attention between classes and not the size of the step.
    mean = (entropy * rarity * weight).sum() / (rarity * weight).sum().clamp(min=1)
    dice = soft_dice_loss(scores[:, 1:2], truth[:, 1:2], known[:, 1:2]).sum()
    return mean + 0.5 * (dice + overlap_loss(scores[:, 2:], truth[:, 2:], known[:, 2:], plan))


def overlap_loss(scores: Tensor, truth: Tensor, known: Tensor, plan: TrainingPlan, smooth: float = 50.0) -> Tensor:
    """Return 1 - overlap of the touching class over the batch, as the plan counts it: 0, by Dice, or by Tversky.

    The index of Tversky with weights of 0.3 for extras and 0.7 for misses (Salehi et al. 2017) favours a class that is
    rare and easily missed.

    Parameters
    ----------
    scores, truth, known
        (N, 1, Y, X) from 0 to 1.
    plan
        Says which.
    smooth
        In pixels, as in ``soft_dice_loss``.
    """
    if plan.boundary_overlap == "none":
        return scores.new_zeros(())
    if plan.boundary_overlap == "dice":
        return soft_dice_loss(scores, truth, known, smooth).sum()
    right = (scores * truth * known).sum()
    extra, missed = (scores * (1 - truth) * known).sum(), ((1 - scores) * truth * known).sum()
    return 1 - (right + smooth) / (right + _EXTRA * extra + _MISSED * missed + smooth)


def soft_dice_loss(scores: Tensor, truth: Tensor, known: Tensor | None = None, smooth: float = 50.0) -> Tensor:
    """Return 1 - Dice for each channel over the batch; (C,).

    Parameters
    ----------
    scores, truth
        (N, C, Y, X) from 0 to 1.
    known
        (N, C, Y, X) or (N, 1, Y, X), 1 where a pixel counts; None counts all.
    smooth
        In pixels; keeps a channel that is absent from the batch from dominating.
    """
    if known is not None:
        scores, truth = scores * known, truth * known
    overlap = (scores * truth).sum((0, 2, 3))
    total = scores.sum((0, 2, 3)) + truth.sum((0, 2, 3))
    return 1 - (2 * overlap + smooth) / (total + smooth)


def area_loss(logits: Tensor, maps: Tensor, weights: Tensor) -> Tensor:
    """Return weighted cross-entropy plus soft Dice over the classes, of annotated pixels alone.

    Pixels that are not annotated count nowhere: neither in the cross-entropy nor in either sum of the Dice. Dice is the
    mean over the classes that the batch holds, so that one that is absent adds nothing.

    Parameters
    ----------
    logits
        (N, classes, Y, X) float.
    maps
        (N, 1, Y, X) uint8: 0 where nothing is annotated, otherwise 1 + the position of the class.
    weights
        (classes,), of a pixel of each.

    Returns
    -------
    Tensor
        A scalar; 0 if nothing is annotated.
    """
    truth = maps[:, 0].long() - 1
    entropy = functional.cross_entropy(logits, truth, weights, ignore_index=_NO_CLASS, reduction="sum")
    known = (truth != _NO_CLASS).unsqueeze(1)
    true_scores = functional.one_hot(truth.clamp(min=0), logits.shape[1]).permute(0, 3, 1, 2).to(logits.dtype) * known
    counts = true_scores.sum((0, 2, 3))
    present = (counts > 0).to(logits.dtype)
    dice = soft_dice_loss(torch.softmax(logits, 1), true_scores, known.to(logits.dtype))
    return entropy / (counts * weights).sum().clamp(min=1) + (dice * present).sum() / present.sum().clamp(min=1)
