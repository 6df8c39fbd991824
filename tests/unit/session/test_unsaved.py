"""Paint and rounds that the project's folder does not take: tried again, and never thrown away."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from helpers.benches import Bench, on_disk, paint
from helpers.projects import SIDE, disc_project
from napari_mouse_seg.errors import ProjectError, TrainingError
from napari_mouse_seg.projects import Project

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """Let the system refuse to put files in place in a folder."""
    replace = os.replace

    def refuse(source: Path, target: Path) -> None:
        if folder in Path(target).parents:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "replace", refuse)
        yield


def folder_of(bench: Bench) -> Path:
    assert bench.session.project is not None
    return bench.session.project.folder


def rescued(home: Path) -> dict[str, Path]:
    return {path.name: path for path in (home / "mouse-seg" / "rescued").rglob("*.tif")}


@pytest.mark.parametrize("is_other_opened", [False, True])
def test_paint_that_cannot_be_saved_when_a_project_is_left_is_rescued_to_the_home_folder(
    bench: Bench, tmp_path: Path, home: Path, is_other_opened: bool
) -> None:
    other = disc_project(tmp_path / "other")
    other.close()
    folder, aside = folder_of(bench), tmp_path / "aside"
    folder.rename(aside)
    bench.session.save_paint("p001", paint(4))
    bench.session.save_paint("p002", paint(70_000))
    if is_other_opened:
        bench.session.open(other.folder)
        bench.finish()
        assert folder_of(bench) == other.folder
        assert bench.session.paint("p001").max() < 10
    else:
        bench.session.close()
    files = rescued(home)
    assert sorted(files) == ["p001.paint.tif", "p002.paint.tif"]
    (words,) = bench.of("rescued")
    rescue_folder = files["p001.paint.tif"].parent
    assert rescue_folder.name.startswith("discs.mouse-seg-")
    assert str(rescue_folder) in words
    assert "no longer there" in words
    assert "p001.paint.tif, p002.paint.tif" in words
    aside.rename(folder)  # What the words say.
    for name, path in files.items():
        path.replace(folder / "patches" / name)
    with Project.open(folder) as project:
        assert project.damage == ()
        assert (project.paint("p001") == 4).all()
        assert (project.paint("p002") == 70_000).all()


def test_only_what_could_not_be_saved_is_rescued(bench: Bench, home: Path) -> None:
    folder = folder_of(bench)
    bench.session.save_paint("p001", np.full((3, 3), 2, np.uint32))  # Fits no patch.
    bench.session.save_paint("p002", paint(6))
    bench.session.close()
    assert list(rescued(home)) == ["p001.paint.tif"]
    with Project.open(folder) as project:
        assert (project.paint("p002") == 6).all()


def test_a_folder_that_is_back_when_the_project_is_left_gets_the_paint(
    bench: Bench, tmp_path: Path, home: Path
) -> None:
    folder, aside = folder_of(bench), tmp_path / "aside"
    folder.rename(aside)
    bench.session.save_paint("p001", paint(4))
    bench.finish()
    aside.rename(folder)
    bench.session.close()
    with Project.open(folder) as project:
        assert (project.paint("p001") == 4).all()
    assert not home.exists()
    assert bench.of("rescued") == []
    assert bench.of("caught_up") == [None]


def test_paint_that_cannot_be_rescued_either_is_told_to_be_lost(
    bench: Bench, tmp_path: Path, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = folder_of(bench)
    home.write_text("no folder")
    folder.rename(tmp_path / "aside")
    bench.session.save_paint("p001", paint(4))
    bench.session.close()
    (words,) = bench.of("rescued")
    assert "What was painted last in p001 could not be put anywhere else and is lost" in words
    assert "copy" not in words
    assert "p001" in caplog.text
    assert bench.session.project is None


def test_without_a_home_the_project_is_left_all_the_same(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", fail)
    folder_of(bench).rename(tmp_path / "aside")
    bench.session.save_paint("p001", paint(4))
    bench.session.close()
    assert "is lost: Could not determine home directory." in bench.of("rescued")[0]


def test_an_error_that_nobody_foresaw_loses_no_paint(bench: Bench, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(Project, "write_paint", fail)
    bench.session.save_paint("p001", paint(4))
    bench.session.close()
    assert list(rescued(home)) == ["p001.paint.tif"]
    assert "Saving the paint failed unexpectedly" in bench.of("rescued")[0]


def test_a_save_that_ends_after_its_project_was_left_says_nothing_of_the_next_one(
    bench: Bench, tmp_path: Path, home: Path
) -> None:
    other = disc_project(tmp_path / "other")
    other.close()
    folder_of(bench).rename(tmp_path / "aside")
    bench.session.save_paint("p001", np.full((SIDE, SIDE), 4, np.uint32))
    (late,) = bench.runner.tasks
    bench.session.open(other.folder)
    bench.runner.tasks[-1].finish()
    late.finish()
    assert bench.of("save_failed") == []
    assert not bench.session.is_behind
    assert len(bench.of("rescued")) == 1
    assert bench.session.summary("p001").n_objects == 4


def test_what_could_not_be_saved_is_tried_again_without_a_new_stroke(bench: Bench, tmp_path: Path) -> None:
    folder, aside = folder_of(bench), tmp_path / "aside"
    folder.rename(aside)
    bench.session.save_paint("p001", paint(4))
    assert not bench.session.is_behind
    bench.finish()
    assert bench.session.is_behind
    bench.session.retry_unsaved()
    bench.finish()
    assert bench.session.is_behind
    assert len(bench.of("save_failed")) == 1  # It is said once.
    aside.rename(folder)
    bench.session.retry_unsaved()
    bench.finish()
    assert not bench.session.is_behind
    assert bench.of("caught_up") == [None]
    assert on_disk(bench) == 4


def test_a_save_that_works_at_once_says_nothing_of_catching_up(bench: Bench) -> None:
    bench.session.save_paint("p001", paint(4))
    bench.session.retry_unsaved()
    bench.finish()
    assert bench.of("caught_up") == []


def test_nothing_is_left_to_save_of_a_patch_that_was_deleted(bench: Bench) -> None:
    bench.session.save_paint("p001", np.full((3, 3), 2, np.uint32))
    bench.finish()
    assert bench.session.is_behind
    bench.session.delete_patch("p001")
    assert not bench.session.is_behind
    assert bench.of("caught_up") == [None]


def test_paint_that_a_round_could_not_save_is_tried_again(bench: Bench) -> None:
    with full_disk(folder_of(bench) / "patches"):
        bench.train({"p001": paint(5)})
        bench.finish()
    assert "is full" in bench.of("run_failed")[0]
    assert bench.session.is_behind
    bench.session.retry_unsaved()
    bench.finish()
    assert on_disk(bench) == 5


def test_paint_of_a_round_that_was_cancelled_before_it_was_saved_reaches_the_disk(bench: Bench) -> None:
    bench.train({"p001": paint(5)})
    bench.session.cancel()
    bench.finish()
    bench.finish()  # What was begun after that.
    assert bench.of("run_cancelled") == [None]
    assert on_disk(bench) == 5


def test_a_stroke_just_before_a_training_that_cannot_begin_is_kept(bench: Bench) -> None:
    with full_disk(folder_of(bench)):
        with pytest.raises(ProjectError, match="is full"):
            bench.train({"p001": paint(5)})
        assert (bench.session.paint("p001") == 5).all()
        bench.finish()
        assert bench.session.is_behind
    assert bench.processes == []
    bench.session.retry_unsaved()
    bench.finish()
    assert on_disk(bench) == 5


def test_a_stroke_just_before_a_second_training_is_saved(bench: Bench) -> None:
    bench.train()
    with pytest.raises(TrainingError, match="stop or cancel it first"):
        bench.train({"p001": paint(5)})
    bench.finish()
    assert on_disk(bench) == 5


def train_unlisted(bench: Bench) -> Path:
    """Train a round that the project's list does not take, and return its model."""
    bench.train()
    with full_disk(folder_of(bench)):
        bench.finish()
    assert bench.session.project is not None
    assert bench.session.project.plan.rounds == ()
    return bench.session.project.round_file(1)


