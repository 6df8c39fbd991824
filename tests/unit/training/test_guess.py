"""What paint and pixels say alone, and how it is mixed with what the network says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers.scenes import draw_discs
from napari_mouse_seg.instances import encode_targets
from napari_mouse_seg.plans import BACKGROUND_LABEL, InstancesPlan
from napari_mouse_seg.tiling import SCORE_ONE
from napari_mouse_seg.training import complete_strokes, guess_foreground, mix_scores

SHAPE = (96, 120)
LABELS = draw_discs(SHAPE, [(20, 20), (20, 60), (20, 100), (70, 30), (70, 90)], 12)


def image(channels: int = 1) -> np.ndarray:
    """Objects with a coarser grain than the background, a little brighter in the last channel alone."""
    rng = np.random.default_rng(5)
    fine, coarse = rng.normal(size=SHAPE), rng.normal(size=(12, 15)).repeat(8, 0).repeat(8, 1)
    grain = np.where(LABELS > 0, coarse, fine)
    pixels = np.stack([rng.normal(size=SHAPE)] * (channels - 1) + [grain + 3 * (LABELS > 0)])
    return pixels.astype(np.float32)


def strokes(cross: int = 5) -> np.ndarray:
    paint = np.zeros(SHAPE, int)
    for label, (y, x) in enumerate([(20, 20), (20, 60), (20, 100), (70, 30), (70, 90)], start=BACKGROUND_LABEL + 1):
        paint[y - 1 : y + 2, x - cross : x + cross + 1] = label
    paint[44:47, 5:115] = paint[5:90, 44:47] = paint[90:93, 5:60] = BACKGROUND_LABEL
    return paint


@pytest.mark.parametrize("channels", [1, 3])
def test_whole_objects_are_found_from_strokes_without_a_network(channels: int) -> None:
    guess = guess_foreground([image(channels)], [strokes()], 0)
    assert guess is not None
    (foreground,) = guess.foreground
    assert foreground.shape == SHAPE
    found, truth = foreground > 0.5, LABELS > 0
    assert (found & truth).sum() / (found | truth).sum() > 0.6
    assert guess.accuracy > 0.7


def test_one_stroke_of_each_kind_is_enough_to_be_judged() -> None:
    paint = np.zeros(SHAPE, int)
    paint[12:29, 18:23] = BACKGROUND_LABEL + 1
    paint[44:47, 5:115] = BACKGROUND_LABEL
    guess = guess_foreground([image()], [paint], 0)
    assert guess is not None
    assert guess.accuracy > 0.75


def test_noise_is_not_trusted() -> None:
    noise = np.random.default_rng(1).normal(size=(1, *SHAPE)).astype(np.float32)
    guess = guess_foreground([noise], [strokes()], 0)
    assert guess is not None
    assert guess.accuracy < 0.65


def test_the_same_seed_gives_the_same_guess_and_leaves_the_random_numbers_alone() -> None:
    before = torch.random.get_rng_state()
    first, second = (guess_foreground([image()] * 2, [strokes()] * 2, 3) for _ in range(2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert first is not None
    assert second is not None
    assert first.accuracy == second.accuracy
    np.testing.assert_array_equal(first.foreground[1], second.foreground[1])


@pytest.mark.parametrize("painted", [BACKGROUND_LABEL, BACKGROUND_LABEL + 1])
def test_one_kind_of_paint_says_nothing(painted: int) -> None:
    assert guess_foreground([image()], [np.full(SHAPE, painted)], 0) is None


def scores_of(labels: np.ndarray) -> np.ndarray:
    return np.round(encode_targets(labels) * SCORE_ONE).astype(np.uint16)


def test_a_network_that_is_lost_has_no_say() -> None:
    guess = guess_foreground([image()], [strokes()], 0)
    inverted = np.zeros((3, *SHAPE), np.uint16)
    inverted[0] = np.where(LABELS > 0, 0, SCORE_ONE)
    (mixed,), share = mix_scores([inverted], guess, [strokes()])
    assert share == 0
    found = complete_strokes(mixed, strokes(), InstancesPlan(min_area_px=5), every_object=True)
    overlap = [((found == found[y, x]) & (LABELS[y, x] == LABELS)).sum() for y, x in ((20, 20), (70, 90))]
    assert found.max() == 5
    assert min(overlap) > 0.6 * (LABELS == 1).sum()


def test_a_network_that_knows_the_image_keeps_its_objects() -> None:
    noise = np.random.default_rng(1).normal(size=(1, *SHAPE)).astype(np.float32)
    known = scores_of(LABELS)
    (mixed,), share = mix_scores([known], guess_foreground([noise], [strokes()], 0), [strokes()])
    assert share > 0.9
    found = complete_strokes(mixed, strokes(), InstancesPlan(min_area_px=5))
    assert ((found > 0) == (LABELS > 0)).mean() > 0.97


def test_without_a_guess_the_scores_stay() -> None:
    (mixed,), share = mix_scores([scores_of(LABELS)], None, [strokes()])
    np.testing.assert_array_equal(mixed, scores_of(LABELS))
    assert share == 1


def test_what_has_a_stroke_is_an_object_however_small_and_unsure() -> None:
    scores = (scores_of(LABELS) * 0.6).astype(np.uint16)
    paint = np.zeros(SHAPE, int)
    paint[20, 18:23] = BACKGROUND_LABEL + 1
    plan = InstancesPlan(min_area_px=1000, min_certainty=0.9)
    found = complete_strokes(scores, paint, plan)
    assert ((found > 0) == (LABELS == 1)).mean() > 0.99  # The others are left out.
