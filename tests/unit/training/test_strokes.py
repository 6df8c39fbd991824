"""Strokes and the model's own objects, put together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.scenes import draw_discs
from napari_mouse_seg.instances import encode_targets
from napari_mouse_seg.plans import BACKGROUND_LABEL, InstancesPlan
from napari_mouse_seg.tiling import SCORE_ONE
from napari_mouse_seg.training import complete_strokes, prepare_strokes

SHAPE = (80, 90)
LABELS = draw_discs(SHAPE, [(20, 20), (20, 37), (60, 30), (60, 70)], 9)
PLAN = InstancesPlan(min_area_px=5)


def scores_of(labels: np.ndarray) -> np.ndarray:
    """What a perfect network gives."""
    return np.round(encode_targets(labels) * SCORE_ONE).astype(np.uint16)


def test_without_strokes_the_models_objects_stay() -> None:
    found = complete_strokes(scores_of(LABELS), np.zeros(SHAPE, int), PLAN)
    assert found.max() == 4
    assert ((found > 0) == (LABELS > 0)).mean() > 0.99


def test_a_stroke_in_each_parts_what_the_model_took_for_one() -> None:
    one = np.where(LABELS == 2, 1, LABELS)
    paint = np.zeros(SHAPE, int)
    paint[20, 15:23] = 11
    paint[20, 34:42] = 12
    found = complete_strokes(scores_of(one), paint, PLAN)
    assert found[20, 20] != found[20, 37]
    assert (found == found[20, 37])[LABELS == 2].mean() > 0.9


def test_one_label_in_two_pieces_joins_them() -> None:
    paint = np.zeros(SHAPE, int)
    paint[20, 15:23] = paint[20, 34:42] = 11
    found = complete_strokes(scores_of(LABELS), paint, PLAN)
    assert found[20, 20] == found[20, 37] > 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_completed_objects_never_contradict_the_paint(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, SCORE_ONE + 1, (3, 8, 9)).repeat(10, 1).repeat(10, 2).astype(np.uint16)
    paint = np.where(rng.random(SHAPE) < 0.05, rng.integers(1, 6, SHAPE), 0)
    found = complete_strokes(scores, paint, PLAN)
    assert (found[paint == BACKGROUND_LABEL] == 0).all()
    objects = [set(found[paint == label].tolist()) for label in range(2, 6) if (paint == label).any()]
    assert all(len(ids) == 1 and 0 not in ids for ids in objects)
    assert len(set.union(set(), *objects)) == len(objects)
    assert set(np.unique(found)) <= set(range(found.max() + 1))


def test_only_paint_teaches_the_foreground() -> None:
    paint = np.zeros(SHAPE, int)
    paint[20, 15:23] = 11
    paint[40] = BACKGROUND_LABEL
    scores = scores_of(LABELS)
    scores[0, :, 80:] = SCORE_ONE // 2  # unsure there
    image = prepare_strokes(np.zeros((1, *SHAPE), np.float32), paint, scores, PLAN, 2, "paint")
    known = image.maps[4:] == 255
    np.testing.assert_array_equal(known[0], paint > 0)
    assert known[1:, :, :80].all()
    assert not known[1:, paint == 0][:, :].all()
    assert (image.maps[0][paint == 11] == 255).all()
    assert (image.maps[0][paint == BACKGROUND_LABEL] == 0).all()
    assert image.maps[1][20, 28] == 255  # between the two that touch
    assert image.maps[2][60, 30] == pytest.approx(255)
