"""Compiled loops of the instance step.

numba rather than scikit-image: its watershed works in float64 copies and breaks ties by the layout of a
heap over the whole array, so that an object would depend on what else is in the block. Here the flood
takes pixels by (level, order of arrival) with 256 levels; what happens in one connected component of the
foreground then depends on that component alone. Method: Meyer's flooding (1991) with a bucket queue.
"""

# mypy: disable-error-code="no-untyped-def,untyped-decorator"
from __future__ import annotations

import numpy as np
from numba import njit

OUTSIDE = -1
"""Provisional label of the flood that stands for everything beyond a cut edge."""


@njit(cache=True, nogil=True)
def label_components(mask, diagonal):
    """Label connected components in raster order of their first pixel.

    Parameters
    ----------
    mask
        (Y, X) uint8, non-zero is inside.
    diagonal
        Whether diagonal neighbours are connected.

    Returns
    -------
    tuple
        (Y, X) int32 labels from 1, and their number.
    """
    rows, columns = mask.shape
    labels = np.zeros((rows, columns), np.int32)
    parent = np.empty(rows * columns // 2 + 2, np.int32)
    parent[0] = 0
    count = 0
    for y in range(rows):
        for x in range(columns):
            if mask[y, x] == 0:
                continue
            best = 0
            if x > 0 and labels[y, x - 1] > 0:
                best = _find(parent, labels[y, x - 1])
            if y > 0:
                first = x - 1 if diagonal and x > 0 else x
                last = x + 1 if diagonal and x + 1 < columns else x
                for other_x in range(first, last + 1):
                    if labels[y - 1, other_x] > 0:
                        root = _find(parent, labels[y - 1, other_x])
                        if best == 0:
                            best = root
                        elif root < best:
                            parent[best] = root
                            best = root
                        elif best < root:
                            parent[root] = best
            if best == 0:
                count += 1
                parent[count] = count
                best = count
            labels[y, x] = best
    final = np.zeros(count + 1, np.int32)
    components = 0
    for label in range(1, count + 1):
        root = _find(parent, label)
        if root == label:
            components += 1
            final[label] = components
        else:
            final[label] = final[root]
    for y in range(rows):
        for x in range(columns):
            labels[y, x] = final[labels[y, x]]
    return labels, components


@njit(cache=True, nogil=True)
def _find(parent, label):
    while parent[label] != label:
        parent[label] = parent[parent[label]]
        label = parent[label]
    return label


@njit(cache=True, nogil=True)
def score_maps(scores, foreground_min, boundary_weight, one):
    """Turn stored scores into a foreground mask and a core score.

    Parameters
    ----------
    scores
        (3, Y, X) uint16: foreground, touching boundary, distance.
    foreground_min
        Smallest stored foreground score inside an object.
    boundary_weight
        Core = distance x (1 - weight x boundary).
    one
        Stored value of a score of 1.

    Returns
    -------
    tuple
        (Y, X) uint8 mask and (Y, X) uint8 core (0 to 255).
    """
    rows, columns = scores.shape[1:]
    mask = np.zeros((rows, columns), np.uint8)
    core = np.zeros((rows, columns), np.uint8)
    for y in range(rows):
        for x in range(columns):
            if scores[0, y, x] >= foreground_min:
                mask[y, x] = 1
                kept = 1.0 - boundary_weight * (scores[1, y, x] / one)
                value = 255.0 * kept * (scores[2, y, x] / one) + 0.5
                core[y, x] = min(255, max(0, int(value)))
    return mask, core


@njit(cache=True, nogil=True)
def fill_holes(mask, core, max_area, cut):
    """Fill small holes in place and mark the surroundings of holes that a cut edge hides.

    A hole is an 8-connected background component of at most ``max_area`` pixels that does not touch
    the array's edge.

    Parameters
    ----------
    mask
        (Y, X) uint8, changed in place.
    core
        (Y, X) uint8; filled pixels get 0.
    max_area
        Largest hole.
    cut
        Four flags (top, left, bottom, right): the edge cuts through the image.

    Returns
    -------
    NDArray[np.uint8]
        (Y, X): foreground pixels that the unseen part beyond a cut edge may flood from.
    """
    rows, columns = mask.shape
    outside = np.zeros((rows, columns), np.uint8)
    labels, count = label_components(1 - mask, True)
    area = np.zeros(count + 1, np.int64)
    closed = np.ones(count + 1, np.uint8)
    unsure = np.zeros(count + 1, np.uint8)
    for y in range(rows):
        for x in range(columns):
            label = labels[y, x]
            area[label] += 1
            if label and (y == 0 or x == 0 or y == rows - 1 or x == columns - 1):
                closed[label] = 0
            at_cut = (
                (cut[0] and y == 0)
                or (cut[1] and x == 0)
                or (cut[2] and y == rows - 1)
                or (cut[3] and x == columns - 1)
            )
            if at_cut:
                unsure[label] = 1
                if label == 0:
                    outside[y, x] = 1
    for y in range(rows):
        for x in range(columns):
            label = labels[y, x]
            if label == 0 or area[label] > max_area:
                continue
            if closed[label]:
                mask[y, x] = 1
            elif unsure[label]:
                for other_y in range(max(0, y - 1), min(rows, y + 2)):
                    for other_x in range(max(0, x - 1), min(columns, x + 2)):
                        if labels[other_y, other_x] == 0:
                            outside[other_y, other_x] = 1
    return outside


@njit(cache=True, nogil=True)
def place_markers(mask, core, min_depth):
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

    Returns
    -------
    tuple
        (Y, X) int32 markers of one pixel each, from 1 in raster order, and their number.
    """
    rows, columns = mask.shape
    starts = np.zeros(257, np.int64)
    for y in range(rows):
        for x in range(columns):
            if mask[y, x]:
                starts[256 - core[y, x]] += 1
    for level in range(256):
        starts[level + 1] += starts[level]
    total = starts[256]
    order = np.empty(total, np.int32)
    for y in range(rows):
        for x in range(columns):
            if mask[y, x]:
                slot = 255 - core[y, x]
                order[starts[slot]] = y * columns + x
                starts[slot] += 1
    parent = np.full(rows * columns, -1, np.int32)
    markers = np.zeros((rows, columns), np.int32)
    for rank in range(total):
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
            root = _find(parent, other)
            if root == own:
                continue
            # A root is the peak of its hill; of two, the one that was reached first is the higher.
            own_peak, other_peak = core[own // columns, own % columns], core[root // columns, root % columns]
            lower, higher = (own, root) if (other_peak, -root) > (own_peak, -own) else (root, own)
            if core[lower // columns, lower % columns] - level >= min_depth:
                markers[lower // columns, lower % columns] = 1
            parent[lower] = higher
            own = higher
    count = 0
    for y in range(rows):
        for x in range(columns):
            place = y * columns + x
            if markers[y, x] or parent[place] == place:
                count += 1
                markers[y, x] = count
    return markers, count


@njit(cache=True, nogil=True)
def flood(markers, mask, core, outside):
    """Grow markers over the mask, from high core to low, in place.

    Parameters
    ----------
    markers
        (Y, X) int32; becomes the labels.
    mask, core
        (Y, X) uint8.
    outside
        (Y, X) uint8: pixels from which ``OUTSIDE`` floods before any marker; all zero for a plain flood.
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
    while level < 256:
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


@njit(cache=True, nogil=True)
def describe(labels, sure, count):
    """Return per object (index 0 unused): first pixel in raster order, area, bounding box, and whether it is cut.

    Returns
    -------
    NDArray[np.int64]
        (count + 1, 7): first place, area, y0, x0, y1, x1, cut (1 if ``labels`` and ``sure`` differ on it).
    """
    rows, columns = labels.shape
    table = np.zeros((count + 1, 7), np.int64)
    for y in range(rows):
        for x in range(columns):
            label = labels[y, x]
            if label <= 0:
                continue
            if table[label, 1] == 0:
                table[label, 0] = y * columns + x
                table[label, 2] = y
                table[label, 3] = x
            table[label, 1] += 1
            table[label, 3] = min(table[label, 3], x)
            table[label, 4] = y + 1
            table[label, 5] = max(table[label, 5], x + 1)
            if sure[y, x] != label:
                table[label, 6] = 1
    return table


@njit(cache=True, nogil=True)
def relabel(labels, lookup):
    """Replace every label by ``lookup[label]`` in place."""
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            labels[y, x] = lookup[labels[y, x]]


@njit(cache=True, nogil=True)
def paste(target, labels, offset):
    """Write non-zero labels, raised by ``offset``, into a target of the same shape."""
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            if labels[y, x] > 0:
                target[y, x] = labels[y, x] + offset
