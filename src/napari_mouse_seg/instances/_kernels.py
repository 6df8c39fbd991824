"""Compiled loops over pixels: masks, components, holes, tables of objects."""

# mypy: disable-error-code="no-untyped-def,untyped-decorator"
from __future__ import annotations

import numpy as np

from napari_mouse_seg.instances._numba import njit


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
                best = find_root(parent, labels[y, x - 1])
            if y > 0:
                first = x - 1 if diagonal and x > 0 else x
                last = x + 1 if diagonal and x + 1 < columns else x
                for other_x in range(first, last + 1):
                    if labels[y - 1, other_x] > 0:
                        root = find_root(parent, labels[y - 1, other_x])
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
        root = find_root(parent, label)
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
def find_root(parent, label):
    """Return the root of a label in a union-find forest; paths are halved on the way."""
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
def sum_by_label(labels, values, count):
    """Return per object (index 0 unused) the sum of (Y, X) uint8 values over it, (count + 1,) int64."""
    rows, columns = labels.shape
    sums = np.zeros(count + 1, np.int64)
    for y in range(rows):
        for x in range(columns):
            if labels[y, x] > 0:
                sums[labels[y, x]] += values[y, x]
    return sums


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
