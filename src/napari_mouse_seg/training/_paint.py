"""Painted patches → training images: what the paint does not say is not learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_mouse_seg.errors import TrainingError
from napari_mouse_seg.instances import encode
from napari_mouse_seg.plans import BACKGROUND_LABEL, NOT_PAINTED, BoundaryTargets
from napari_mouse_seg.training._pixel_weights import pixel_weight
from napari_mouse_seg.training._samples import TrainingImage, pack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_mouse_seg.plans import ObjectTargets, PaintPlan, TrainingPlan


def prepare_paint(
    stretched: NDArray[np.float32],
    paint: NDArray[Any],
    meaning: PaintPlan,
    plan: TrainingPlan,
    targets: ObjectTargets,
    group: str,
) -> TrainingImage:
    """Encode one painted patch.

    Parameters
    ----------
    stretched
        (C, Y, X) float32 from ``images.stretch``.
    paint
        (Y, X) integers: 0 is not painted, 1 is background, each higher label is one object.
    meaning
        How to read it.
    plan
        Weights.
    targets
        Scheme.
    group
        Sampling group.

    Returns
    -------
    TrainingImage
        Whose maps say what is known of each target: foreground where there is paint; the touching boundary where two
        painted objects meet, or where all pixels that could make it one are painted; the distance in background, and
        in objects that are whole and not cut by the patch's edge. Of classes that exclude each other a pixel has one or
        is not known: painted background has, and in objects the pixels of which the touching boundary is known.

    Raises
    ------
    TrainingError
        If nothing is painted.
    """
    painted = np.full(paint.shape, True) if meaning.rest_is_background else paint != NOT_PAINTED
    if not (paint != NOT_PAINTED).any():
        raise TrainingError(
            "Nothing is painted in this patch; paint some objects and some background, or leave it out."
        )
    is_object = paint > BACKGROUND_LABEL
    labels = np.where(is_object, np.searchsorted(np.unique(paint[is_object]), paint) + 1, 0).astype(np.int32)
    maps = encode(labels, targets)
    # Beyond the patch's edge nothing is known either.
    size = 2 * targets.boundary_half_width_px + 1
    no_other = ndimage.minimum_filter(painted, size=size, mode="constant", cval=0)
    is_boundary = maps[targets.outputs.index("boundary")] > 0
    has_boundary = no_other | (painted & is_boundary)
    if isinstance(targets, BoundaryTargets):
        known = np.stack([has_boundary | (painted & (labels == 0))] * len(maps))
    else:
        has_distance = is_uncut(labels) if meaning.whole_objects else labels == 0
        known = np.stack([painted, has_boundary, painted & has_distance])
    weight = pixel_weight(labels, plan) if meaning.whole_objects else np.ones(paint.shape, np.float32)
    return pack(stretched, maps, weight, known, group)


def is_uncut(labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return where the distance to an edge is known: outside of objects, and in those that no side of (Y, X) cuts."""
    cut = np.zeros(labels.max() + 1, np.bool_)
    for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        cut[side] = True
    cut[0] = False
    uncut: NDArray[np.bool_] = ~cut[labels]
    return uncut
