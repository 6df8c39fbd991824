"""Markers and the flood from them, one connected component after the other.

numba rather than scikit-image: its watershed works in float64 copies and breaks ties by the layout of a
heap over the whole array, so that an object would depend on what else is in the block. Here the flood
takes pixels by (level, order of arrival) with 256 levels, in each connected component of the foreground by itself:
that is why blocks do not matter, and why it is quick, since a component stays in the processor's cache and most hold
one object. Method: Meyer's flooding (1991) with a bucket queue.

Arrays within are flat, with a rim of one pixel: a step to a neighbour is a number to add, with no test for the edge.
"""

# mypy: disable-error-code="no-untyped-def,untyped-decorator"
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_mouse_seg.instances._components import find_root
from napari_mouse_seg.instances._numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

OUTSIDE = -1
"""Provisional label of the flood that stands for everything beyond a cut edge."""

_DRY = -2
_LEVELS = 256
_ASK_EVERY = 1 << 16


def separate(
    pieces: NDArray[np.int32],
    count: int,
    core: NDArray[np.uint8],
    outside: NDArray[np.uint8],
    min_depth: int,
    stop: NDArray[np.uint8],
) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
    """Divide each component into its objects.

    Every peak of the core score that stands out is a marker (see ``_mark_peaks``), from which the object's number
    spreads over the component, from high core to low.

    Parameters
    ----------
    pieces
        (Y, X) int32 4-connected components, 1 to ``count``; numbers may be missing.
    count
        The highest number.
    core
        (Y, X) uint8.
    outside
        (Y, X) uint8: pixels from which ``OUTSIDE`` floods before any marker, in the second of the results.
    min_depth
        From 1 to 255.
    stop
        (1,) uint8; as soon as it is not zero the result is given up.

    Returns
    -------
    tuple
        (Y, X) int32 labels from 1; the same as it would be with the flood from outside; the number of objects.
    """
    # Rims and the like are numpy's: numba takes seconds to compile them.
    height, beyond = (np.pad(image, 1).ravel() for image in (core, outside))
    labels, markers, following = (np.zeros(height.size, np.int32) for _ in range(3))
    parent = np.full(height.size, -1, np.int32)
    width = pieces.shape[1] + 2
    steps = np.array([-width, -1, 1, width])
    queue = following, np.full(_LEVELS, -1, np.int32), np.full(_LEVELS, -1, np.int32)
    places, starts = _group(pieces, count)
    objects = _flood_all(labels, places, starts, markers, parent, height, steps, min_depth, queue, stop)
    inner = labels.reshape(-1, width)[1:-1, 1:-1]
    first = inner.copy()
    if not outside.any():
        return first, first, objects
    _flood_from_outside(labels, places, starts, markers, beyond, height, steps, queue, stop)
    return first, inner.copy(), objects


@njit(cache=True, nogil=True)
def _flood_all(labels, places, starts, markers, parent, height, steps, min_depth, queue, stop):
    """Mark the peaks of all components and flood from them, into ``labels``; return the number of objects."""
    objects = 0
    for piece in range(1, starts.size - 1):
        own = places[starts[piece] : starts[piece + 1]]
        if own.size == 0:
            continue
        found = _mark_peaks(own, height, steps, min_depth, parent, markers, stop)
        if found == 1:
            for place in own:
                labels[place] = objects + 1
        objects = _number(own, markers, objects)
        if found > 1:
            _flood(labels, own, markers, height, steps, queue, stop)
        if stop[0]:
            break
    return objects


@njit(cache=True, nogil=True)
def _flood_from_outside(labels, places, starts, markers, beyond, height, steps, queue, stop):
    """Flood anew the components that are open to the outside."""
    for piece in range(1, starts.size - 1):
        own = places[starts[piece] : starts[piece + 1]]
        if not stop[0] and _start_outside(labels, own, beyond, queue):
            _flood(labels, own, markers, height, steps, queue, stop)


@njit(cache=True, nogil=True)
def _group(pieces, count):
    """Return the places of all components one after the other, each's in raster order, and where each begins."""
    rows, columns = pieces.shape
    starts = np.zeros(count + 2, np.int64)
    for y in range(rows):
        for x in range(columns):
            starts[pieces[y, x] + 1] += 1
    starts[1] = 0  # The background's places are not kept.
    for piece in range(1, count + 1):
        starts[piece + 1] += starts[piece]
    places = np.empty(starts[count + 1], np.int32)
    ends = np.empty(starts.size, np.int64)
    for piece in range(starts.size):
        ends[piece] = starts[piece]
    for y in range(rows):
        for x in range(columns):
            piece = pieces[y, x]
            if piece != 0:
                places[ends[piece]] = (y + 1) * (columns + 2) + x + 1
                ends[piece] += 1
    return places, starts


