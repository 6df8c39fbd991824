"""The session of training on a real project, with a runner that is stepped by hand and a process that is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from helpers.benches import Bench, on_disk, paint
from helpers.projects import SHORT, SIDE, disc_project
from helpers.runners import FakeRunner
from napari_mouse_seg.errors import PlanError, ProjectError, TrainingError
from napari_mouse_seg.events import Finished
from napari_mouse_seg.plans import ClassPlan, PaintPlan
from napari_mouse_seg.projects import Project
from napari_mouse_seg.session import PaintSummary, TrainSession, TrainState

if TYPE_CHECKING:
    from pathlib import Path


def test_a_round_is_told_of_step_by_step_and_added_to_the_project(bench: Bench) -> None:
    process = bench.train()
    assert bench.session.state is TrainState.RUNNING
    bench.finish()
    assert [name for name, _ in bench.heard] == ["warned", "stepped", "validated", "checkpoint_ready", "run_finished"]
    assert bench.states == [TrainState.RUNNING, TrainState.IDLE]
    assert bench.session.project is not None
    assert [entry.name for entry in bench.session.project.plan.rounds] == ["discs 1"]
    assert bench.session.project.plan.retrain == SHORT
    assert process.closed
    bench.train()
    bench.finish()
    assert [entry.number for entry in bench.session.project.plan.rounds] == [1, 2]


def test_pause_holds_and_resume_goes_on(bench: Bench) -> None:
    process = bench.train()
    bench.runner.tasks[-1].step()
    bench.session.pause(True)
    assert bench.session.state is TrainState.PAUSED
    bench.session.pause(False)
    assert bench.session.state is TrainState.RUNNING
    assert process.orders == ["pause", "resume"]


def test_stop_keeps_what_there_is(bench: Bench) -> None:
    process = bench.train()
    bench.runner.tasks[-1].step()
    bench.session.pause(True)
    bench.session.stop()
    assert bench.session.state is TrainState.STOPPING
    bench.session.pause(True)
    assert bench.session.state is TrainState.STOPPING
    bench.finish()
    assert process.orders == ["pause", "stop"]
    assert [done.name for done in bench.of("run_finished")] == ["discs 1"]


def test_cancel_forgets_the_round_and_ends_its_process(bench: Bench) -> None:
    assert bench.session.project is not None
    before = bench.session.project.plan
    process = bench.train()
    bench.runner.tasks[-1].step()
    bench.session.cancel()
    assert bench.session.state is TrainState.CANCELLING
    bench.finish()
    assert bench.states[-1] is TrainState.IDLE
    assert process.closed
    assert bench.session.project.plan == before.replace(retrain=SHORT)
    assert [name for name, _ in bench.heard] == ["warned", "run_cancelled"]
    bench.train()
    bench.finish()
    assert len(bench.of("run_finished")) == 1


def test_a_failing_process_is_told_in_words_and_another_can_start(bench: Bench) -> None:
    bench.error = TrainingError("Nothing is painted yet.")
    bench.train()
    bench.finish()
    assert bench.of("run_failed") == ["Nothing is painted yet."]
    assert bench.session.state is TrainState.IDLE
    bench.error = ZeroDivisionError("division by zero")
    bench.train()
    bench.finish()
    assert "ZeroDivisionError: division by zero" in bench.of("run_failed")[1]
    assert bench.session.project is not None
    assert not bench.session.project.plan.rounds
    bench.error = None
    bench.train()
    bench.finish()
    assert len(bench.of("run_finished")) == 1


def test_an_error_after_a_cancel_is_no_failure(bench: Bench) -> None:
    bench.error = TrainingError("The training process was killed.")
    bench.train()
    task = bench.runner.tasks[-1]
    task.step()
    task.step()
    bench.session.cancel()
    task.cancelled = False  # The error was under way when it was cancelled.
    task.finish()
    assert bench.of("run_failed") == []
    assert bench.of("run_cancelled") == [None]


def test_a_second_round_waits_for_the_first(bench: Bench, tmp_path: Path) -> None:
    bench.train()
    with pytest.raises(TrainingError, match="stop or cancel it first"):
        bench.train()
    with pytest.raises(TrainingError, match="A round is at work"):
        bench.session.open(tmp_path / "discs.mouse-seg")
    assert "A round is at work" in bench.session.problem()


def test_unsaved_paint_is_on_the_disk_before_the_process_looks(bench: Bench) -> None:
    process = bench.train({"p001": paint(3)})
    bench.finish()
    assert process.paint is not None
    assert (process.paint == 3).all()
    assert bench.heard[0] == ("paint_saved", "p001")
    assert bench.session.summary("p001").n_objects == 1


def test_saving_tells_what_is_painted(bench: Bench) -> None:
    half = paint(1)
    half[: SIDE // 2] = 0
    half[-1] = 7
    bench.session.save_paint("p001", half)
    bench.finish()
    summary = bench.session.summary("p001")
    assert (summary.share, summary.n_objects, summary.has_background) == (0.5, 1, True)
    assert bench.of("paint_saved") == ["p001"]


def test_the_newest_paint_stays_whichever_save_comes_last(bench: Bench) -> None:
    bench.session.save_paint("p001", paint(2))
    bench.session.save_paint("p001", paint(3))
    first, second = bench.runner.tasks
    second.finish()
    first.finish()
    assert on_disk(bench) == 3


def test_paint_that_is_still_on_its_way_is_what_one_sees(bench: Bench) -> None:
    bench.session.save_paint("p001", paint(5))
    assert (bench.session.paint("p001") == 5).all()
    assert on_disk_is_old(bench)
    bench.finish()
    assert on_disk(bench) == 5


def on_disk_is_old(bench: Bench) -> bool:
    assert bench.session.project is not None
    return len(np.unique(bench.session.project.paint("p001"))) > 1


def test_closing_writes_what_is_unsaved(bench: Bench, tmp_path: Path) -> None:
    bench.session.save_paint("p001", paint(5))
    bench.session.save_paint("p002", paint(6))
    bench.session.close()
    with Project.open(tmp_path / "discs.mouse-seg") as project:
        assert not project.read_only
        assert [int(project.paint(patch_id).max()) for patch_id in ("p001", "p002")] == [5, 6]


def test_a_failed_save_is_told_each_time_and_made_good_later(bench: Bench, tmp_path: Path) -> None:
    folder, aside = tmp_path / "discs.mouse-seg", tmp_path / "aside"
    folder.rename(aside)
    for count, (patch_id, label) in enumerate((("p001", 4), ("p002", 5)), start=1):
        bench.session.save_paint(patch_id, paint(label))
        bench.finish()
        assert len(bench.of("save_failed")) == count
        assert "no longer there" in bench.of("save_failed")[-1]
    assert not folder.exists()
    assert (bench.session.paint("p001") == 4).all()
    aside.rename(folder)
    bench.session.save_paint("p002", paint(6))
    bench.finish()
    assert len(bench.of("save_failed")) == 2
    assert (on_disk(bench, "p001"), on_disk(bench, "p002")) == (4, 6)


def test_one_patch_that_cannot_be_written_does_not_keep_back_the_others(bench: Bench) -> None:
    bench.session.save_paint("p001", np.zeros((3, 3), np.uint32))
    bench.session.save_paint("p002", paint(6))
    bench.finish()
    assert bench.of("save_failed")
    assert on_disk(bench, "p002") == 6


def test_training_fails_in_words_where_paint_cannot_be_saved(bench: Bench) -> None:
    bench.train({"p001": np.zeros((3, 3), np.uint32)})
    bench.finish()
    assert len(bench.of("run_failed")) == 1
    assert bench.session.state is TrainState.IDLE


def test_paint_of_a_deleted_patch_is_not_asked_for_again(bench: Bench) -> None:
    bench.session.save_paint("p002", paint(6))
    bench.session.delete_patch("p002")
    bench.finish()
    assert bench.of("save_failed") == []
    assert bench.session.project is not None
    assert [patch.id for patch in bench.session.project.plan.patches] == ["p001"]


def test_what_is_missing_for_training_is_said(bench: Bench) -> None:
    session = bench.session
    assert TrainSession(FakeRunner()).problem() == "Add a patch and paint in it first."
    assert session.problem() == ""
    session.save_paint("p001", paint(0))
    bench.finish()
    assert "Paint some objects in a patch that is used for training" in session.problem()
    session.save_paint("p001", np.where(np.arange(SIDE) < 9, 2, 0) * np.ones((SIDE, 1), np.uint32))
    bench.finish()
    assert "Paint some background (label 1)" in session.problem()
    assert session.project is not None
    patch = session.project.plan.patches[0]
    empty = session.add_patch(np.zeros((1, 32, 32), np.float32), (0, 400, 32, 432))
    session.update_patch(empty.replace(meaning=PaintPlan(rest_is_background=True)))
    assert "Paint some background (label 1)" in session.problem()  # Nothing is learnt from what is not painted at all.
    session.update_patch(patch.replace(meaning=PaintPlan(rest_is_background=True)))
    assert session.problem() == ""
    session.update_patch(patch.replace(role="validate"))
    assert "used for training" in session.problem()
    session.update_patch(patch.replace(included=False))
    assert "used for training" in session.problem()


def test_a_validation_patch_over_one_that_is_learnt_from_is_told_before_training(bench: Bench) -> None:
    session = bench.session
    assert session.project is not None
    first = session.project.plan.patches[0]
    over = session.add_patch(np.zeros((1, 32, 32), np.float32), (*first.box[:2], first.box[0] + 32, first.box[1] + 32))
    session.update_patch(over.replace(role="validate"))
    assert session.problem() == ""  # Nothing is painted in it yet.
    session.save_paint(over.id, np.full((32, 32), 2, np.uint32))
    bench.finish()
    assert f"The validation patch {over.name} overlaps" in session.problem()
    session.update_patch(over.replace(role="train"))
    assert session.problem() == ""


def test_a_new_patch_lies_in_the_project_without_paint(bench: Bench) -> None:
    before = bench.n_changes
    patch = bench.session.add_patch(np.zeros((1, 32, 48), np.float32), (0, 300, 32, 348))
    assert (patch.id, patch.name) == ("p003", "Patch 3")
    assert bench.n_changes == before + 1
    assert bench.session.summary("p003").share == 0
    assert bench.session.paint("p003").shape == (32, 48)


def test_rounds_can_be_renamed_and_deleted(bench: Bench) -> None:
    bench.train()
    bench.finish()
    project = bench.session.project
    assert project is not None
    bench.session.rename_round(1, "muscle")
    assert [entry.name for entry in project.plan.rounds] == ["muscle"]
    with pytest.raises(PlanError):
        bench.session.rename_round(1, "")
    with pytest.raises(ProjectError, match="no round 9"):
        bench.session.rename_round(9, "x")
    file = project.round_file(1)
    bench.session.delete_round(1)
    assert project.plan.rounds == ()
    assert not file.exists()
    assert project.next_round_number() == 2


def test_a_project_that_is_open_elsewhere_can_only_be_looked_at(bench: Bench, tmp_path: Path) -> None:
    second = Bench()
    second.open(tmp_path / "discs.mouse-seg")
    assert "another window of this program" in second.session.problem()
    second.session.save_paint("p001", paint(9))
    assert second.runner.tasks == []
    with pytest.raises(ProjectError, match="cannot be changed"):
        second.train({"p001": paint(9)})
    assert second.processes == []
    assert second.session.state is TrainState.IDLE
    with pytest.raises(ProjectError, match="cannot be changed"):
        second.session.add_patch(np.zeros((1, 32, 32), np.float32), (0, 0, 32, 32))
    second.session.close()
    assert on_disk_is_old(bench)
    assert second.of("save_failed") == []


def test_a_project_is_read_beside_the_main_thread_and_the_present_one_stays_meanwhile(
    bench: Bench, tmp_path: Path
) -> None:
    other = disc_project(tmp_path / "other", ("train",))
    other.close()
    before, left = bench.session.project, []
    bench.session.leaving.connect(lambda: left.append(bench.session.project))
    bench.session.open(other.folder)
    assert bench.session.is_opening
    assert bench.session.project is before
    assert "still being opened" in bench.session.problem()
    with pytest.raises(TrainingError, match="still being opened"):
        bench.train()
    bench.finish()
    assert not bench.session.is_opening
    assert bench.session.project is not None
    assert bench.session.project.folder == other.folder
    assert left == [before]
    assert bench.session.summary("p001").n_objects == 4
    with Project.open(tmp_path / "discs.mouse-seg") as first:
        assert not first.read_only  # It was let go.


@pytest.mark.parametrize("is_open_already", [False, True])
def test_a_project_that_is_not_wanted_any_more_is_let_go(bench: Bench, tmp_path: Path, is_open_already: bool) -> None:
    other = disc_project(tmp_path / "other")
    other.close()
    bench.session.open(other.folder)
    (task,) = bench.runner.tasks
    while is_open_already and not isinstance(next(task.events), Finished):
        pass  # The last event is on its way.
    bench.session.close()
    task.finish()
    assert bench.session.project is None
    with Project.open(other.folder) as again:
        assert not again.read_only


def test_a_project_that_a_check_refuses_leaves_the_present_one(bench: Bench, tmp_path: Path) -> None:
    disc_project(tmp_path / "other").close()
    before = bench.session.project

    def refuse(_project: Project) -> None:
        raise ProjectError("It was painted on another image.")

    bench.session.open(tmp_path / "other" / "discs.mouse-seg", refuse)
    bench.finish()
    assert bench.of("open_failed") == ["It was painted on another image."]
    assert bench.session.project is before
    with Project.open(tmp_path / "other" / "discs.mouse-seg") as again:
        assert not again.read_only


def test_the_present_project_under_another_name_is_not_opened_a_second_time(bench: Bench, tmp_path: Path) -> None:
    before = bench.session.project
    link = tmp_path / "link.mouse-seg"
    link.symlink_to(tmp_path / "discs.mouse-seg", target_is_directory=True)
    bench.session.open(link)
    bench.finish()
    assert bench.session.project is before
    assert before is not None
    assert not before.read_only


def test_a_project_whose_paint_goes_bad_while_it_is_opened_is_not_taken(bench: Bench, tmp_path: Path) -> None:
    other = disc_project(tmp_path / "other", ("train",))
    other.close()
    before = bench.session.project
    (paint_file,) = (other.folder / "patches").glob("*.paint.tif")
    bench.session.open(other.folder, lambda _project: paint_file.rename(tmp_path / "gone.tif") and None)
    bench.finish()
    assert bench.session.project is before
    (words,) = bench.of("open_failed")
    assert paint_file.name in words


def test_a_search_that_finds_no_project_leaves_the_present_one_and_says_that_it_has_ended(bench: Bench) -> None:
    before = bench.session.project
    bench.session.search(lambda: None)
    assert bench.session.is_opening
    n_changes = bench.n_changes
    bench.finish()
    assert not bench.session.is_opening
    assert bench.session.project is before
    assert bench.n_changes == n_changes + 1
    assert bench.of("open_failed") == []


CLASSES = (
    ClassPlan(label=1, name="Background", colour="#999999"),
    ClassPlan(label=2, name="Wall", colour="#0072b2"),
    ClassPlan(label=3, name="Hole", colour="#e69f00"),
)


@pytest.mark.parametrize(
    ("labels", "rest", "is_enough"),
    [((2,), False, False), ((2,), True, True), ((1,), True, False), ((2, 3), False, True), ((0,), True, False)],
)
def test_areas_need_two_classes(bench: Bench, labels: tuple[int, ...], rest: bool, is_enough: bool) -> None:
    for patch_id in ("p001", "p002"):
        bench.session.save_paint(patch_id, paint(0))
    bench.finish()
    bench.session.update(kind="areas", classes=CLASSES)
    marks = paint(0)
    marks[: len(labels)] = np.array(labels)[:, None]
    bench.session.save_paint("p001", marks)
    bench.finish()
    patch = bench.session.project.plan.patches[0]  # type: ignore[union-attr]
    bench.session.update_patch(patch.replace(meaning=PaintPlan(rest_is_background=rest)))
    assert ("two classes" not in bench.session.problem()) is is_enough


def open_areas_with_a_wall(bench: Bench, folder: Path) -> None:
    """Open a project of areas, whose first patch is painted with the second class."""
    with disc_project(folder) as project:
        for patch in project.plan.patches:
            project.write_paint(patch.id, paint(0))
        project.update(kind="areas", classes=CLASSES)
        project.write_paint("p001", paint(2))
    bench.open(project.folder)
    assert bench.session.project is not None
    assert bench.session.project.plan.classes == CLASSES


def test_a_class_is_removed_without_reading_paint_that_is_known(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_areas_with_a_wall(bench, tmp_path / "areas")
    read: list[str] = []
    monkeypatch.setattr(Project, "paint", lambda _project, patch_id: read.append(patch_id))
    bench.session.update(classes=CLASSES[:2])
    with pytest.raises(PlanError, match=r"Wall cannot be removed: .* is painted with it"):
        bench.session.update(classes=CLASSES[:1])
    assert read == []


def test_a_class_is_kept_that_was_painted_a_moment_ago(bench: Bench, tmp_path: Path) -> None:
    open_areas_with_a_wall(bench, tmp_path / "areas")
    bench.session.save_paint("p001", paint(3))  # The runner has not come to it yet.
    with pytest.raises(PlanError, match=r"Hole cannot be removed: .* is painted with it"):
        bench.session.update(classes=CLASSES[:2])
    bench.session.update(classes=(CLASSES[0], CLASSES[2]))


def test_a_summary_counts_the_pixels_of_each_label() -> None:
    marks = np.array([[0, 2, 2], [3, 2, 0]])
    found = PaintSummary.of(marks)
    assert found.counts == ((2, 3), (3, 1))
    assert found.share == pytest.approx(4 / 6)
    assert (found.n_objects, found.has_background) == (2, False)


def test_without_a_project_nothing_can_be_changed() -> None:
    session = TrainSession(FakeRunner())
    with pytest.raises(ProjectError, match="add a patch first"):
        session.update(base="mine")
    with pytest.raises(ProjectError, match="add a patch first"):
        session.train(SHORT, {})
    session.save_paint("p001", paint(1))
    session.cancel()
    session.close()
    assert session.state is TrainState.IDLE


def test_closing_during_a_round_ends_it_and_drops_what_comes_late(bench: Bench) -> None:
    bench.train()
    task = bench.runner.tasks[-1]
    task.step()
    bench.session.close()
    assert task.cancelled
    task.finish()
    assert bench.of("run_cancelled") == bench.of("run_failed") == []
    assert bench.session.project is None
