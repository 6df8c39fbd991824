"""A short fine-tuning: it learns, keeps the best, and does as it is told."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from helpers.projects import disc_patch
from napari_mouse_seg.errors import TrainingError
from napari_mouse_seg.events import StepsDone, Validated, Warned
from napari_mouse_seg.networks import CompactPlan, build_network
from napari_mouse_seg.plans import (
    BACKGROUND_LABEL,
    BoundaryTargets,
    DistanceTargets,
    InstancesPlan,
    IntensityPlan,
    ObjectTargets,
    PaintPlan,
    RetrainPlan,
)
from napari_mouse_seg.training import FineTuning, ObjectsTask, PaintedPatch, Score, _finetune

if TYPE_CHECKING:
    from pathlib import Path

    from napari_mouse_seg.training import PatchSampler

TINY = CompactPlan(widths=(8, 16), encoder_blocks=(1, 1), decoder_blocks=(1,))
DISTANCE = DistanceTargets()
STEPS = RetrainPlan(steps=60, batch_size=2, crop_px=64, learning_rate=0.01)


class Free:
    """Neither paused nor stopped."""

    def wait_while_paused(self) -> None:
        pass

    def wants_stop(self) -> bool:
        return False


def patch(seed: int = 0, **meaning: bool) -> PaintedPatch:
    pixels, paint = disc_patch(seed)
    return PaintedPatch(f"patch {seed}", ((pixels - 100) / 50).clip(0), paint, PaintPlan(**meaning))


def tuning(
    validation: tuple[PaintedPatch, ...] = (),
    plan: RetrainPlan = STEPS,
    targets: ObjectTargets = DISTANCE,
) -> FineTuning:
    torch.manual_seed(0)
    return FineTuning(build_network(TINY), objects(plan, targets), [patch()], validation, plan)


def objects(plan: RetrainPlan = STEPS, targets: ObjectTargets = DISTANCE) -> ObjectsTask:
    return ObjectsTask(plan, IntensityPlan(), InstancesPlan(), targets)


def made_batch(made: FineTuning) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and maps of the first crops."""
    crops = [made._make_sampler()[number] for number in range(4)]
    images, maps = (torch.from_numpy(np.stack(part)) for part in zip(*crops, strict=True))
    with torch.no_grad():
        return made.averaged(images), maps


@pytest.mark.parametrize("targets", [DISTANCE, BoundaryTargets()], ids=lambda targets: targets.kind)
def test_it_learns_the_discs_of_a_patch_it_never_saw(targets: ObjectTargets) -> None:
    made = tuning((patch(1),), STEPS.replace(steps=200), targets)
    task = objects(targets=targets)
    first = float(task.loss(*made_batch(made)))
    events = list(made.run(Free()))
    assert float(task.loss(*made_batch(made))) < first / 2
    assert any(isinstance(event, StepsDone) for event in events)
    assert made.best_score is not None
    assert made.best_score.value > 0.5
    assert made.best_step in [event.steps for event in events if isinstance(event, Validated) and event.best]


def test_the_best_weights_are_kept_and_not_the_last() -> None:
    made = tuning((patch(1),))
    scores = itertools.chain([0.9], itertools.repeat(0.5))
    made._task.score = lambda network, patches: Score(next(scores))  # type: ignore[method-assign]
    made._look()
    best = {key: value.clone() for key, value in made.averaged.state_dict().items()}
    for _ in made.run(Free()):
        pass
    assert made.best_score == Score(0.9)
    for key, value in made._network.state_dict().items():
        torch.testing.assert_close(value, best[key])


def test_without_validation_nothing_is_scored() -> None:
    made = tuning(plan=STEPS.replace(steps=3))
    looks = [event for event in made.run(Free()) if isinstance(event, Validated)]
    assert [event.score for event in looks] == [None]
    assert made.best_score is None
    assert made.best_step == 3


def test_a_stop_ends_it_after_the_present_step() -> None:
    class StopAtOnce(Free):
        asked = 0

        def wants_stop(self) -> bool:
            self.asked += 1
            return self.asked > 2

    made = tuning(plan=STEPS.replace(steps=1000))
    assert list(made.run(StopAtOnce()))[-1].steps == 2  # type: ignore[attr-defined]


