"""Classes learnt from paint: what is not annotated counts nowhere, and no class is ever invented."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.areas import CLASSES, SIDE, area_patch, strokes
from napari_mouse_seg.networks import CompactPlan, ModelCard, build_network
from napari_mouse_seg.plans import (
    AreaTargets,
    AugmentationPlan,
    InstancesPlan,
    IntensityPlan,
    PaintPlan,
    RetrainPlan,
    TrainingPlan,
)
from napari_mouse_seg.tiling import SCORE_ONE
from napari_mouse_seg.training import (
    AreasTask,
    FineTuning,
    ObjectsTask,
    PaintedPatch,
    PatchSampler,
    area_loss,
    class_image,
    class_weights,
    encode_classes,
    make_task,
    predict_scores,
)

TARGETS = AreaTargets(classes=CLASSES)
TINY = CompactPlan(widths=(8, 16), encoder_blocks=(1, 1), decoder_blocks=(1,), outputs=TARGETS.outputs)
STEPS = RetrainPlan(steps=60, batch_size=2, crop_px=64, learning_rate=0.01)
EVEN = torch.ones(3, dtype=torch.float64)


class Free:
    """Neither paused nor stopped."""

    def wait_while_paused(self) -> None:
        pass

    def wants_stop(self) -> bool:
        return False


def patch(seed: int = 0, every: int | None = None, **meaning: bool) -> PaintedPatch:
    pixels, truth = area_patch(seed)
    paint = truth if every is None else strokes(truth, every)
    return PaintedPatch(f"patch {seed}", ((pixels - 100) / 50).clip(0), paint, PaintPlan(**meaning))


def painted(paint: list[int], **meaning: bool) -> PaintedPatch:
    return PaintedPatch("p", np.zeros((1, 1, len(paint)), np.float32), np.array([paint]), PaintPlan(**meaning))


def test_each_label_becomes_its_output_and_unpainted_pixels_stay_unknown() -> None:
    np.testing.assert_array_equal(encode_classes(painted([0, 1, 4, 9]), TARGETS), [[0, 1, 2, 3]])
    np.testing.assert_array_equal(
        encode_classes(painted([0, 1, 4, 9], rest_is_background=True), TARGETS), [[1, 1, 2, 3]]
    )


def test_labels_that_are_no_class_are_not_learnt() -> None:
    np.testing.assert_array_equal(encode_classes(painted([2, 255, 256, 70_000, 4]), TARGETS), [[0, 0, 0, 0, 2]])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_unpainted_pixels_have_no_gradient(seed: int) -> None:
    rng = np.random.default_rng(seed)
    maps = torch.from_numpy(rng.integers(0, 4, (2, 1, 20, 20)).astype(np.uint8) * rng.integers(0, 2, (2, 1, 20, 20)))
    logits = torch.from_numpy(rng.standard_normal((2, 3, 20, 20))).requires_grad_()
    weights = torch.tensor([1.0, 3.0, 2.0], dtype=torch.float64)
    loss = area_loss(logits, maps, weights)
    loss.backward()
    assert logits.grad is not None
    unknown = (maps == 0).expand_as(logits)
    assert (logits.grad[unknown] == 0).all()
    assert (logits.grad[~unknown] != 0).any()
    changed = logits.detach().clone()
    changed[unknown] += 5 * torch.from_numpy(rng.standard_normal(int(unknown.sum())))
    torch.testing.assert_close(area_loss(changed, maps, weights), loss)


def test_perfect_logits_have_almost_no_loss_and_wrong_ones_much() -> None:
    truth = torch.from_numpy(encode_classes(patch(), TARGETS))[None, None]
    perfect = 20 * torch.nn.functional.one_hot(truth[:, 0].long() - 1, 3).permute(0, 3, 1, 2).double()
    assert area_loss(perfect, truth, EVEN) < 0.01
    assert area_loss(perfect.roll(1, 1), truth, EVEN) > 2


def test_a_class_that_the_batch_lacks_adds_nothing_to_dice() -> None:
    maps = torch.ones(1, 1, 40, 40, dtype=torch.uint8)
    sure = torch.zeros(1, 3, 40, 40, dtype=torch.float64)
    sure[:, 0] = 2.0
    with_absent = area_loss(sure, maps, EVEN)
    entropy = torch.nn.functional.cross_entropy(sure, torch.zeros(1, 40, 40, dtype=torch.long))
    assert with_absent - entropy < 0.2  # Dice of the present class alone; each absent one would add nearly 1
    assert area_loss(sure, torch.zeros_like(maps), EVEN) == 0


def test_a_rare_class_counts_more_but_never_more_than_the_bound() -> None:
    weights = class_weights(np.array([10_000, 2_500, 1, 0]))
    np.testing.assert_allclose(weights, [1, 2, 5, 1])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=8))
def test_weights_are_bounded_whatever_is_painted(counts: list[int]) -> None:
    weights = class_weights(np.array(counts))
    assert ((weights >= 1) & (weights <= 5)).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_augmentation_never_invents_a_class(seed: int) -> None:
    encoded = np.zeros((70, 90), np.uint8)
    encoded[10:30, 20:40] = 1  # 1 beside 3: anything between the two would be a 2
    encoded[10:30, 40:60] = 3
    plan = TrainingPlan(patch_px=64, seed=seed, augmentation=AugmentationPlan(scale_probability=1))
    sampler = PatchSampler([class_image(np.zeros((1, 70, 90), np.float32), encoded, "g")], plan, IntensityPlan())
    for number in range(4):
        _, maps = sampler[number]
        assert maps.shape == (1, 64, 64)
        assert set(np.unique(maps).tolist()) <= {0, 1, 3}


def test_classes_move_with_the_pixels() -> None:
    still = AugmentationPlan(gain_log2=0, gamma_log2=0, gradient_log2=0, max_offset=0, max_noise=0, max_blur_px=0)
    plan = TrainingPlan(patch_px=64, augmentation=still)
    _, truth = area_patch()
    encoded = np.where(truth == 4, np.uint8(2), np.uint8(1))
    sampler = PatchSampler(
        [class_image((encoded == 2).astype(np.float32)[None], encoded, "g")], plan, IntensityPlan(asinh_gain=10)
    )
    agreement = [((pixels[0] > 0.75) == (maps[0] == 2)).mean() for pixels, maps in map(sampler.__getitem__, range(12))]
    assert min(agreement) > 0.97


def test_a_rare_class_is_in_many_crops() -> None:
    encoded = np.ones((600, 600), np.uint8)
    encoded[590:594, 3:7] = 2  # 16 of 360 000 pixels; a crop placed anywhere holds it in about 1 of 40 cases
    images = [class_image(np.zeros((1, 600, 600), np.float32), kind, "g") for kind in (encoded, np.ones_like(encoded))]
    sampler = PatchSampler(images, TrainingPlan(patch_px=96), IntensityPlan())
    share = np.mean([(sampler[number][1] == 2).any() for number in range(200)])
    assert 0.18 < share < 0.4  # half of the crops show a class drawn evenly from two


def test_the_score_pools_patches_and_leaves_out_classes_that_are_absent() -> None:
    network = build_network(TINY).eval()
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.zero_()
        network.head.bias[:4] = 9.0  # everything is the first class
    task = AreasTask(STEPS, IntensityPlan(), TARGETS, [patch()])
    first = np.where(np.arange(SIDE)[:, None] < 24, np.uint8(1), np.uint8(0)).repeat(SIDE, 1)
    second = np.where(first == 0, np.uint8(4), np.uint8(0))
    pair = [
        PaintedPatch("a", patch().stretched, first, PaintPlan()),
        PaintedPatch("b", patch().stretched, second, PaintPlan()),
    ]
    score = task.score(network, pair)
    assert score.parts == {"mean_iou": 0.125, "iou Background": 0.25, "iou Disc": 0.0}
    assert score.value == 0.125


def test_scores_of_areas_add_up_to_one() -> None:
    torch.manual_seed(0)
    scores = predict_scores(build_network(TINY).eval(), patch().stretched, "softmax").astype(int)
    assert scores.shape == (3, SIDE, SIDE)
    assert np.abs(scores.sum(0) - SCORE_ONE).max() <= 2


def test_the_card_decides_what_is_taught() -> None:
    areas = ModelCard(name="a", summary="", architecture=TINY, targets=TARGETS)
    assert isinstance(make_task(areas, STEPS, [patch()]), AreasTask)
    assert isinstance(make_task(ModelCard(name="o", summary=""), STEPS, [patch()]), ObjectsTask)
    assert InstancesPlan() == areas.instances


@pytest.mark.parametrize("every", [None, 12])
def test_it_learns_the_areas_of_a_patch_it_never_saw(every: int | None) -> None:
    torch.manual_seed(0)
    learnt = [patch(0, every)]
    task = AreasTask(STEPS, IntensityPlan(), TARGETS, learnt)
    network = build_network(TINY)
    before = task.score(network.eval(), [patch(3)]).value
    made = FineTuning(network, task, learnt, [patch(3)], STEPS)
    for _ in made.run(Free()):
        pass
    after = task.score(network, [patch(3)])
    assert made.best_score == after
    assert after.value > max(0.7, before + 0.3)
