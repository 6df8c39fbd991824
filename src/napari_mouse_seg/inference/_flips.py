"""A tile in all eight ways to turn and mirror it, and the mean of what the network says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FLIPS = 8


def flipped(tiles: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return every tile turned by quarter turns, and each of these mirrored.

    Parameters
    ----------
    tiles
        (N, C, Y, X), square.

    Returns
    -------
    NDArray[np.float32]
        (8 N, C, Y, X): all tiles one way, then all the next way.
    """
    return np.concatenate([_turn(tiles, turns, mirrored) for turns, mirrored in _ways()])


def mean_over_flips(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn the scores of flipped tiles back, and return their means.

    The mean over turned and mirrored copies is test-time augmentation as in Krizhevsky et al. 2012.

    Parameters
    ----------
    scores
        (8 N, outputs, Y, X), in the order of ``flipped``.

    Returns
    -------
    NDArray[np.float32]
        (N, outputs, Y, X).
    """
    number = len(scores) // FLIPS
    total = np.zeros_like(scores[:number])
    for index, (turns, mirrored) in enumerate(_ways()):
        total += _turn_back(scores[index * number : (index + 1) * number], turns, mirrored)
    return total / np.float32(FLIPS)


def _ways() -> Iterator[tuple[int, bool]]:
    """Yield quarter turns, and whether the turned tile is mirrored."""
    for mirrored in (False, True):
        for turns in range(FLIPS // 2):
            yield turns, mirrored


def _turn(tiles: NDArray[np.float32], turns: int, mirrored: bool) -> NDArray[np.float32]:
    turned = np.rot90(tiles, turns, (2, 3))
    return turned[..., ::-1] if mirrored else turned


def _turn_back(tiles: NDArray[np.float32], turns: int, mirrored: bool) -> NDArray[np.float32]:
    return np.rot90(tiles[..., ::-1] if mirrored else tiles, -turns, (2, 3))
