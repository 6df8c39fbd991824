"""Strokes → whole objects: what the model in training makes of a patch, put right by the paint.

Strokes inside of objects say where objects are and which pixels belong to different ones, but not where they end.
Learning the foreground from them alone lets objects swell and the other outputs drift: nothing holds them. So the
present model's own objects, split and joined as the strokes say, are learnt too, with less weight than the paint; they
are made anew several times during a training (as in Lin et al. 2016, ScribbleSup, for classes).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from skimage.segmentation import watershed

from napari_mouse_seg.instances import decode, encode
from napari_mouse_seg.plans import BACKGROUND_LABEL, DistanceTargets
from napari_mouse_seg.tiling import SCORE_ONE
from napari_mouse_seg.training._paint import is_uncut
from napari_mouse_seg.training._samples import MapRules, TrainingImage, pack, resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_mouse_seg.plans import InstancesPlan, ObjectTargets

_UNPAINTED_WEIGHT = 0.4
_PAINT_WEIGHTS = (0.5, 3.0)
_WEIGHT_ONE = 16
_LEAST = 1e-3


def _is_painted(maps: NDArray[np.uint8]) -> NDArray[np.bool_]:
    painted: NDArray[np.bool_] = maps[3] >= _PAINT_WEIGHTS[0] * _WEIGHT_ONE
    return painted


STROKE_MAPS = MapRules(_is_painted, resample)
"""Of the same maps as ``OBJECT_MAPS``, known everywhere but for a distance; crops are drawn by what is painted."""


def complete_strokes(
    scores: NDArray[np.uint16], paint: NDArray[Any], instances: InstancesPlan, *, every_object: bool = False
) -> NDArray[np.int32]:
    """Return the objects that agree with both the scores and the paint.

    Parameters
    ----------
    scores
        (3, Y, X) uint16 from 0 to ``SCORE_ONE``: foreground, touching boundary, distance; of another scheme what
        ``decoder_maps`` makes of it.
    paint
        (Y, X) integers: 0 is not painted, 1 is background, each higher label lies inside of one object.
    instances
        Thresholds.
    every_object
        Whether every object has a stroke, so that what has none is background.

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
    anyhow = instances.replace(min_certainty=0.0, min_area_px=1)  # What has a stroke is an object.
    found = decode(put_right, anyhow).labels.astype(np.int32)
    painted_ids = np.unique(paint[strokes])
    markers = np.zeros(paint.shape, np.int32)
    markers[strokes] = np.searchsorted(painted_ids, paint[strokes]) + 1
    has_paint = np.zeros(found.max() + 1, np.bool_)
    has_paint[found[strokes]] = True
    alone = (found > 0) & ~has_paint[found]
    if every_object:
        found[alone] = 0
    else:
        found[alone & (decode(put_right, instances).labels == 0)] = 0
        alone &= found > 0
        markers[alone] = found[alone] + len(painted_ids)  # They stay as they were found.
    pass_height = scores[1].astype(np.float32) - scores[2]
    within = ((found > 0) | strokes) & ~background
    return _number(watershed(pass_height, markers, mask=within))  # type: ignore[no-untyped-call]  # scikit-image


def prepare_strokes(
    stretched: NDArray[np.float32],
    paint: NDArray[Any],
    objects: NDArray[np.int32],
    scores: NDArray[np.uint16],
    targets: ObjectTargets,
    group: str,
) -> TrainingImage:
    """Encode a patch painted with strokes.

    Parameters
    ----------
    stretched
        (C, Y, X) float32 from ``images.stretch``.
    paint, scores
        As for ``complete_strokes``.
    objects
        (Y, X) labels from there.
    targets
        Scheme.
    group
        Sampling group.

    Returns
    -------
    TrainingImage
        Of the completed objects. Pixels without paint count less than those with it, and the less the nearer their
        foreground score is to a half: that is where the model's outlines may be wrong. The distance in objects that the
        patch's edge cuts is not known.
    """
    maps = encode(objects, targets)
    sureness = np.abs(2 * scores[0].astype(np.float32) / SCORE_ONE - 1)
    weight = np.where(paint > 0, _paint_weight(paint, objects), _UNPAINTED_WEIGHT * sureness)
    known = np.ones(maps.shape, np.bool_)
    if isinstance(targets, DistanceTargets):
        known[targets.outputs.index("distance")] = is_uncut(objects)
    return replace(pack(stretched, maps, weight, known, group), rules=STROKE_MAPS)


def _paint_weight(paint: NDArray[Any], objects: NDArray[np.int32]) -> NDArray[np.float32]:
    """Weigh paint so that its objects and background count as the patch's do.

    Whoever draws as much in objects as in a background three times as large would teach that half of all is object.
    """
    strokes = paint > BACKGROUND_LABEL
    painted_share = strokes.sum() / max(1, (paint > 0).sum())
    share = (objects > 0).mean()
    in_object, outside = share / max(painted_share, _LEAST), (1 - share) / max(1 - painted_share, _LEAST)
    weight: NDArray[np.float32] = np.clip(np.where(strokes, in_object, outside), *_PAINT_WEIGHTS).astype(np.float32)
    return weight


def _number(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    _, numbered = np.unique(labels, return_inverse=True)
    first = 1 if not (labels == 0).any() else 0
    return (numbered.reshape(labels.shape) + first).astype(np.int32)
