"""Where objects are by paint and pixels alone, whatever the network knows: a small classifier of single pixels.

Strokes are completed by the network that learns from them (``_strokes``). Where the base model does not know such
images there is nothing to complete: it finds no objects, learns that there are none, and ends with an empty image. A
classifier of local features (as in Sommer et al. 2011, ilastik, and Arganda-Carreras et al. 2017, Trainable Weka
Segmentation) learns from the same strokes in seconds and knows nothing beforehand; its outlines follow edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy import ndimage
from skimage.feature import multiscale_basic_features
from torch import nn
from torch.nn import functional

from napari_mouse_seg.plans import BACKGROUND_LABEL, NOT_PAINTED
from napari_mouse_seg.tiling import SCORE_ONE
from napari_mouse_seg.training._adamw import AdamW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SIGMA_PX = (0.5, 8.0)
"""With larger ones a few strokes are known by their place; with smaller ones, the insides of objects look alike."""

_HIDDEN = 64
_STEPS = 200
_BATCH = 1024
_RATE = 3e-3
_DECAY = 1e-2
_CHANCE = 0.5
_LEAST_ERROR = 0.01


@dataclass(frozen=True, slots=True)
class Guess:
    """What paint and pixels say of some patches.

    Attributes
    ----------
    foreground
        By patch, (Y, X) float32 from 0 to 1.
    accuracy
        Mean of the shares of object and of background pixels that are right, from 0 to 1, on strokes it did not learn.
    """

    foreground: tuple[NDArray[np.float32], ...]
    accuracy: float


def guess_foreground(images: Sequence[NDArray[np.float32]], paints: Sequence[NDArray[Any]], seed: int) -> Guess | None:
    """Learn from the paint of some patches which pixels lie in objects.

    Parameters
    ----------
    images
        By patch, (C, Y, X) float32 network input.
    paints
        By patch, (Y, X) integers: 0 is not painted, 1 is background, higher labels are objects.
    seed
        Of weights and batches.

    Returns
    -------
    Guess or None
        None where objects or background are painted nowhere.
    """
    painted = [paint != NOT_PAINTED for paint in paints]
    # All features of many large patches would take gigabytes, so they are made again below.
    inputs = np.concatenate([_features(image)[there] for image, there in zip(images, painted, strict=True)])
    is_object = np.concatenate([paint[there] > BACKGROUND_LABEL for paint, there in zip(paints, painted, strict=True)])
    if is_object.all() or not is_object.any():
        return None
    rng = np.random.default_rng(seed)
    part = np.concatenate([_halves(paint, rng)[there] for paint, there in zip(paints, painted, strict=True)])
    unseen = np.empty(len(is_object), np.float32)
    for half in (0, 1):
        learnt, other = part == half, part != half
        if 0 < is_object[learnt].sum() < learnt.sum():
            unseen[other] = _Classifier(inputs[learnt], is_object[learnt], seed)(inputs[other])
        else:
            unseen[other] = _CHANCE
    classify = _Classifier(inputs, is_object, seed)
    foreground = tuple(classify(_features(image)) for image in images)
    return Guess(foreground, balanced_accuracy(unseen > _CHANCE, is_object))


def balanced_accuracy(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Return the mean of the shares of true and of false pixels that are found as such; both must be there."""
    return float((found[truth].mean() + (~found[~truth]).mean()) / 2)


