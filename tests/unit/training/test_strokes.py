"""Strokes and the model's own objects, put together."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from helpers.scenes import draw_discs
from napari_mouse_seg.instances import encode_targets
from napari_mouse_seg.networks import ModelCard
from napari_mouse_seg.plans import (
    BACKGROUND_LABEL,
    BoundaryTargets,
    DistanceTargets,
    InstancesPlan,
    PaintPlan,
    RetrainPlan,
)
from napari_mouse_seg.tiling import SCORE_ONE
from napari_mouse_seg.training import PaintedPatch, complete_strokes, make_task, prepare_strokes

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


def test_where_every_object_has_a_stroke_those_without_are_background() -> None:
    paint = np.zeros(SHAPE, int)
    paint[20, 15:23], paint[20, 34:42], paint[60, 28:33] = 11, 12, 13
    found = complete_strokes(scores_of(LABELS), paint, PLAN, every_object=True)
    assert found.max() == 3
    assert (found[LABELS == 4] == 0).all()
    assert (found[LABELS == 3] > 0).mean() > 0.9


def test_strokes_teach_whole_objects_with_less_weight_than_the_paint() -> None:
    paint = np.zeros(SHAPE, int)
    paint[20, 15:23] = 11
    paint[40] = BACKGROUND_LABEL
    scores = scores_of(LABELS)
    scores[0, :, 80:] = SCORE_ONE * 5 // 8  # unsure there
    image = prepare_strokes(np.zeros((1, *SHAPE), np.float32), paint, LABELS, scores, DistanceTargets(), "paint")
    np.testing.assert_array_equal(image.maps[0] == 255, LABELS > 0)
    assert image.maps[1][20, 28] == 255  # between the two that touch
    assert image.maps[2][60, 30] == pytest.approx(255)
    assert (image.maps[4:] == 255).all()
    np.testing.assert_array_equal(image.known, paint > 0)  # By which crops are drawn.
    weight = image.maps[3]
    assert weight[paint > 0].min() > weight[paint == 0].max()
    assert weight.min() > 0
    assert weight[:, 80:][paint[:, 80:] == 0].max() < weight[:, :80][paint[:, :80] == 0].min()


def test_nothing_is_learnt_of_the_distance_in_an_object_that_the_edge_cuts() -> None:
    objects = np.where(LABELS == 4, 0, LABELS)
    objects[50:70, 80:] = 4
    paint = np.zeros(SHAPE, int)
    paint[60, 82:88] = 11
    image = prepare_strokes(
        np.zeros((1, *SHAPE), np.float32), paint, objects, scores_of(objects), DistanceTargets(), "paint"
    )
    np.testing.assert_array_equal(image.maps[6] == 255, objects != 4)
    assert (image.maps[4:6] == 255).all()


def test_in_classes_the_objects_that_strokes_stand_for_are_learnt_whole_too() -> None:
    paint = np.zeros(SHAPE, int)
    paint[20, 15:23] = 11
    image = prepare_strokes(
        np.zeros((1, *SHAPE), np.float32), paint, LABELS, scores_of(LABELS), BoundaryTargets(), "paint"
    )
    np.testing.assert_array_equal(image.maps[0] == 255, LABELS == 0)
    np.testing.assert_array_equal(image.maps[1] + image.maps[2] == 255, LABELS > 0)
    assert image.maps[2][20, 28] == 255  # between the two that touch
    assert (image.maps[4:] == 255).all()


@pytest.mark.parametrize("rows", [3, 10])
def test_the_ratio_of_strokes_is_not_learnt(rows: int) -> None:
    paint = np.zeros(SHAPE, int)
    paint[LABELS == 3] = 11
    paint[:rows, 55:] = BACKGROUND_LABEL
    weight = (
        prepare_strokes(np.zeros((1, *SHAPE), np.float32), paint, LABELS, scores_of(LABELS), DistanceTargets(), "paint")
        .maps[3]
        .astype(float)
    )
    in_objects, outside = weight[paint > BACKGROUND_LABEL].sum(), weight[paint == BACKGROUND_LABEL].sum()
    share = (LABELS > 0).mean()
    painted_share = (paint > BACKGROUND_LABEL).sum() / (paint > 0).sum()
    learnt = in_objects / (in_objects + outside)
    assert abs(learnt - share) < abs(painted_share - share) / 2


class Says(nn.Module):
    """A network whose foreground is the image, brighter or darker than a half."""

    def __init__(self, sign: float) -> None:
        super().__init__()
        self.sign = nn.Parameter(torch.tensor(sign))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return (self.sign * (image - 0.5) * 50).expand(-1, 3, -1, -1)


def test_what_a_network_knows_of_the_strokes_is_learnt_in_smaller_steps() -> None:
    paint = np.zeros(SHAPE, int)
    paint[20, 15:23], paint[20, 32:40], paint[60, 25:35] = 11, 12, 13
    paint[40, 5:85] = paint[76, 5:85] = paint[2, 5:85] = BACKGROUND_LABEL
    image = (LABELS > 0)[None].astype(np.float32)
    card = ModelCard(name="says", summary="")
    sizes = []
    for whole, sign in ((True, 1.0), (False, 1.0), (False, -1.0)):
        patches = [PaintedPatch("a", image, paint, PaintPlan(whole_objects=whole))]
        task = make_task(card, RetrainPlan(), patches)
        task.prepare(patches, Says(sign).eval())
        sizes.append(task.step_size)
    whole_objects, knows, lost = sizes
    assert whole_objects == lost == 1
    assert 0.1 < knows < 0.5
