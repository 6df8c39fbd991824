"""A tile in all eight ways to turn and mirror it, and the mean of what the network says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLIPS = 8

_UPRIGHT = tuple((turns, mirrored) for mirrored in (False, True) for turns in (0, 2))
_SIDEWAYS = tuple((turns, mirrored) for mirrored in (False, True) for turns in (1, 3))
"""Quarter turns, and whether the turned tile is mirrored; these exchange rows and columns."""


def flipped(tiles: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return every tile turned by quarter turns, and each of these mirrored.

    Parameters
    ----------
    tiles
        (N, C, Y, X).

    Returns
    -------
    NDArray[np.float32], NDArray[np.float32]
        (4 N, C, Y, X), not turned or by a half turn, and (4 N, C, X, Y), turned by a quarter either way: in both all
        tiles one way, then all the next way.
    """
    upright, sideways = (np.concatenate([_turn(tiles, *way) for way in ways]) for ways in (_UPRIGHT, _SIDEWAYS))
    return upright, sideways


def mean_over_flips(upright: NDArray[np.float32], sideways: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn the scores of flipped tiles back, and return their means.

    The mean over turned and mirrored copies is test-time augmentation as in Krizhevsky et al. 2012.

    Parameters
    ----------
    upright, sideways
        (4 N, outputs, Y, X) and (4 N, outputs, X, Y), in the order of ``flipped``.

    Returns
    -------
    NDArray[np.float32]
        (N, outputs, Y, X).
    """
    number = len(upright) // len(_UPRIGHT)
    total = np.zeros_like(upright[:number])
    for scores, ways in ((upright, _UPRIGHT), (sideways, _SIDEWAYS)):
        for index, way in enumerate(ways):
            total += _turn_back(scores[index * number : (index + 1) * number], *way)
    return total / np.float32(FLIPS)


def _turn(tiles: NDArray[np.float32], turns: int, mirrored: bool) -> NDArray[np.float32]:
    turned = np.rot90(tiles, turns, (2, 3))
    return turned[..., ::-1] if mirrored else turned


def _turn_back(tiles: NDArray[np.float32], turns: int, mirrored: bool) -> NDArray[np.float32]:
    return np.rot90(tiles[..., ::-1] if mirrored else tiles, -turns, (2, 3))
