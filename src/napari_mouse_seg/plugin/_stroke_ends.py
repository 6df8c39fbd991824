"""Where a stroke across an object says that there is background: right beyond both of its ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_DEPTH_PX = 4.0
_HALF_WIDTH_PX = 1.5  # Of a wider band, the corners could lie in an object that is round.


def beyond_ends(path: Sequence[NDArray[Any]], brush_px: float, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels beyond both ends of a stroke, in its direction there.

    Parameters
    ----------
    path
        (Y, X) positions of the middle of the brush, in pixels, in order.
    brush_px
        Diameter of the brush.
    shape
        (rows, columns) of the result.

    Returns
    -------
    NDArray[np.bool_]
        (Y, X), 4 px deep and 3 px wide at each end; nowhere if the stroke has no direction, as a click.
    """
    out = np.zeros(shape, np.bool_)
    points = np.asarray(path, float).reshape(-1, 2)
    for ordered in (points, points[::-1]):
        end, radius = ordered[-1], brush_px / 2
        away = np.hypot(*(ordered - end).T)
        # The last pixels of a stroke say little: a hand trembles, and napari rounds.
        before = np.flatnonzero(away >= max(radius, 2.0))
        start = ordered[before[-1]] if len(before) else ordered[int(away.argmax())]
        length = float(np.hypot(*(end - start)))
        if length < 1:
            continue
        forward = (end - start) / length
        reach = int(np.ceil(radius + _DEPTH_PX)) + 1
        low = np.maximum(np.round(end).astype(int) - reach, 0)
        high = np.minimum(np.round(end).astype(int) + reach + 1, shape)
        if (low >= high).any():
            continue
        rows, columns = np.ogrid[low[0] : high[0], low[1] : high[1]]
        y, x = rows - end[0], columns - end[1]
        along, beside = y * forward[0] + x * forward[1], y * forward[1] - x * forward[0]
        is_beyond = (along > radius) & (along <= radius + _DEPTH_PX) & (np.abs(beside) <= _HALF_WIDTH_PX)
        out[low[0] : high[0], low[1] : high[1]] |= is_beyond
    return out
