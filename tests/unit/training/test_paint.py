"""What is not painted is not learned."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.scenes import draw_discs
from napari_mouse_seg.errors import TrainingError
from napari_mouse_seg.plans import (
    BACKGROUND_LABEL,
    BoundaryTargets,
    DistanceTargets,
    IntensityPlan,
    ObjectTargets,
    PaintPlan,
    TrainingPlan,
)
from napari_mouse_seg.training import (
    PatchSampler,
    TrainingImage,
    boundary_loss,
    instance_loss,
    prepare_image,
    prepare_paint,
)

PLAN = TrainingPlan(patch_px=64, batch_size=2, steps=6)
SHAPE = (90, 100)
LABELS = draw_discs(SHAPE, [(20, 20), (20, 36), (60, 60), (60, 98)], 9)  # two that touch, one alone, one cut
STRETCHED = (LABELS > 0).astype(np.float32)[None]
DISTANCE = DistanceTargets()
LOSSES = {"distance": instance_loss, "boundary": boundary_loss}


def painted(paint: np.ndarray, targets: ObjectTargets = DISTANCE, **meaning: bool) -> TrainingImage:
    return prepare_paint(STRETCHED, paint, PaintPlan(**meaning), PLAN, targets, "paint")


def known(image: TrainingImage) -> np.ndarray:
    return image.maps[4:] == 255


def whole_paint() -> np.ndarray:
    return np.where(LABELS > 0, LABELS + 10, BACKGROUND_LABEL)


def test_a_patch_painted_whole_teaches_what_the_labels_do() -> None:
    paint = painted(whole_paint())
    truth = prepare_image(STRETCHED, LABELS, PLAN, "truth")
    np.testing.assert_array_equal(paint.maps[:4], truth.maps[:4])
    assert known(paint)[0].all()
    assert known(paint)[1][2:-2, 2:-2].all()
    assert not known(paint)[1][0].any()  # another object may touch beyond the edge
    np.testing.assert_array_equal(~known(paint)[2], LABELS[60, 98] == LABELS)  # the cut one


def test_the_rest_is_background_only_if_it_is_said_to_be() -> None:
    paint = np.where(LABELS > 0, LABELS + 10, 0)
    np.testing.assert_array_equal(known(painted(paint))[0], LABELS > 0)
    np.testing.assert_array_equal(
        painted(paint, rest_is_background=True).maps, painted(whole_paint(), rest_is_background=True).maps
    )


def test_touching_is_known_where_two_objects_meet_or_nothing_is_left_out() -> None:
    image = painted(np.where(LABELS > 0, LABELS + 10, 0))
    touching = known(image)[1]
    assert (image.maps[1] == 255)[touching & (image.maps[1] > 0)].all()
    assert touching[20, 28]  # between the two
    assert image.maps[1][20, 28] == 255
    assert touching[60, 60]  # in the middle of an object: its reach is all painted
    assert not touching[60, 52]  # at its edge something unpainted may be another object
    assert not touching[LABELS == 0].any()


def test_of_classes_that_exclude_each_other_a_pixel_has_one_or_is_not_known() -> None:
    paint = np.where(LABELS > 0, LABELS + 10, 0)
    paint[44:47, 40:80] = BACKGROUND_LABEL
    image = painted(paint, BoundaryTargets())
    there = known(image)
    assert (there[0] == there[1]).all()
    assert (there[0] == there[2]).all()
    np.testing.assert_array_equal(image.maps[:3].astype(int).sum(0), 255)
    np.testing.assert_array_equal(there[0][LABELS == 0], paint[LABELS == 0] == BACKGROUND_LABEL)
    assert there[0][20, 28]  # touching boundary, whatever else is not painted
    assert image.maps[2][20, 28] == 255
    assert there[0][60, 60]  # interior: nothing near it is left open
    assert not there[0][60, 52]  # interior, or boundary towards something that is not painted


def test_all_of_a_patch_painted_whole_is_known_in_classes_too_but_for_its_margin() -> None:
    image = painted(whole_paint(), BoundaryTargets(boundary_half_width_px=3))
    assert known(image)[0][3:-3, 3:-3].all()
    assert not known(image)[0][57:63, -1].any()  # the object that the edge cuts
    assert known(image)[0][0, 60:].all()  # background there


def test_strokes_say_nothing_of_distances() -> None:
    paint = np.zeros(SHAPE, int)
    paint[18:22, 16:24] = 7
    paint[40:44] = BACKGROUND_LABEL
    image = painted(paint, whole_objects=False)
    np.testing.assert_array_equal(known(image)[2], paint == BACKGROUND_LABEL)
    assert (image.maps[3] == 16).all()
    assert known(painted(paint))[2][20, 20]


@pytest.mark.parametrize("targets", [DISTANCE, BoundaryTargets()], ids=lambda targets: targets.kind)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_unpainted_pixels_have_no_gradient(targets: ObjectTargets, seed: int) -> None:
    loss = LOSSES[targets.kind]
    rng = np.random.default_rng(seed)
    paint = np.where(rng.random(SHAPE) < 0.3, whole_paint(), 0)
    maps = torch.from_numpy(painted(paint, targets).maps[None])
    logits = torch.from_numpy(rng.standard_normal((1, 3, *SHAPE))).requires_grad_()
    loss(logits, maps, PLAN).backward()
    assert logits.grad is not None
    unknown = maps[:, 4:] != 255
    assert (logits.grad[unknown] == 0).all()
    assert (logits.grad[~unknown] != 0).any()
    changed = logits.detach().clone()
    changed[unknown] += 5
    torch.testing.assert_close(loss(changed, maps, PLAN), loss(logits, maps, PLAN))


def test_zooming_and_turning_never_mix_the_unknown_in() -> None:
    paint = np.zeros(SHAPE, int)
    paint[:, :40] = BACKGROUND_LABEL
    paint[10:80, 60:90] = 5  # known and object; unknown all around
    image = prepare_paint(STRETCHED, paint, PaintPlan(), PLAN, DISTANCE, "paint")
    sampler = PatchSampler([image], PLAN, IntensityPlan())
    seen = set()
    for number in range(12):
        _, maps = sampler[number]
        values = maps[0][maps[4] == 255]
        assert set(values.tolist()) <= {0, 255}
        seen |= set(values.tolist())
    assert seen == {0, 255}


def test_an_empty_patch_is_refused_in_words() -> None:
    with pytest.raises(TrainingError, match="Nothing is painted in this patch"):
        painted(np.zeros(SHAPE, int))


def test_the_meaning_is_told_in_one_sentence() -> None:
    assert PaintPlan().sentence == "Objects end where their paint ends; what is not painted is left out."
    assert "background" in PaintPlan(rest_is_background=True).sentence