@njit(cache=True, nogil=True)
def _mark_peaks(own, height, steps, min_depth, parent, markers, stop):
    """Mark the peaks of one component that stand out; return how many there are.

    Pixels join from high to low. Where two hills meet, the lower one was an object of its own if its peak
    lies at least ``min_depth`` above the pass; otherwise it is a shoulder of the higher one (the persistence
    of peaks). Every component keeps its highest peak. Once all peaks that are high enough have met, the rest of the
    pixels can change nothing, and is left out.
    """
    to_come, top = _count_peaks(own, height, steps, min_depth)
    markers[top] = 1
    found = 1
    if to_come <= 1:
        return found
    high = 0
    order = _from_high(own, height)
    for rank in range(order.size):
        if rank % _ASK_EVERY == 0 and stop[0]:
            break
        place = order[rank]
        level = height[place]
        parent[place] = place
        hill = place
        for step in steps:
            if parent[place + step] < 0:
                continue
            other = find_root(parent, place + step)
            if other == hill:
                continue
            # A root is the peak of its hill; of two, the one that was reached first is the higher.
            if height[other] > height[hill] or (height[other] == height[hill] and other < hill):
                lower, higher = hill, other
            else:
                lower, higher = other, hill
            if height[lower] - level >= min_depth:
                markers[lower] = 1
                found += 1
            high -= lower != place and height[lower] >= min_depth
            parent[lower] = higher
            hill = higher
        if hill == place and level >= min_depth:
            to_come -= 1
            high += 1
        if to_come == 0 and high == 1:
            break
    return found


@njit(cache=True, nogil=True)
def _count_peaks(own, height, steps, least):
    """Return how many pixels of a component, at least so high, come before their neighbours; and the first of all."""
    count, top = 0, own[0]
    up, left, right, down = steps[0], steps[1], steps[2], steps[3]
    for place in own:
        level = height[place]
        if level > height[top]:
            top = place
        if level >= least and height[place + up] < level and height[place + left] < level:
            count += height[place + right] <= level and height[place + down] <= level
    return count, top


@njit(cache=True, nogil=True)
def _from_high(own, height):
    """Return a component's places from high to low, those of one level in raster order; a counting sort."""
    starts = np.zeros(_LEVELS + 1, np.int64)
    for place in own:
        starts[_LEVELS - height[place]] += 1
    for level in range(_LEVELS):
        starts[level + 1] += starts[level]
    order = np.empty(own.size, np.int32)
    for place in own:
        slot = _LEVELS - 1 - height[place]
        order[starts[slot]] = place
        starts[slot] += 1
    return order


@njit(cache=True, nogil=True)
def _number(own, markers, last):
    """Give the markers of a component the numbers after the last, in raster order; return the last one given."""
    for place in own:
        if markers[place] != 0:
            last += 1
            markers[place] = last
    return last


@njit(cache=True, nogil=True)
def _start_outside(labels, own, beyond, queue):
    """Begin a flood where a component is open to the outside; return whether it is."""
    found = False
    for place in own:
        if beyond[place] != 0:
            found = True
            labels[place] = OUTSIDE
            _push(queue, 0, place)
    return found


@njit(cache=True, nogil=True)
def _flood(labels, own, markers, height, steps, queue, stop):
    """Grow the markers of a component over it, from high to low, into ``labels``."""
    following, heads, _ = queue
    for place in own:
        if labels[place] == OUTSIDE:
            continue
        labels[place] = _DRY
        if markers[place] != 0:
            labels[place] = markers[place]
            _push(queue, _LEVELS - 1 - height[place], place)
    level = 0
    done = 0
    while level < _LEVELS:
        done += 1
        if done % _ASK_EVERY == 0 and stop[0]:
            return
        place = heads[level]
        if place < 0:
            level += 1
            continue
        heads[level] = following[place]
        label = labels[place]
        for step in steps:
            other = place + step
            if labels[other] == _DRY:
                labels[other] = label
                # The flood from outside stays at the lowest level: no real one can come sooner.
                _push(queue, 0 if label == OUTSIDE else max(level, _LEVELS - 1 - height[other]), other)


@njit(cache=True, nogil=True)
def _push(queue, level, place):
    following, heads, tails = queue
    following[place] = -1
    if heads[level] < 0:
        heads[level] = place
    else:
        following[tails[level]] = place
    tails[level] = place
