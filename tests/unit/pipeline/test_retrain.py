"""What is checked before a training, and what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from helpers.models import write_random_model
from helpers.projects import SHORT, SIDE, disc_patch, disc_project
from napari_mouse_seg.errors import ModelNotFoundError, PlanError, TrainingError
from napari_mouse_seg.events import CheckpointReady, Finished, Warned
from napari_mouse_seg.images import from_arrays
from napari_mouse_seg.metrics import instance_scores
from napari_mouse_seg.networks import load_model
from napari_mouse_seg.pipeline import (
    Orders,
    RetrainJob,
    _retrain_keeper,
    resolve,
    resolve_retrain,
    retrain,
    segment,
)
from napari_mouse_seg.plans import (
    AreaTargets,
    BoundaryTargets,
    ClassPlan,
    DistanceTargets,
    PaintPlan,
    RetrainPlan,
    RoundPlan,
    SegmentPlan,
)
from napari_mouse_seg.projects import Project
from napari_mouse_seg.training import _finetune

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_mouse_seg.plans import TargetsPlan

AREAS = AreaTargets(
    classes=(ClassPlan(label=1, name="Tissue", colour="#888888"), ClassPlan(label=2, name="Scar", colour="#ff0000"))
)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with disc_project(tmp_path) as made:
        yield made


def repaint(project: Project, patch_id: str, change: dict[int, int]) -> None:
    paint = project.paint(patch_id)
    for old, new in change.items():
        paint[paint == old] = new
    project.write_paint(patch_id, paint)


def test_a_round_becomes_a_model_file_that_says_where_it_comes_from(project: Project) -> None:
    job = resolve_retrain(project)
    assert [patch.name for patch in job.train] == ["p001"]
    assert [patch.name for patch in job.validate] == ["p002"]
    assert not job.warnings
    events = list(retrain(job, Orders(), threads=1))
    done = events[-1].result  # type: ignore[attr-defined]
    assert isinstance(events[-1], Finished)
    project.add_round(done)
    assert (done.number, done.name, done.base, done.steps, done.patches) == (1, "discs 1", "new:compact", 3, ("p001",))
    card = load_model(project.round_file(1)).card
    assert card.name == "discs 1"
    assert "1 painted patch of discs" in card.training_data
    assert card.scores["painted validation patches"]["f1_50"] == pytest.approx(done.score, abs=1e-4)
    assert not list(project.round_file(1).parent.glob(".preview*"))


def test_a_round_says_how_much_of_its_weights_is_learnt(project: Project, tmp_path: Path) -> None:
    def train(plan: RetrainPlan) -> RoundPlan:
        events = retrain(resolve_retrain(project, plan), Orders(), threads=1)
        (done,) = [event.result for event in events if isinstance(event, Finished)]
        project.add_round(done)
        return done

    assert train(SHORT.replace(learnt_share=0.5)).learnt_share == 1  # A new network has nothing to keep.
    assert train(SHORT.replace(learnt_share=0.5, start_from="last")).learnt_share == 0.5
    project.update(base=str(write_random_model(tmp_path, targets=BoundaryTargets()).path))
    assert train(SHORT.replace(learnt_share=0.5)).learnt_share == 0.5
    assert train(SHORT.replace(learnt_share=0.5, scheme="distance")).learnt_share == 1  # Nor has one with new outputs.


@pytest.mark.parametrize(
    ("base", "plan", "expected"),
    [
        (DistanceTargets(boundary_half_width_px=4), {}, DistanceTargets(boundary_half_width_px=4)),
        (BoundaryTargets(boundary_half_width_px=3), {}, BoundaryTargets(boundary_half_width_px=3)),
        (BoundaryTargets(boundary_half_width_px=3), {"scheme": "distance"}, DistanceTargets()),
        (DistanceTargets(), {"scheme": "boundary"}, BoundaryTargets()),
        (
            BoundaryTargets(),
            {"scheme": "boundary", "boundary_half_width_px": 5},
            BoundaryTargets(boundary_half_width_px=5),
        ),
        (AREAS, {}, DistanceTargets()),
        (AREAS, {"scheme": "boundary", "boundary_half_width_px": 1}, BoundaryTargets(boundary_half_width_px=1)),
    ],
)
def test_objects_are_learnt_as_the_base_model_does_or_as_the_plan_says(
    project: Project, tmp_path: Path, base: TargetsPlan, plan: dict[str, Any], expected: TargetsPlan
) -> None:
    model = write_random_model(tmp_path, targets=base)
    card = resolve_retrain(project, SHORT.replace(**plan), str(model.path)).card
    assert card.targets == expected
    assert card.architecture.outputs == expected.outputs


def test_a_round_in_three_classes_finds_objects_and_goes_on_in_them(project: Project) -> None:
    plan = SHORT.replace(steps=80, scheme="boundary")
    done = round_of(project, plan)
    assert done.score is not None
    assert done.score > 0.5
    model = load_model(project.round_file(done.number))
    assert model.card.targets == BoundaryTargets()
    pixels, paint = disc_patch(1)
    *_, last = segment(resolve(from_arrays([pixels[0]], axes="YX", name="discs"), model, SegmentPlan(device="cpu")))
    truth = np.where(paint > 1, paint, 0).astype(np.int32)
    assert instance_scores(last.result.labels, truth, thresholds=(0.5,)).f1[0] > 0.5
    onwards = resolve_retrain(project, SHORT.replace(start_from="last"))
    assert onwards.card.targets == BoundaryTargets()
    assert onwards.unseen == ()


def test_the_last_round_or_the_base_can_be_the_start(project: Project) -> None:
    for event in retrain(resolve_retrain(project), Orders(), threads=1):
        if isinstance(event, Finished):
            project.add_round(event.result)
    again = resolve_retrain(project)
    assert (again.number, again.base, again.start) == (2, "new:compact", None)
    onwards = resolve_retrain(project, SHORT.replace(start_from="last"))
    assert onwards.base == "discs 1"
    assert onwards.start is not None
    assert onwards.start.path == project.round_file(1)


def round_of(project: Project, plan: RetrainPlan, base: str | None = None) -> RoundPlan:
    """Train a round, and put it into the project."""
    events = retrain(resolve_retrain(project, plan, base), Orders(), threads=1)
    (done,) = [event.result for event in events if isinstance(event, Finished)]
    project.add_round(done)
    return done


def test_what_a_round_has_learnt_is_known_of_all_that_goes_on_from_it(tmp_path: Path) -> None:
    onwards = SHORT.replace(start_from="last")
    with disc_project(tmp_path, roles=("train", "train")) as project:
        first = round_of(project, SHORT)
        assert first.learnt == {"p001", "p002"}
        assert not resolve_retrain(project, SHORT, str(project.round_file(1))).unseen  # Chosen as a base by hand.
        project.update_patch(project.plan.patches[0].replace(included=False))
        second = round_of(project, onwards)
        assert (second.patches, second.learnt) == (("p002",), {"p001", "p002"})
        project.update_patch(project.plan.patches[0].replace(included=True))
        assert not resolve_retrain(project, onwards).unseen
        assert [patch.name for patch in resolve_retrain(project).unseen] == ["p001", "p002"]


def test_what_was_learnt_before_is_no_validation(tmp_path: Path) -> None:
    onwards = SHORT.replace(start_from="last")
    with disc_project(tmp_path, roles=("train", "train")) as project:
        round_of(project, SHORT)
        project.update_patch(project.plan.patches[0].replace(role="validate"))
        with pytest.raises(TrainingError, match=r"patch p001 was learnt by discs 1, which training starts from"):
            resolve_retrain(project, onwards)
        assert resolve_retrain(project).validate
        beside = project.plan.patches[0].replace(id="p003", name="Beside", box=(0, SIDE // 2, SIDE, SIDE * 3 // 2))
        project.update_patch(project.plan.patches[0].replace(included=False))
        project.add_patch(project.pixels("p001"), beside)
        project.write_paint("p003", project.paint("p001"))
        project.update_patch(project.plan.patches[1].replace(included=True))
        with pytest.raises(TrainingError, match=r"Beside overlaps p00\d"):
            resolve_retrain(project, onwards)


def test_previews_can_be_opened_while_it_trains(project: Project) -> None:
    for event in retrain(resolve_retrain(project), Orders(), threads=1):
        if isinstance(event, CheckpointReady):
            assert load_model(type(project.folder)(event.path)).network() is not None
            return
    pytest.fail("There was no preview.")


def test_too_little_paint_is_told_in_words(project: Project) -> None:
    repaint(project, "p001", {1: 0})
    with pytest.raises(TrainingError, match="No background is painted"):
        resolve_retrain(project)
    patch = project.plan.patches[0]
    project.update_patch(patch.replace(meaning=PaintPlan(rest_is_background=True)))
    assert resolve_retrain(project).train
    project.write_paint("p001", np.ones((SIDE, SIDE), int))
    with pytest.raises(TrainingError, match="Only background is painted"):
        resolve_retrain(project)
    project.write_paint("p001", np.zeros((SIDE, SIDE), int))
    with pytest.raises(TrainingError, match="Nothing is painted yet"):
        resolve_retrain(project)
    project.update_patch(project.plan.patches[0].replace(included=False))
    with pytest.raises(TrainingError, match="Nothing is painted yet"):
        resolve_retrain(project)


def test_validation_must_not_overlap_what_is_learnt(tmp_path: Path) -> None:
    with disc_project(tmp_path, roles=("train",)) as project:
        first = project.plan.patches[0]
        other = first.replace(id="p002", name="Other", role="validate", box=(0, SIDE - 1, SIDE, 2 * SIDE - 1))
        project.add_patch(project.pixels("p001"), other)
        project.write_paint("p002", project.paint("p001"))
        with pytest.raises(TrainingError, match="Other overlaps p001"):
            resolve_retrain(project)


def test_missing_and_sparse_validation_are_warned_of(project: Project) -> None:
    repaint(project, "p002", {1: 0})
    assert any("not painted in full" in warning for warning in resolve_retrain(project).warnings)
    project.update_patch(project.plan.patches[1].replace(included=False))
    job = resolve_retrain(project)
    assert any("No patch is used for validation" in warning for warning in job.warnings)
    assert any(isinstance(event, Warned) for event in retrain(job, Orders(), threads=1))


def test_a_killed_training_goes_on_where_it_was(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_finetune, "_FIRST_LOOK_S", 0.0)
    monkeypatch.setattr(_retrain_keeper, "_EVERY_S", 0.0)
    rounds = project.round_file(1).parent

    def warned(job: RetrainJob) -> list[str]:
        return [event.message for event in retrain(job, Orders(), threads=1) if isinstance(event, Warned)]

    events = retrain(resolve_retrain(project), Orders(), threads=1)
    next(event for event in events if isinstance(event, CheckpointReady))
    (checkpoint,) = rounds.glob(".checkpoint-*")
    left = checkpoint.read_bytes()
    events.close()  # type: ignore[attr-defined]
    assert not list(rounds.iterdir())  # After a cancel nothing is left,
    checkpoint.write_bytes(left)  # after a kill this is.
    assert any("cut off after 1 steps; it goes on" in message for message in warned(resolve_retrain(project)))
    assert [path.name for path in rounds.iterdir()] == ["round-001.safetensors"]
    checkpoint.write_bytes(left)
    repaint(project, "p001", {2: 0})  # With other paint it starts anew.
    assert not warned(resolve_retrain(project))


@pytest.mark.parametrize(("base", "kind"), [("new:nothing", PlanError), ("gone.safetensors", ModelNotFoundError)])
def test_an_unknown_base_is_told(project: Project, base: str, kind: type[Exception]) -> None:
    project.update(base=base)
    with pytest.raises(kind):
        resolve_retrain(project)


def test_a_model_without_weights_cannot_be_taught(project: Project) -> None:
    project.update(base="otsu-watershed")
    with pytest.raises(TrainingError, match="nothing to train in the model otsu-watershed"):
        resolve_retrain(project)


def test_a_new_network_sees_the_colours_of_the_image(project: Project, tmp_path: Path) -> None:
    patch = project.plan.patches[0]
    with Project.create(tmp_path / "coloured.mouse-seg", project.plan.replace(patches=())) as coloured:
        coloured.add_patch(np.concatenate([project.pixels(patch.id)] * 3), patch)
        coloured.write_paint(patch.id, project.paint(patch.id))
        assert resolve_retrain(coloured).card.architecture.in_channels == 3
    assert resolve_retrain(project).card.architecture.in_channels == 1


def test_colours_are_stretched_by_their_own_range(project: Project, tmp_path: Path) -> None:
    patch = project.plan.patches[0]
    plan = project.plan.replace(patches=(), colour_limits=(0.0, 300.0))
    with Project.create(tmp_path / "coloured.mouse-seg", plan) as coloured:
        coloured.add_patch(np.concatenate([project.pixels(patch.id)] * 3), patch)
        coloured.write_paint(patch.id, project.paint(patch.id))
        seen = resolve_retrain(coloured).train[0].stretched
        grey = resolve_retrain(coloured, base="nuclei-fluorescence").train[0].stretched
    raw = project.pixels(patch.id)
    np.testing.assert_allclose(seen, np.repeat(raw, 3, axis=0) / 300, rtol=1e-5)
    np.testing.assert_allclose(grey, np.clip((raw - 100) / 50, 0, None), rtol=1e-4, atol=1e-5)
