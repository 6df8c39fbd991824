"""Where objects touch, drawn inside of them so that every object keeps a core of its own.

A band of fixed width was rejected: it covers small objects whole and cuts thin ones in two, and what is covered
cannot be decoded. Distances are counted in steps along the axes, as the decoder's flood counts them, so that two equal
bands meet exactly where the objects do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from skimage.graph import route_through_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Slices = tuple[slice, slice]

HALF = 0.5
"""Share of boundary in the one pixel that stands for an object without room for a core."""

_LEAST_CORE = 0.2
"""A band leaves at least this share of an object free, or is made narrower."""

_FREE_COST = 0.01


def join_pieces(labels: NDArray[Any]) -> NDArray[np.int32]:
    """Give the pieces of objects numbers, after joining those that touch at a corner by one pixel.

    The decoder goes from pixel to pixel along the axes, so what hangs together by a corner alone would fall apart.
    Pieces further apart cannot be told from objects: each gets a number of its own.

    Parameters
    ----------
    labels
        (Y, X) integers, 0 is background; ids may have gaps.

    Returns
    -------
    NDArray[np.int32]
        (Y, X) ids from 1; each is one piece connected along the axes. A joining pixel is taken from the background
        if one of the two is free, otherwise from the larger neighbour.
    """
    ids, dense = np.unique(labels, return_inverse=True)
    out = dense.reshape(labels.shape).astype(np.int32) + (0 if ids[0] == 0 else 1)
    areas = np.bincount(out.ravel())
    for label, box in _broken(out):
        _join_corners(out[box], label, areas)
    count = len(areas) - 1
    for label, box in _broken(out):  # Anew: a joining pixel may have cut another object in two.
        pieces, n_pieces = ndimage.label(out[box] == label)
        for piece in range(2, n_pieces + 1):
            count += 1
            out[box][pieces == piece] = count
    return out


def _broken(labels: NDArray[np.int32]) -> list[tuple[int, Slices]]:
    """Return label and box of every object that is more than one piece."""
    return [
        (label, box)
        for label, box in enumerate(ndimage.find_objects(labels), start=1)
        if box is not None and ndimage.label(labels[box] == label)[1] > 1
    ]


def _join_corners(crop: NDArray[np.int32], label: int, areas: NDArray[np.int64]) -> None:
    """Add one pixel wherever two pieces of an object meet at a corner only; in place."""
    pieces, count = ndimage.label(crop == label)
    while count > 1:
        falling = (pieces[:-1, :-1] > 0) & (pieces[1:, 1:] > 0) & (pieces[:-1, :-1] != pieces[1:, 1:])
        rising = (pieces[:-1, 1:] > 0) & (pieces[1:, :-1] > 0) & (pieces[:-1, 1:] != pieces[1:, :-1])
        corners = [(y, x, 0) for y, x in np.argwhere(falling)] + [(y, x, 1) for y, x in np.argwhere(rising)]
        if not corners:
            return
        y, x, slope = corners[0]
        choices = [(y, x + 1), (y + 1, x)] if slope == 0 else [(y, x), (y + 1, x + 1)]
        # The background counts as the largest of all neighbours.
        place = max(choices, key=lambda choice: np.inf if crop[choice] == 0 else areas[crop[choice]])
        crop[place] = label
        pieces, count = ndimage.label(crop == label)


def touching_share(pieces: NDArray[np.int32], half_width_px: int) -> NDArray[np.float32]:
    """Return how much each pixel of an object is touching boundary rather than inside.

    A pixel is boundary if another object lies within ``half_width_px`` steps along the axes. Between two objects
    the band is as wide in one as in the other, and narrower where it would leave one of them less than a fifth of
    itself or cut its core in two. Where even a width of one cuts a core, a path through the band keeps it together.

    Parameters
    ----------
    pieces
        (Y, X) from ``join_pieces``.
    half_width_px
        Widest band in each object.

    Returns
    -------
    NDArray[np.float32]
        (Y, X): 1 on the boundary, 0 in cores and background. An object that the narrowest band covers whole has
        ``HALF`` in its innermost pixel. Objects of one pixel that touch one another share a single core: they
        cannot be told apart.
    """
    meeting = list(_meetings(pieces, half_width_px))
    widths = np.ones(pieces.max() + 1, np.int64)
    for one in meeting:
        widths[one.label] = _free_width(one, half_width_px)
    share = np.zeros(pieces.shape, np.float32)
    for one in meeting:
        share[one.box][_band(pieces[one.box], one, widths)] = 1
    for one in meeting:
        _keep_core(share[one.box], pieces[one.box], one)
    return share


@dataclass(frozen=True, slots=True)
class _Meeting:
    """An object near others: the box around it, its pixels there, and steps from each to the nearest other object."""

    label: int
    box: Slices
    own: NDArray[np.bool_]
    steps: NDArray[np.int32]


def _meetings(pieces: NDArray[np.int32], reach_px: int) -> list[_Meeting]:
    """Find the objects that have another one within reach."""
    found = []
    rows, columns = pieces.shape
    for label, box in enumerate(ndimage.find_objects(pieces), start=1):
        if box is None:
            continue
        grown = (
            slice(max(0, box[0].start - reach_px), min(rows, box[0].stop + reach_px)),
            slice(max(0, box[1].start - reach_px), min(columns, box[1].stop + reach_px)),
        )
        crop = pieces[grown]
        own = crop == label
        other = (crop > 0) & ~own
        if other.any():
            steps = _steps_to(other)
            if (steps[own] <= reach_px).any():
                found.append(_Meeting(label, grown, own, steps))
    return found


def _steps_to(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Count steps along the axes from each pixel to the mask, which is not empty."""
    steps: NDArray[np.int32] = ndimage.distance_transform_cdt(~mask, "taxicab")
    return steps


