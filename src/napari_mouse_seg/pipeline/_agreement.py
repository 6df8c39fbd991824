"""How well a result agrees with labels that may be known in part only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_mouse_seg.metrics import InstanceScores
    from napari_mouse_seg.pipeline._truth import Truth
    from napari_mouse_seg.tiling import Box

_LINK_SHARE = 0.5


def compare_objects(found: NDArray[Any], at: Box, truth: Truth) -> InstanceScores:
    """Score objects against a truth that may be known in part only.

    True objects that the edge of the known part cuts are left out, and their pixels count as unknown. A found object
    is left out if most of it is on unknown ground, unless it covers, or is covered by, half of a true one. So which
    true objects count does not depend on what was found, and no threshold can hide an error.

    Parameters
    ----------
    found
        (Y, X) labels, 0 is background.
    at
        Where they lie; holds the truth's box, and some context around it so that objects are seen whole.
    truth
        From ``read_truth``.

    Returns
    -------
    InstanceScores
        At ten IoU thresholds.
    """
    from napari_mouse_seg.metrics import instance_scores, match_instances

    inner = truth.box.shift(-at.y0, -at.x0).slices
    objects = np.zeros(at.shape, np.int32)
    objects[inner] = truth.objects
    known = np.zeros(at.shape, np.bool_)
    known[inner] = truth.known
    matches = match_instances(found, objects)
    ids, areas = matches.predicted_ids, matches.predicted_areas
    known_ids, known_areas = np.unique(found[known], return_counts=True)
    on_known = np.zeros(len(ids), np.int64)
    there = known_ids > 0
    on_known[np.searchsorted(ids, known_ids[there])] = known_areas[there]
    smaller = np.minimum(areas[matches.predicted_index], matches.truth_areas[matches.truth_index])
    is_linked = np.zeros(len(ids), np.bool_)
    is_linked[matches.predicted_index[matches.intersection >= _LINK_SHARE * smaller]] = True
    dropped = ids[~is_linked & (2 * on_known < areas)]
    return instance_scores(np.where(np.isin(found, dropped), 0, found) if len(dropped) else found, objects)


def compare_areas(found: NDArray[Any], truth: Truth, labels: Sequence[int]) -> dict[int, float]:
    """Score areas against a truth that may be known in part only.

    Parameters
    ----------
    found
        (Y, X) labels of classes over ``truth.box``; 0 where nothing was computed.
    truth
        Whose labels are those of classes; other labels than the classes' are unknown.
    labels
        Of the classes.

    Returns
    -------
    dict
        Intersection over union of each class that either side has where both know something.
    """
    known = np.isin(truth.labels, labels) & truth.inside & (found > 0)
    true, other = truth.labels[known], found[known]
    scores = {}
    for label in labels:
        either = int(np.count_nonzero((true == label) | (other == label)))
        if either:
            scores[label] = int(np.count_nonzero((true == label) & (other == label))) / either
    return scores