def test_however_short_the_time_there_is_a_step() -> None:
    made = tuning(plan=STEPS.replace(steps=None, minutes=1e-9))
    assert list(made.run(Free()))[-1].steps == 1  # type: ignore[attr-defined]


def test_preparing_does_not_count_as_training_time(monkeypatch: pytest.MonkeyPatch) -> None:
    made = tuning(plan=STEPS.replace(steps=None, minutes=0.5 / 60))
    prepare = made._make_sampler

    def slow() -> PatchSampler:
        time.sleep(0.6)
        return prepare()

    monkeypatch.setattr(made, "_make_sampler", slow)
    assert list(made.run(Free()))[-1].steps > 1  # type: ignore[attr-defined]


def test_pauses_do_not_count_as_training_time() -> None:
    class Slow(Free):
        def wait_while_paused(self) -> None:
            time.sleep(0.3)

    made = tuning(plan=STEPS.replace(steps=None, minutes=0.2 / 60))
    began = time.perf_counter()
    list(made.run(Slow()))
    assert time.perf_counter() - began > 0.5  # 0.2 s of training and at least one pause


def test_sparse_validation_is_scored_by_overlap() -> None:
    pixels, paint = disc_patch(1)
    strokes = np.where(np.arange(paint.shape[0])[:, None] % 4 == 0, paint, 0)
    sparse = PaintedPatch("sparse", ((pixels - 100) / 50).clip(0), strokes, PaintPlan())
    assert not sparse.is_complete
    assert patch().is_complete
    network = build_network(TINY).eval()
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.fill_(9.0)  # everything is foreground
    expected = (strokes > BACKGROUND_LABEL).sum() / (strokes > 0).sum()
    score = objects().score(network, [sparse])
    assert score == Score(pytest.approx(expected), {"foreground_iou": pytest.approx(expected)}, "IoU")
    both = objects().score(network, [sparse, patch()])
    assert set(both.parts) == {"f1_50", "foreground_iou"}
    assert both.value == pytest.approx(sum(both.parts.values()) / 2)
    assert both.name == "F1 and IoU"


@pytest.mark.parametrize(
    ("meaning", "targets"),
    [
        ({"whole_objects": False}, DISTANCE),
        ({"whole_objects": False, "rest_is_background": True}, DISTANCE),
        ({"whole_objects": False}, BoundaryTargets()),
    ],
)
def test_strokes_train_too(meaning: dict[str, bool], targets: ObjectTargets) -> None:
    torch.manual_seed(0)
    task = objects(targets=targets)
    made = FineTuning(build_network(TINY), task, [patch(**meaning)], (), STEPS)
    first = float(task.loss(*made_batch(made)))
    for _ in made.run(Free()):
        pass
    assert float(task.loss(*made_batch(made))) < first / 2


def test_rest_is_background_reaches_the_strokes() -> None:
    pixels, paint = disc_patch()
    strokes = np.where(paint > BACKGROUND_LABEL, paint, 0)
    meaning = PaintPlan(whole_objects=False, rest_is_background=True)
    painted = PaintedPatch("p", ((pixels - 100) / 50).clip(0), strokes, meaning)
    (image,) = objects().prepare([painted], build_network(TINY).eval())
    assert (image.maps[4] == 255).all()


