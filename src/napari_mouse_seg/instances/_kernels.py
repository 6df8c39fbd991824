"""Compiled loops over pixels: masks, tables of objects, new numbers."""

# mypy: disable-error-code="no-untyped-def,untyped-decorator"
from __future__ import annotations

import numpy as np

from napari_mouse_seg.instances._numba import njit


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
