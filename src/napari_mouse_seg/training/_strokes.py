"""Strokes → whole objects: what the model in training makes of a patch, put right by the paint.

Strokes inside of objects say where objects are and which pixels belong to different ones, but not where they end.
Learning the foreground from them alone lets the other outputs drift: nothing holds them. So the present model's own
objects, split and joined as the strokes say, give the distances and touching boundaries to learn next; they are made
anew several times during a training (as in Lin et al. 2016, ScribbleSup, for classes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from skimage.segmentation import watershed

from napari_mouse_seg.instances import decode, encode_targets
from napari_mouse_seg.plans import BACKGROUND_LABEL
from napari_mouse_seg.tiling import SCORE_ONE
from napari_mouse_seg.training._samples import TrainingImage, pack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_mouse_seg.plans import InstancesPlan

_SURE = 0.75


def complete_strokes(scores: NDArray[np.uint16], paint: NDArray[Any], instances: InstancesPlan) -> NDArray[np.int32]:
    """Return the objects that agree with both the scores and the paint.

    Parameters
    ----------
    scores
        (3, Y, X) uint16 from 0 to ``SCORE_ONE``.
    paint
        (Y, X) integers: 0 is not painted, 1 is background, each higher label lies inside of one object.
    instances
        Thresholds.

    Returns
    -------
    NDArray[np.int32]
        (Y, X) labels 1 to n. No painted background is in any; strokes of one label are in one object, and strokes of
        two labels never are.
    """
    strokes = paint > BACKGROUND_LABEL
    background = paint == BACKGROUND_LABEL
    put_right = scores.copy()
    put_right[0] = np.where(strokes, SCORE_ONE, np.where(background, 0, scores[0]))
    found = decode(put_right, instances).labels.astype(np.int32)
    painted_ids = np.unique(paint[strokes])
    markers = np.zeros(paint.shape, np.int32)
    markers[strokes] = np.searchsorted(painted_ids, paint[strokes]) + 1
    # Objects without paint stay as they were found.
    has_paint = np.zeros(found.max() + 1, np.bool_)
    has_paint[found[strokes]] = True
    alone = (found > 0) & ~has_paint[found]
    markers[alone] = found[alone] + len(painted_ids)
    pass_height = scores[1].astype(np.float32) - scores[2]
    within = ((found > 0) | strokes) & ~background
    return _number(watershed(pass_height, markers, mask=within))  # type: ignore[no-untyped-call]  # scikit-image


def prepare_strokes(
    stretched: NDArray[np.float32],
    paint: NDArray[Any],
    scores: NDArray[np.uint16],
    instances: InstancesPlan,
    half_width_px: int,
    group: str,
) -> TrainingImage:
    """Encode a patch painted with strokes, for a model that gives these scores now.

    Parameters
    ----------
    stretched
        (C, Y, X) float32 from ``images.stretch``.
    paint, scores, instances
        As for ``complete_strokes``.
    half_width_px
        Of the touching boundary.
    group
        Sampling group.

    Returns
    -------
    TrainingImage
        The foreground is known where there is paint. Touching boundary and distance are those of the completed objects,
        known where the model is sure whether there is an object at all.
    """
    targets = encode_targets(complete_strokes(scores, paint, instances), half_width_px)
    painted = paint > 0
    targets[0][painted] = paint[painted] > BACKGROUND_LABEL
    share = scores[0].astype(np.float32) / SCORE_ONE
    sure = painted | (np.maximum(share, 1 - share) > _SURE)
    return pack(stretched, targets, np.ones(paint.shape, np.float32), np.stack([painted, sure, sure]), group)


def _number(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    _, numbered = np.unique(labels, return_inverse=True)
    first = 1 if not (labels == 0).any() else 0
    return (numbered.reshape(labels.shape) + first).astype(np.int32)
