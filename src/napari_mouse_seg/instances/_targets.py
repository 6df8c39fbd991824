"""Instance labels → the pixel maps that a network learns.

Three maps rather than a three-class softmax: a gap of one pixel between two nuclei can then be
foreground and touching boundary at once, and decoding gives back the full object, not an eroded one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

TARGET_NAMES = ("foreground", "boundary", "distance")


def encode_targets(labels: NDArray[Any], boundary_half_width_px: int = 2) -> NDArray[np.float32]:
    """Encode instance labels.

    Parameters
    ----------
    labels
        (Y, X) integers, 0 is background.
    boundary_half_width_px
        A pixel is touching boundary when two different objects lie within this many pixels of it.

    Returns
    -------
    NDArray[np.float32]
        (3, Y, X): foreground, touching boundary (both 0 or 1), and the Euclidean distance to the
        object's own edge divided by its maximum in that object (0 outside, 1 at the centre).
    """
    foreground = labels > 0
    targets = np.zeros((3, *labels.shape), np.float32)
    targets[0] = foreground
    targets[1] = touching_boundary(labels, boundary_half_width_px)
    targets[2] = normalised_distance(labels)
    return targets


def touching_boundary(labels: NDArray[Any], half_width_px: int) -> NDArray[np.bool_]:
    """Return where two different objects lie within ``half_width_px`` (chessboard) of a pixel; (Y, X)."""
    size = 2 * half_width_px + 1
    high = ndimage.maximum_filter(labels, size=size, mode="nearest")
    none = np.iinfo(labels.dtype).max
    low = ndimage.minimum_filter(np.where(labels > 0, labels, none), size=size, mode="nearest")
    touching: NDArray[np.bool_] = (low < high) & (low != none)
    return touching


def normalised_distance(labels: NDArray[Any]) -> NDArray[np.float32]:
    """Return each pixel's distance to its object's edge over the object's largest such distance; (Y, X).

    The image's own border is no edge: an object cut by it keeps its full distances there.
    """
    out = np.zeros(labels.shape, np.float32)
    rows, columns = labels.shape
    for index, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is None:
            continue
        # One ring of background around the object, except where the image itself ends.
        pad = [
            (int(box[0].start > 0), int(box[0].stop < rows)),
            (int(box[1].start > 0), int(box[1].stop < columns)),
        ]
        mask = np.pad(labels[box] == index, pad)
        inside = np.ones(mask.shape) if mask.all() else ndimage.distance_transform_edt(mask)
        inner = inside[pad[0][0] : mask.shape[0] - pad[0][1], pad[1][0] : mask.shape[1] - pad[1][1]]
        own = labels[box] == index
        out[box][own] = (inner / inner.max())[own]
    return out
