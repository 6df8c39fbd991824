from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from helpers.models import SMALL
from helpers.scenes import draw_discs
from napari_mouse_seg.errors import TrainingError
from napari_mouse_seg.networks import build_network
from napari_mouse_seg.plans import AugmentationPlan, IntensityPlan, TrainingPlan
from napari_mouse_seg.training import (
    PatchSampler,
    instance_loss,
    learning_rate_factor,
    prepare_image,
    soft_dice_loss,
    train,
)
from napari_mouse_seg.training._loop import _averaging

if TYPE_CHECKING:
    from pathlib import Path

PLAN = TrainingPlan(patch_px=64, batch_size=2, steps=6, warmup_steps=2, average_decay=0.5)


def sampler_of(plan: TrainingPlan = PLAN, shape: tuple[int, int] = (90, 100)) -> PatchSampler:
    labels = draw_discs(shape, [(20, 20), (20, 34), (60, 60)], 9)
    image = (labels > 0).astype(np.float32)[None]
    return PatchSampler([prepare_image(image, labels, plan, "drawn")], plan, IntensityPlan(asinh_gain=10))


def new_network() -> torch.nn.Module:
    torch.manual_seed(0)
    return build_network(SMALL)


def test_a_patch_depends_on_its_number_and_the_seed_alone() -> None:
    first, second = sampler_of(), sampler_of()
    np.testing.assert_array_equal(first[5][0], second[5][0])
    assert not np.array_equal(first[5][0], first[6][0])
    assert not np.array_equal(first[5][0], sampler_of(PLAN.replace(seed=1))[5][0])


def test_image_and_targets_are_changed_together() -> None:
    still = AugmentationPlan(gain_log2=0, gamma_log2=0, max_offset=0, max_noise=0, max_blur_px=0)
    sampler = sampler_of(PLAN.replace(augmentation=still))
    for number in range(12):
        image, maps = sampler[number]
        assert image.shape == (1, 64, 64)
        assert maps.shape == (7, 64, 64)
        agreement = ((image[0] > 0.75) == (maps[0] > 127)).mean()
        assert agreement > 0.97


def test_images_smaller_than_a_patch_are_mirrored() -> None:
    image, maps = sampler_of(shape=(40, 50))[0]
    assert image.shape[1:] == maps.shape[1:] == (64, 64)


def test_perfect_logits_have_almost_no_loss_and_wrong_ones_much() -> None:
    _, maps = sampler_of()[1]
    batch = torch.from_numpy(maps)[None]
    truth = (batch[:, :3].float() / 255).clamp(1e-6, 1 - 1e-6)
    perfect = torch.logit(truth)
    assert instance_loss(perfect, batch, PLAN) < 0.02
    assert instance_loss(-perfect, batch, PLAN) > 1


def test_dice_of_an_absent_class_does_not_explode() -> None:
    empty = torch.zeros(2, 1, 32, 32)
    assert soft_dice_loss(empty, empty).item() == pytest.approx(0)


def test_the_learning_rate_rises_and_then_falls() -> None:
    factors = [learning_rate_factor(step, PLAN.replace(steps=100, warmup_steps=10)) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert max(factors) == pytest.approx(1)
    assert factors[-1] < 0.02
    assert all(a >= b for a, b in pairwise(factors[10:]))


def test_an_interrupted_run_ends_with_the_same_weights(tmp_path: Path) -> None:
    straight = new_network()
    list(train(straight, sampler_of(), PLAN, tmp_path / "a.pt", report_every=2, workers=0))
    broken = new_network()
    run = train(broken, sampler_of(), PLAN, tmp_path / "b.pt", report_every=2, workers=0)
    assert next(run).steps == 2
    run.close()
    resumed = new_network()
    steps = [event.steps for event in train(resumed, sampler_of(), PLAN, tmp_path / "b.pt", report_every=2, workers=0)]
    assert steps == [4, 6]
    for a, b in zip(straight.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    plan = PLAN.replace(steps=30, learning_rate=5e-3)
    events = list(train(new_network(), sampler_of(plan), plan, tmp_path / "c.pt", report_every=10, workers=0))
    assert events[-1].loss < 0.8 * events[0].loss


def test_a_loss_that_is_not_finite_stops_the_run_in_words(tmp_path: Path) -> None:
    network = new_network()
    with torch.no_grad():
        network.segmentation_head[0].bias.fill_(float("nan"))
    with pytest.raises(TrainingError, match="loss became nan; lower the learning rate"):
        list(train(network, sampler_of(), PLAN, tmp_path / "d.pt", workers=0))


@pytest.mark.parametrize("steps", [1, 3])
def test_the_average_is_that_of_every_tensor_alone(steps: int) -> None:
    """Its memory grows: step n counts 9 / (10 + n) until the decay is reached; integers are taken as they are."""
    old, new = torch.randn(4), torch.randn(4)
    expected = old.clone()
    counts = torch.tensor(0)
    rule = _averaging(0.25)
    averaged, number = [old.clone()], [torch.tensor(5)]
    for count in range(1, steps + 1):
        rule(averaged, [new], torch.tensor(count))
        rule(number, [counts + count], torch.tensor(count))
        weight = 1 - min(0.25, (1 + count) / (10 + count))
        expected = expected + weight * (new - expected)
    torch.testing.assert_close(averaged[0], expected)
    assert int(number[0]) == steps