def mix_scores(
    scores: Sequence[NDArray[np.uint16]], guess: Guess | None, paints: Sequence[NDArray[Any]]
) -> tuple[list[NDArray[np.uint16]], float]:
    """Mix a network's scores with a guess where the guess is better, by their errors on the paint.

    Parameters
    ----------
    scores
        By patch, (3, Y, X) uint16 from 0 to ``SCORE_ONE``: foreground, touching boundary, distance.
    guess
        Of the same patches; None leaves the scores as they are.
    paints
        By patch, (Y, X), as for ``guess_foreground``.

    Returns
    -------
    list of NDArray[np.uint16]
        As ``scores``. In place of a distance, the guess has its foreground; it knows no touching boundary.
    float
        Share of the network in them, from 0 (no better than chance) to 1 (at least as good as the guess).
    """
    if guess is None:
        return list(scores), 1.0
    found = np.concatenate([each[0][paint != NOT_PAINTED] for each, paint in zip(scores, paints, strict=True)])
    truth = np.concatenate([paint[paint != NOT_PAINTED] for paint in paints]) > BACKGROUND_LABEL
    network = _trust(balanced_accuracy(found > SCORE_ONE / 2, truth))
    pixels = _trust(guess.accuracy)
    share = min(1.0, 2 * network / (network + pixels)) if network + pixels > 0 else _CHANCE
    mixed = []
    for each, foreground in zip(scores, guess.foreground, strict=True):
        by_pixel = np.stack([foreground, np.zeros_like(foreground), foreground]) * SCORE_ONE
        mixed.append((share * each + (1 - share) * by_pixel).round().astype(np.uint16))
    return mixed, share


def _trust(accuracy: float) -> float:
    """Return the inverse of the error, 0 at chance."""
    return max(0.0, 1 / (1 - accuracy + _LEAST_ERROR) - 1 / (_CHANCE + _LEAST_ERROR))


class _Classifier:
    """A perceptron of two hidden layers; both classes weigh the same."""

    def __init__(self, inputs: NDArray[np.float32], is_object: NDArray[np.bool_], seed: int) -> None:
        self._mean, self._spread = inputs.mean(0), inputs.std(0) + np.float32(1e-6)
        rows = torch.from_numpy(self._scaled(inputs))
        wanted = torch.from_numpy(is_object.astype(np.float32))
        share = float(wanted.mean())
        weight = torch.where(wanted > 0, 0.5 / share, 0.5 / (1 - share))
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed)
            first, last = nn.Linear(rows.shape[1], _HIDDEN), nn.Linear(_HIDDEN, 1)
            self._network = nn.Sequential(first, nn.ReLU(), nn.Linear(_HIDDEN, _HIDDEN), nn.ReLU(), last)
            optimizer = AdamW(self._network.parameters(), _RATE, _DECAY)
            for _ in range(_STEPS):
                drawn = torch.randint(len(rows), (_BATCH,))
                logits = self._network(rows[drawn])[:, 0]
                optimizer.zero_grad()
                functional.binary_cross_entropy_with_logits(logits, wanted[drawn], weight[drawn]).backward()  # type: ignore[no-untyped-call]
                optimizer.step()

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits = self._network(torch.from_numpy(self._scaled(inputs)))[..., 0]
            out: NDArray[np.float32] = torch.sigmoid(logits).numpy()
        return out

    def _scaled(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        scaled: NDArray[np.float32] = (inputs - self._mean) / self._spread
        return scaled


def _features(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (Y, X, features): smoothed intensity, edges and texture at several scales."""
    low, high = _SIGMA_PX
    out = multiscale_basic_features(image, sigma_min=low, sigma_max=high, channel_axis=0)  # type: ignore[no-untyped-call]
    return np.asarray(out, np.float32)


def _halves(paint: NDArray[Any], rng: np.random.Generator) -> NDArray[np.int64]:
    """Assign whole strokes to one of two halves: pixels of one resemble each other. One alone is cut in two."""
    out = np.zeros(paint.shape, np.int64)
    for here in (paint == BACKGROUND_LABEL, paint > BACKGROUND_LABEL):
        strokes, count = ndimage.label(here, np.ones((3, 3)))  # A thin slanting stroke is one.
        if count == 1:
            size = int(here.sum())
            out[here] = np.arange(size) >= size // 2
        else:
            halves = rng.permutation(np.arange(count) % 2)
            out[here] = halves[strokes[here] - 1]
    return out
