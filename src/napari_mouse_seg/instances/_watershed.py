"""Markers and the flood from them.

numba rather than scikit-image: its watershed works in float64 copies and breaks ties by the layout of a
heap over the whole array, so that an object would depend on what else is in the block. Here the flood
takes pixels by (level, order of arrival) with 256 levels; what happens in one connected component of the
foreground then depends on that component alone. Method: Meyer's flooding (1991) with a bucket queue.
"""

# mypy: disable-error-code="no-untyped-def,untyped-decorator"
from __future__ import annotations

import numpy as np

from napari_mouse_seg.instances._kernels import find_root
from napari_mouse_seg.instances._numba import njit

OUTSIDE = -1
"""Provisional label of the flood that stands for everything beyond a cut edge."""

_ASK_EVERY = 1 << 16


@njit(cache=True, nogil=True)
def place_markers(mask, core, min_depth, stop):
    """Place a marker on every peak of the core score that stands out.

    Pixels join from high to low. Where two hills meet, the lower one was an object of its own if its peak
    lies at least ``min_depth`` above the pass; otherwise it is a shoulder of the higher one (the persistence
    of peaks). Every component of the mask keeps its highest peak.

    Parameters
    ----------
    mask, core
        (Y, X) uint8.
    min_depth
        From 1 to 255.
    stop
        (1,) uint8; as soon as it is not zero the result is given up.

    Returns
    -------
    tuple
        (Y, X) int32 markers of one pixel each, from 1 in raster order, and their number.
    """
    rows, columns = mask.shape
    order = _from_high(mask, core)
    parent = np.full(rows * columns, -1, np.int32)
    markers = np.zeros((rows, columns), np.int32)
    for rank in range(order.size):
        if rank % _ASK_EVERY == 0 and stop[0]:
            return markers, 0
        place = order[rank]
        y, x = place // columns, place % columns
        level = core[y, x]
        parent[place] = place
        own = place
        for side in range(4):
            other_y = y + (side == 3) - (side == 0)
            other_x = x + (side == 2) - (side == 1)
            if other_y < 0 or other_x < 0 or other_y >= rows or other_x >= columns:
                continue
            other = other_y * columns + other_x
            if parent[other] < 0:
                continue
            root = find_root(parent, other)
            if root == own:
                continue
            # A root is the peak of its hill; of two, the one that was reached first is the higher.
            own_peak, other_peak = core[own // columns, own % columns], core[root // columns, root % columns]
            lower, higher = (own, root) if (other_peak, -root) > (own_peak, -own) else (root, own)
            if core[lower // columns, lower % columns] - level >= min_depth:
                markers[lower // columns, lower % columns] = 1
            parent[lower] = higher
            own = higher
    return markers, _number(markers, parent)


@njit(cache=True, nogil=True)
def _from_high(mask, core):
    """Places in the mask from high core to low, those of one level in raster order; a counting sort."""
    rows, columns = mask.shape
    starts = np.zeros(257, np.int64)
    for y in range(rows):
        for x in range(columns):
            if mask[y, x]:
                starts[256 - core[y, x]] += 1
    for level in range(256):
        starts[level + 1] += starts[level]
    order = np.empty(starts[256], np.int32)
    for y in range(rows):
        for x in range(columns):
            if mask[y, x]:
                slot = 255 - core[y, x]
                order[starts[slot]] = y * columns + x
                starts[slot] += 1
    return order


@njit(cache=True, nogil=True)
def _number(markers, parent):
    """Give markers and the peaks of components numbers in raster order, in place; return how many there are."""
    rows, columns = markers.shape
    count = 0
    for y in range(rows):
        for x in range(columns):
            place = y * columns + x
            if markers[y, x] or parent[place] == place:
                count += 1
                markers[y, x] = count
    return count


@njit(cache=True, nogil=True)
def flood(markers, mask, core, outside, stop):
    """Grow markers over the mask, from high core to low, in place.

    Parameters
    ----------
    markers
        (Y, X) int32; becomes the labels.
    mask, core
        (Y, X) uint8.
    outside
        (Y, X) uint8: pixels from which ``OUTSIDE`` floods before any marker; all zero for a plain flood.
    stop
        (1,) uint8; as soon as it is not zero the flood is given up.
    """
    rows, columns = mask.shape
    heads = np.full(256, -1, np.int64)
    tails = np.full(256, -1, np.int64)
    following = np.empty(rows * columns, np.int32)
    for y in range(rows):
        for x in range(columns):
            if outside[y, x] and mask[y, x]:
                markers[y, x] = OUTSIDE
                _push(heads, tails, following, 0, y * columns + x)
    for y in range(rows):
        for x in range(columns):
            if markers[y, x] > 0:
                _push(heads, tails, following, 255 - core[y, x], y * columns + x)
    level = 0
    done = 0
    while level < 256:
        done += 1
        if done % _ASK_EVERY == 0 and stop[0]:
            return
        place = heads[level]
        if place < 0:
            level += 1
            continue
        heads[level] = following[place]
        y, x = place // columns, place % columns
        for side in range(4):
            other_y = y + (side == 3) - (side == 0)
            other_x = x + (side == 2) - (side == 1)
            if other_y < 0 or other_x < 0 or other_y >= rows or other_x >= columns:
                continue
            if mask[other_y, other_x] == 0 or markers[other_y, other_x] != 0:
                continue
            markers[other_y, other_x] = markers[y, x]
            # The flood from outside stays at the lowest level: no real one can come sooner.
            next_level = 0 if markers[y, x] == OUTSIDE else max(level, 255 - core[other_y, other_x])
            _push(heads, tails, following, next_level, other_y * columns + other_x)


@njit(cache=True, nogil=True)
def _push(heads, tails, following, level, place):
    following[place] = -1
    if heads[level] < 0:
        heads[level] = place
    else:
        following[tails[level]] = place
    tails[level] = place
