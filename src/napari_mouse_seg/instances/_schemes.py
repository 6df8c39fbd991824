"""Target schemes: labels → targets, and scores → the three maps of the one decoder.

One decoder for all schemes: blocks, stitching and their promises are then proven once. A decoder a scheme was
rejected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.errors import PlanError
from napari_mouse_seg.instances._decode import decode
from napari_mouse_seg.instances._targets import encode_boundary, encode_targets
from napari_mouse_seg.plans import AreaTargets, BoundaryTargets
from napari_mouse_seg.tiling import SCORE_ONE, Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_mouse_seg.instances._decode import ReadScores
    from napari_mouse_seg.instances._stitch import Instances
    from napari_mouse_seg.plans import InstancesPlan, TargetsPlan


def encode(labels: NDArray[Any], targets: TargetsPlan) -> NDArray[np.float32]:
    """Encode labels as a network with these targets should put them out.

    Parameters
    ----------
    labels
        (Y, X) integers: ids of objects, 0 is background; or, for areas, labels of classes.
    targets
        The scheme; see ``encode_targets`` and ``encode_boundary`` for what becomes of holes, edges and pieces.

    Returns
    -------
    NDArray[np.float32]
        (outputs, Y, X) from 0 to 1. Of areas, a pixel of no class is 0 in all of them.
    """
    if isinstance(targets, AreaTargets):
        return np.stack([labels == entry.label for entry in targets.classes]).astype(np.float32)
    if isinstance(targets, BoundaryTargets):
        return encode_boundary(labels, targets.boundary_half_width_px)
    return encode_targets(labels, targets.boundary_half_width_px)


def decoder_maps(targets: TargetsPlan, read: ReadScores) -> ReadScores:
    """Return a reader of foreground, touching boundary and distance, whatever the scheme puts out.

    Each pixel depends on its own scores alone, so that blocks stay free of seams.

    Parameters
    ----------
    targets
        Scheme of the scores.
    read
        Returns (outputs, Y, X) uint16 of a box, from 0 to ``SCORE_ONE``.

    Raises
    ------
    PlanError
        If the scores are of areas, which hold no objects.
    """
    if isinstance(targets, AreaTargets):
        raise PlanError(
            f"The model finds areas ({', '.join(targets.outputs)}), not objects; choose a model that finds objects."
        )
    if not isinstance(targets, BoundaryTargets):
        return read

    def read_maps(box: Box) -> NDArray[np.uint16]:
        _, interior, boundary = read(box)
        foreground = np.minimum(interior.astype(np.uint32) + boundary, SCORE_ONE).astype(np.uint16)
        return np.stack([foreground, boundary, foreground])

    return read_maps


def decode_scores(scores: NDArray[np.uint16], targets: TargetsPlan, plan: InstancesPlan) -> Instances:
    """Decode a whole score map of any scheme for objects.

    Parameters
    ----------
    scores
        (outputs, Y, X) uint16 from 0 to ``SCORE_ONE``.
    targets
        Scheme of the scores.
    plan
        Thresholds.

    Raises
    ------
    PlanError
        If the scores are of areas.
    """
    read = decoder_maps(targets, lambda box: scores[:, *box.slices])
    return decode(read(Box(0, 0, *scores.shape[1:])), plan)
