"""Connected components and holes of a mask, compiled.

From runs of pixels rather than pixel by pixel: a row of a mask has few runs, so most of the work is done on a short
list. Ours rather than scipy.ndimage.label: holes are found and filled from the same runs, with no image of labels.
"""

# mypy: disable-error-code="no-untyped-def,untyped-decorator"
from __future__ import annotations

import numpy as np

from napari_mouse_seg.instances._numba import njit


@njit(cache=True, nogil=True)
def label_components(mask):
    """Label 4-connected components in raster order of their first pixel.

    Parameters
    ----------
    mask
        (Y, X) uint8, non-zero is inside.

    Returns
    -------
    tuple
        (Y, X) int32 labels from 1, and their number.
    """
    starts, runs = _find_runs(mask, True)
    owners, count = _join_runs(starts, runs, 0)
    labels = np.zeros(mask.shape, np.int32)
    for y in range(mask.shape[0]):
        for run in range(starts[y], starts[y + 1]):
            for x in range(runs[run, 0], runs[run, 1]):
                labels[y, x] = owners[run]
    return labels, count


@njit(cache=True, nogil=True)
def fill_holes(mask, max_area, cut):
    """Fill small holes in place and mark the surroundings of holes that a cut edge hides.

    A hole is an 8-connected background component of at most ``max_area`` pixels that does not touch
    the array's edge.

    Parameters
    ----------
    mask
        (Y, X) uint8, changed in place.
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
    starts, runs = _find_runs(mask, False)
    owners, count = _join_runs(starts, runs, 1)
    area = np.zeros(count + 1, np.int64)
    closed = np.ones(count + 1, np.bool_)
    unsure = np.zeros(count + 1, np.bool_)
    for y in range(rows):
        for run in range(starts[y], starts[y + 1]):
            hole, first, end = owners[run], runs[run, 0], runs[run, 1]
            area[hole] += end - first
            if y == 0 or first == 0 or y == rows - 1 or end == columns:
                closed[hole] = False
            at_side = (cut[1] and first == 0) or (cut[3] and end == columns)
            if (cut[0] and y == 0) or (cut[2] and y == rows - 1) or at_side:
                unsure[hole] = True
    outside = np.zeros((rows, columns), np.uint8)
    _mark_cut_edges(outside, mask, cut)
    for y in range(rows):
        for run in range(starts[y], starts[y + 1]):
            hole, first, end = owners[run], runs[run, 0], runs[run, 1]
            if unsure[hole] and area[hole] <= max_area:
                around = max(0, y - 1), min(rows, y + 2), max(0, first - 1), min(columns, end + 1)
                for other_y in range(around[0], around[1]):
                    for x in range(around[2], around[3]):
                        if mask[other_y, x] != 0:
                            outside[other_y, x] = 1
    # Last: what was a hole is no foreground that anything floods from.
    for y in range(rows):
        for run in range(starts[y], starts[y + 1]):
            if closed[owners[run]] and area[owners[run]] <= max_area:
                for x in range(runs[run, 0], runs[run, 1]):
                    mask[y, x] = 1
    return outside


@njit(cache=True, nogil=True)
def _mark_cut_edges(outside, mask, cut):
    """Mark the foreground along the edges that cut."""
    rows, columns = mask.shape
    for x in range(columns):
        if cut[0] and mask[0, x] != 0:
            outside[0, x] = 1
        if cut[2] and mask[rows - 1, x] != 0:
            outside[rows - 1, x] = 1
    for y in range(rows):
        if cut[1] and mask[y, 0] != 0:
            outside[y, 0] = 1
        if cut[3] and mask[y, columns - 1] != 0:
            outside[y, columns - 1] = 1


@njit(cache=True, nogil=True)
def _find_runs(mask, inside):
    """Find the runs of pixels along X that are inside the mask, or outside.

    Returns
    -------
    tuple
        (Y + 1,) int64: where each row's runs begin in the list; (n, 2) int32: first pixel of each run, and end.
    """
    rows, columns = mask.shape
    starts = np.zeros(rows + 1, np.int64)
    for y in range(rows):
        found = 0
        before = False
        for x in range(columns):
            now = (mask[y, x] != 0) == inside
            found += now and not before
            before = now
        starts[y + 1] = starts[y] + found
    runs = np.empty((starts[rows], 2), np.int32)
    for y in range(rows):
        run = starts[y]
        before = False
        for x in range(columns):
            now = (mask[y, x] != 0) == inside
            if now == before:
                continue
            if now:
                runs[run, 0] = x
            else:
                runs[run, 1] = x
                run += 1
            before = now
        if before:
            runs[run, 1] = columns
    return starts, runs


@njit(cache=True, nogil=True)
def _join_runs(starts, runs, reach):
    """Join runs of neighbouring rows that touch: along Y, with a reach of 1 diagonally too.

    Returns
    -------
    tuple
        (n,) int32: the component of each run, numbered from 1 in raster order of its first pixel; how many there are.
    """
    parent = np.empty(len(runs), np.int32)
    for run in range(len(runs)):
        parent[run] = run
    for y in range(1, len(starts) - 1):
        above, run = starts[y - 1], starts[y]
        while above < starts[y] and run < starts[y + 1]:
            if runs[above, 0] < runs[run, 1] + reach and runs[run, 0] < runs[above, 1] + reach:
                one, other = find_root(parent, above), find_root(parent, run)
                parent[max(one, other)] = min(one, other)
            if runs[above, 1] < runs[run, 1]:
                above += 1
            else:
                run += 1
    owners = np.empty(len(runs), np.int32)
    count = 0
    for run in range(len(runs)):
        root = find_root(parent, run)
        if root == run:
            count += 1
            owners[run] = count
        else:
            owners[run] = owners[root]
    return owners, count


@njit(cache=True, nogil=True)
def find_root(parent, label):
    """Return the root of a label in a union-find forest; paths are halved on the way."""
    while parent[label] != label:
        parent[label] = parent[parent[label]]
        label = parent[label]
    return label