def _free_width(one: _Meeting, widest: int) -> int:
    """Return the widest band that leaves an object a core in one piece; 1 if none does."""
    area = one.own.sum()
    for width in range(widest, 1, -1):
        core = one.own & (one.steps > width)
        if core.sum() >= _LEAST_CORE * area and ndimage.label(core)[1] == 1:
            return width
    return 1


def _band(crop: NDArray[np.int32], one: _Meeting, widths: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Pixels of an object within the width that it and the other object both allow."""
    allowed = np.minimum(widths[crop], widths[one.label])
    allowed[one.own | (crop == 0)] = 0
    band = np.zeros_like(one.own)
    for width in np.unique(allowed[allowed > 0]).tolist():
        band |= one.own & (_steps_to(allowed == width) <= width)
    return band


def _keep_core(share: NDArray[np.float32], crop: NDArray[np.int32], one: _Meeting) -> None:
    """See to it that an object has one core, in place."""
    own_core = one.own & (share < 1)
    taken = ndimage.binary_dilation((crop > 0) & ~one.own & (share < 1))
    if not own_core.any():
        depth = np.where(one.own & ~taken, one.steps, 0)
        if depth.any():
            share[np.unravel_index(depth.argmax(), depth.shape)] = HALF
        return
    cores, count = ndimage.label(own_core)
    if count == 1:
        return
    sizes = np.bincount(cores.ravel())
    sizes[0] = 0
    main = int(sizes.argmax())
    # Pixels next to another object's core are closed: two cores must not meet.
    cost = np.where(one.own & ~(taken & ~own_core), 1 + 4 / np.maximum(one.steps, 1), -1.0)
    cost[own_core] = _FREE_COST
    start = tuple(np.argwhere(cores == main)[0])
    for core in range(1, count + 1):
        if core == main:
            continue
        path = _path(cost, start, tuple(np.argwhere(cores == core)[0]))
        if path is None:
            share[cores == core] = 1
        else:
            share[path] = 0


def _path(
    cost: NDArray[np.float64], start: tuple[Any, ...], end: tuple[Any, ...]
) -> tuple[NDArray[np.intp], NDArray[np.intp]] | None:
    """Return the pixels of the cheapest way along the axes; None if there is none."""
    try:
        places, _ = route_through_array(  # type: ignore[no-untyped-call]  # scikit-image
            cost, start, end, fully_connected=False, geometric=False
        )
    except ValueError:  # No way leads there.
        return None
    rows, columns = np.array(places).T
    return rows, columns
