"""How much a pixel counts in the loss: more in small objects, and where objects are near one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_mouse_seg.plans import TrainingPlan

_REFERENCE_AREA_PX = 400.0
_REACH = 3
"""In sigmas, where a Gaussian of the two distances is as good as nothing."""


def pixel_weight(labels: NDArray[Any], plan: TrainingPlan) -> NDArray[np.float32]:
    """Return (Y, X) weights from 1 up, for small objects and, if the plan asks for it, for narrow places.

    Parameters
    ----------
    labels
        (Y, X) integer instances, 0 is background.
    plan
        Weights.
    """
    weight = size_weight(labels, plan)
    if plan.near_weight > 0:
        weight = weight + plan.near_weight * nearness(labels, plan.near_sigma_px)
    return weight


def size_weight(labels: NDArray[Any], plan: TrainingPlan) -> NDArray[np.float32]:
    """Return (Y, X) weights from 1 up to the plan's for the pixels of small objects."""
    areas = np.bincount(labels.ravel()).astype(np.float32)
    areas[0] = _REFERENCE_AREA_PX
    per_object = np.clip(np.sqrt(_REFERENCE_AREA_PX / np.maximum(areas, 1)), 1, plan.small_object_weight)
    per_object[0] = 1
    # The weight reaches one pixel out, so that the outline of a small object counts too.
    weight: NDArray[np.float32] = ndimage.maximum_filter(per_object[labels], size=3)
    return weight


def nearness(labels: NDArray[Any], sigma_px: float) -> NDArray[np.float32]:
    """Return how near a pixel is to two objects at once, as Ronneberger et al. 2015 (U-Net) weigh the gaps of cells.

    Parameters
    ----------
    labels
        (Y, X) integer instances, 0 is background.
    sigma_px
        Of the Gaussian over the sum of the distances to the nearest two objects.

    Returns
    -------
    NDArray[np.float32]
        (Y, X), 1 where two objects touch, falling to 0; an object itself counts as nearest to its own pixels, so that
        its edge towards a neighbour counts too.
    """
    nearest, second = _two_distances(labels, reach_px=int(np.ceil(_REACH * sigma_px)) + 1)
    # From one pixel on: a pixel beside another object is at no distance from it.
    gap = nearest + np.maximum(second - 1, 0)
    out: NDArray[np.float32] = np.exp(-(gap**2) / (2 * sigma_px**2)).astype(np.float32)
    return out


def _two_distances(labels: NDArray[Any], reach_px: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the Euclidean distances to the nearest and second nearest object, infinite where they are out of reach."""
    nearest = np.full(labels.shape, np.inf, np.float32)
    second = nearest.copy()
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is None:
            continue
        around = tuple(slice(max(0, side.start - reach_px), side.stop + reach_px) for side in box)
        distance = ndimage.distance_transform_edt(labels[around] != label).astype(np.float32)
        second[around] = np.minimum(second[around], np.maximum(nearest[around], distance))
        nearest[around] = np.minimum(nearest[around], distance)
    return nearest, second