def rounds_in(folder: Path) -> list[str]:
    with Project.open(folder) as project:
        return [entry.name for entry in project.plan.rounds]


def test_a_round_that_cannot_be_listed_is_kept_and_tried_again(bench: Bench) -> None:
    model = train_unlisted(bench)
    (reason,) = bench.of("run_failed")
    assert "is full" in reason
    assert f"Its model is safe in {model}" in reason
    assert model.exists()
    assert bench.session.is_behind
    with full_disk(folder_of(bench)):
        bench.session.retry_unsaved()
        bench.finish()
    assert len(bench.of("run_failed")) == 1  # It is said once.
    assert bench.of("run_finished") == []
    bench.session.retry_unsaved()
    bench.finish()
    assert [done.name for done in bench.of("run_finished")] == ["discs 1"]
    assert bench.of("caught_up") == [None]
    assert rounds_in(folder_of(bench)) == ["discs 1"]


def test_a_round_after_one_that_is_not_listed_yet_has_its_own_number(bench: Bench) -> None:
    train_unlisted(bench)
    bench.train()
    bench.finish()
    assert [done.number for done in bench.of("run_finished")] == [1, 2]
    assert not bench.session.is_behind


def test_a_round_that_can_never_be_listed_does_not_keep_back_the_next(bench: Bench) -> None:
    first = train_unlisted(bench)
    bench.train()
    while not first.with_name("round-002.safetensors").exists():
        bench.runner.tasks[-1].step()
    first.unlink()
    bench.finish()
    assert [done.number for done in bench.of("run_finished")] == [2]
    assert rounds_in(folder_of(bench)) == ["discs 2"]
    assert len(bench.of("run_failed")) == 1  # Of the first round, when it could not be listed.


def test_a_round_is_listed_when_the_project_is_left(bench: Bench) -> None:
    train_unlisted(bench)
    folder = folder_of(bench)
    bench.session.close()
    assert rounds_in(folder) == ["discs 1"]
    assert bench.of("rescued") == []
    assert bench.of("run_finished") == []  # Nobody can use it any more.


def test_a_round_that_cannot_be_listed_when_the_project_is_left_is_told_where_it_is(bench: Bench) -> None:
    model = train_unlisted(bench)
    with full_disk(folder_of(bench)):
        bench.session.close()
    (words,) = bench.of("rescued")
    assert "discs 1" in words
    assert str(model) in words


def test_saved_paint_does_not_end_the_trying_while_a_round_is_not_listed(bench: Bench) -> None:
    train_unlisted(bench)
    bench.session.save_paint("p001", paint(4))
    bench.finish()
    assert on_disk(bench) == 4
    assert bench.session.is_behind
    assert bench.of("caught_up") == []


def test_an_unforeseen_error_speaks_of_the_paint(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(Project, "write_paint", fail)
    bench.session.save_paint("p001", paint(4))
    bench.finish()
    assert "Saving the paint failed unexpectedly" in bench.of("save_failed")[0]


def test_what_a_round_still_says_after_its_project_was_left_is_dropped(bench: Bench) -> None:
    bench.train()
    task = bench.runner.tasks[-1]
    bench.session.close()
    task.cancelled = False  # These events were under way when it was cancelled.
    task.finish()
    assert bench.heard == []