def test_a_training_that_was_cut_off_ends_as_if_it_were_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_finetune, "_FIRST_LOOK_S", 0.0)
    plan, checkpoint = STEPS.replace(steps=6), tmp_path / "checkpoint.pt"
    straight = tuning((patch(1),), plan)
    list(straight.run(Free()))
    broken = tuning((patch(1),), plan)
    next(event for event in broken.run(Free()) if isinstance(event, Validated) and event.steps == 3)
    broken.save(checkpoint, "job")
    resumed = tuning((patch(1),), plan)
    assert resumed.restore(checkpoint, "job") == 3
    assert resumed.best_score == broken.best_score
    looks = [event.steps for event in resumed.run(Free()) if isinstance(event, Validated)]
    assert looks[0] == 4
    assert looks[-1] == 6
    for a, b in zip(straight.averaged.parameters(), resumed.averaged.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_a_checkpoint_with_half_its_notes_is_not_taken_at_all(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    broken = tuning((patch(1),), STEPS.replace(steps=3))
    list(broken.run(Free()))
    broken.save(checkpoint, "job")
    saved = torch.load(checkpoint, weights_only=True)
    saved["notes"]["best"]["score"]["unheard of"] = 1
    torch.save(saved, checkpoint)
    made = tuning((patch(1),))
    before = {key: value.clone() for key, value in made._network.state_dict().items()}
    assert made.restore(checkpoint, "job") == 0
    assert made._trainer.steps == 0
    assert all(torch.equal(value, before[key]) for key, value in made._network.state_dict().items())


@pytest.mark.parametrize("damage", ["other job", "damaged", "absent"])
def test_what_another_job_left_is_not_gone_on_with(tmp_path: Path, damage: str) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    tuning().save(checkpoint, "job")
    if damage == "damaged":
        checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    if damage == "absent":
        checkpoint.unlink()
    made = tuning()
    assert made.restore(checkpoint, "other" if damage == "other job" else "job") == 0
    assert made._trainer.steps == 0


@pytest.mark.parametrize("after", [3, 15])
def test_where_memory_runs_out_midway_what_was_learnt_is_kept(after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tuning((patch(1),), STEPS.replace(steps=30))
    step = made._trainer.step

    def short_of_memory(*arguments: object) -> float:
        if made._trainer.steps == after:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return step(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(made._trainer, "step", short_of_memory)
    if after == 3:  # At once: the batch is too large.
        with pytest.raises(torch.OutOfMemoryError):
            list(made.run(Free()))
        return
    before = {key: value.clone() for key, value in made._network.state_dict().items()}
    events = list(made.run(Free()))
    assert any(isinstance(event, Warned) and "after 15 steps" in event.message for event in events)
    assert made.best_step == 15
    assert any(not torch.equal(value, before[key]) for key, value in made._network.state_dict().items())


@pytest.mark.parametrize("where", ["score", "prepare"])
def test_what_a_training_can_do_without_is_left_out_where_memory_runs_out(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_finetune, "_FIRST_LOOK_S", 0.0)
    torch.manual_seed(0)
    task, plan = objects(), STEPS.replace(steps=12)
    made = FineTuning(build_network(TINY), task, [patch(whole_objects=False)], [patch(1)], plan)
    works, calls = getattr(task, where), itertools.count()

    def short_of_memory(*arguments: object) -> object:
        if next(calls) in (2, 3):
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return works(*arguments)

    monkeypatch.setattr(task, where, short_of_memory)
    events = list(made.run(Free()))
    told = [event.message for event in events if isinstance(event, Warned)]
    assert len(told) == 1
    assert ("measured" if where == "score" else "strokes") in told[0]
    looks = [event for event in events if isinstance(event, Validated)]
    assert looks[-1].steps == 12
    assert looks[-1].score is not None
    assert [event.steps for event in looks if event.score is None] == ([3, 4] if where == "score" else [])


def test_where_the_loss_runs_away_the_best_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_away(made: FineTuning) -> FineTuning:
        loss = made._task.loss
        made._trainer._loss = lambda logits, maps: loss(logits, maps) * (1 if made._trainer.steps < 5 else torch.nan)
        return made

    with pytest.raises(TrainingError, match="The loss became nan; lower"):
        list(run_away(tuning((patch(1),))).run(Free()))
    monkeypatch.setattr(_finetune, "_FIRST_LOOK_S", 0.0)
    made = run_away(tuning((patch(1),)))
    events = list(made.run(Free()))
    assert any(isinstance(event, Warned) and "What was best is kept" in event.message for event in events)
    assert made.best_score is not None
    assert all(value.isfinite().all() for value in made._network.state_dict().values())


def test_a_gradient_that_runs_away_leaves_the_weights_as_they_were() -> None:
    made = tuning()
    before = {key: value.clone() for key, value in made._network.named_parameters()}
    made._trainer._loss = lambda logits, maps: (logits - logits).abs().sqrt().sum()  # 0, with a slope of infinity
    with pytest.raises(TrainingError, match="The gradient became"):
        list(made.run(Free()))
    assert all(torch.equal(value, before[key]) for key, value in made._network.named_parameters())
