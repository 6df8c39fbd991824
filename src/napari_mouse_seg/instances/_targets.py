"""Instance labels → the pixel maps that a network learns.

By default three maps rather than a three-class softmax: a gap of one pixel between two nuclei can then be
foreground and touching boundary at once, and decoding gives back the full object, not an eroded one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from skimage.morphology import reconstruction

from napari_mouse_seg.instances._touching import join_pieces, touching_share
from napari_mouse_seg.instances._watershed import separate

if TYPE_CHECKING:
    from numpy.typing import NDArray

TARGET_NAMES = ("foreground", "boundary", "distance")

_SECOND_PEAK = 0.25
"""A second peak in an object rises at most this far above the pass to the first: less than the decoder splits at."""


def encode_targets(labels: NDArray[Any], boundary_half_width_px: int = 2) -> NDArray[np.float32]:
    """Encode instance labels as foreground, touching boundary and distance.

    Holes stay holes, and objects at the image's edge keep their full distances there. An object in pieces that touch
    at corners is joined by a pixel at each; pieces further apart become objects of their own.

    Parameters
    ----------
    labels
        (Y, X) integers, 0 is background.
    boundary_half_width_px
        A pixel of an object is touching boundary when another object lies within this many steps of it, fewer
        between small objects (see ``touching_share``); a pixel of a gap, when two objects do.

    Returns
    -------
    NDArray[np.float32]
        (3, Y, X): foreground, touching boundary (both 0 or 1; one half in the core of an object that is all boundary),
        and the Euclidean distance to the object's own edge divided by its maximum in that object (0 outside, 1 at the
        centre). Where an object has several bulges, all but the widest are lowered so that it stays one.
    """
    pieces = join_pieces(labels)
    targets = np.zeros((3, *labels.shape), np.float32)
    targets[0] = pieces > 0
    gaps = (pieces == 0) & touching_boundary(pieces, boundary_half_width_px)
    targets[1] = np.where(gaps, 1, touching_share(pieces, boundary_half_width_px))
    targets[2] = normalised_distance(pieces)
    _lower_second_peaks(targets[2], pieces)
    return targets


def encode_boundary(labels: NDArray[Any], boundary_half_width_px: int = 2) -> NDArray[np.float32]:
    """Encode instance labels as background, interior and touching boundary, which add up to 1.

    The boundary lies inside of objects only, so that background is where no object is. Holes stay holes, the image's
    own edge is no boundary, and pieces are treated as by ``encode_targets``. Nothing splits an object but the
    boundary, whatever its shape.

    Parameters
    ----------
    labels
        (Y, X) integers, 0 is background.
    boundary_half_width_px
        A pixel of an object is touching boundary when another object lies within this many steps of it, fewer between
        small objects (see ``touching_share``).

    Returns
    -------
    NDArray[np.float32]
        (3, Y, X): 0 or 1, and one half each of interior and boundary in the innermost pixel of an object that has no
        room for an interior.
    """
    pieces = join_pieces(labels)
    share = touching_share(pieces, boundary_half_width_px)
    return np.stack([pieces == 0, (pieces > 0) - share, share]).astype(np.float32)


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


def _lower_second_peaks(distance: NDArray[np.float32], pieces: NDArray[np.int32]) -> None:
    """Lower, in place, each peak of an object that would make it two objects, down to just above the pass."""
    depth = round(_SECOND_PEAK * 255)
    never = np.zeros(1, np.uint8)
    cross = ndimage.generate_binary_structure(2, 1)
    for label, box in enumerate(ndimage.find_objects(pieces), start=1):
        if box is None:
            continue
        own = pieces[box] == label
        height = np.where(own, distance[box], 0)
        levels = np.rint(height * 255).astype(np.uint8)
        if separate(own.astype(np.int32), 1, levels, np.zeros_like(levels), depth, never)[2] == 1:
            continue
        top = np.zeros_like(height)
        peak = np.unravel_index(height.argmax(), height.shape)
        top[peak] = height[peak]
        # The highest pass on the way from the peak to each pixel.
        passes = reconstruction(top, height, "dilation", footprint=cross)  # type: ignore[no-untyped-call]
        distance[box][own] = np.minimum(height, passes + _SECOND_PEAK)[own]
