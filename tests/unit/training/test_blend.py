"""Between the weights of before and those of now: how far to go, and what comes of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from helpers.projects import disc_patch
from napari_mouse_seg.events import Validated
from napari_mouse_seg.networks import CompactPlan, build_network
from napari_mouse_seg.pipeline import Orders
from napari_mouse_seg.plans import BACKGROUND_LABEL, InstancesPlan, IntensityPlan, PaintPlan, RetrainPlan
from napari_mouse_seg.training import Blend, FineTuning, ObjectsTask, PaintedPatch, Score, learnt_share, predict_scores

TINY = CompactPlan(widths=(8, 16), encoder_blocks=(1, 1), decoder_blocks=(1,))
STEPS = RetrainPlan(steps=20, batch_size=2, crop_px=64, learning_rate=0.01)

counts = st.integers(1, 5000)
scores = st.floats(0, 1)


def patch(seed: int = 0) -> PaintedPatch:
    pixels, paint = disc_patch(seed)
    return PaintedPatch("patch", ((pixels - 100) / 50).clip(0), paint, PaintPlan())


def network(seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return build_network(TINY)


def tuning(plan: RetrainPlan, *, keeps_before: bool, validation: tuple[PaintedPatch, ...] = ()) -> FineTuning:
    task = ObjectsTask(plan, IntensityPlan(), InstancesPlan())
    patches = [patch()]
    return FineTuning(network(), task, patches, validation, plan, unseen=patches if keeps_before else None)


def trained(plan: RetrainPlan, *, keeps_before: bool) -> torch.nn.Module:
    made = tuning(plan, keeps_before=keeps_before)
    for _ in made.run(Orders()):
        pass
    return made._network


@given(counts, counts, scores, scores)
def test_more_paint_and_a_worse_base_go_further(few: int, many: int, bad: float, good: float) -> None:
    few, many = sorted((few, many))
    bad, good = sorted((bad, good))
    assert 0 <= learnt_share(few, good) <= learnt_share(many, good) <= 1
    assert learnt_share(few, good) <= learnt_share(few, bad)


@given(counts)
def test_nothing_is_kept_of_a_base_that_finds_nothing(n_objects: int) -> None:
    assert learnt_share(n_objects, 0.0) == 1


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_every_weight_and_running_mean_lies_between(share: float) -> None:
    before, now = network(0), network(1)
    for module in now.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.add_(3)
            module.num_batches_tracked.add_(7)
    mixed = Blend(before).mix(now, share)
    assert not mixed.training
    for name, value in mixed.state_dict().items():
        old, new = before.state_dict()[name], now.state_dict()[name]
        wanted = new if not new.is_floating_point() else (1 - share) * old + share * new
        torch.testing.assert_close(value, wanted)


def test_a_mix_changes_neither_of_the_two() -> None:
    before, now = network(0), network(1)
    blend = Blend(before)
    blend.mix(now, 0.5)
    for module, seed in ((before, 0), (now, 1)):
        for name, value in network(seed).state_dict().items():
            torch.testing.assert_close(module.state_dict()[name], value)
    for name, value in blend.before.state_dict().items():
        torch.testing.assert_close(value, before.state_dict()[name])


def test_what_is_kept_is_the_mix_of_base_and_training() -> None:
    half = trained(STEPS.replace(learnt_share=0.5), keeps_before=True).state_dict()
    whole = trained(STEPS, keeps_before=False).state_dict()
    old = network().state_dict()
    moved = 0.0
    for name, value in half.items():
        if value.is_floating_point():
            torch.testing.assert_close(value, (old[name] + whole[name]) / 2, atol=1e-5, rtol=1e-4)
            moved = max(moved, float((value - old[name]).abs().max()))
    assert moved > 1e-3


def test_a_network_that_knows_nothing_yet_keeps_nothing() -> None:
    asked = trained(STEPS.replace(learnt_share=0.3), keeps_before=False).state_dict()
    for name, value in trained(STEPS, keeps_before=False).state_dict().items():
        torch.testing.assert_close(asked[name], value)


def test_previews_and_validation_see_what_would_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    made = tuning(STEPS.replace(learnt_share=0.1), keeps_before=True, validation=(patch(1),))
    judged = []
    score = made._task.score

    def note(network: torch.nn.Module, patches: tuple[PaintedPatch, ...]) -> object:
        judged.append(predict_scores(network, patches[0].stretched).astype(int))
        return score(network, patches)

    monkeypatch.setattr(made._task, "score", note)
    events = list(made.run(Orders()))
    assert isinstance(events[-1], Validated)
    kept = predict_scores(made._network, patch(1).stretched)
    trained_alone = predict_scores(made._trainer.averaged, patch(1).stretched)
    assert min(abs(kept - one).max() for one in judged) < 10 < min(abs(trained_alone - one).max() for one in judged)


def test_the_paint_decides_unless_the_plan_does() -> None:
    by_paint = tuning(STEPS.replace(steps=1), keeps_before=True)
    wanted = by_paint._task.learnt_share(network().eval(), [patch()], [patch()])
    list(by_paint.run(Orders()))
    assert by_paint.learnt_share == wanted
    by_plan = tuning(STEPS.replace(steps=1, learnt_share=0.2), keeps_before=True)
    list(by_plan.run(Orders()))
    assert by_plan.learnt_share == 0.2


def test_patches_without_objects_do_not_make_a_lost_base_look_good() -> None:
    task = ObjectsTask(STEPS, IntensityPlan(), InstancesPlan())
    lost = network().eval()
    with torch.no_grad():
        for parameter in lost.parameters():
            parameter.zero_()
        lost.head.bias.fill_(-5)
    empty = PaintedPatch("empty", patch().stretched, np.full_like(patch().paint, BACKGROUND_LABEL), PaintPlan())
    assert task.score(lost, [empty]).value == 1
    patches = [patch(), empty, empty, empty]
    assert task.learnt_share(lost, patches, patches) == 1


def test_a_network_is_not_judged_on_what_it_has_learnt() -> None:
    task = ObjectsTask(STEPS, IntensityPlan(), InstancesPlan())
    task.score = lambda network, patches: Score(0.9 if patch_seen in map(id, patches) else 0.5)  # type: ignore[method-assign]
    old, new = patch(), patch(1)
    patch_seen = id(old)
    assert task.learnt_share(network(), [old, new], [new]) == learnt_share(8, 0.5)
    assert task.learnt_share(network(), [old], []) == 1
