"""A full disk, a folder that goes away, missing permissions: told in words, and nothing is lost."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from filelock import FileLock

from napari_mouse_seg.errors import ProjectError
from napari_mouse_seg.projects import Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_mouse_seg.plans import PatchPlan, ProjectPlan

_NOBODY = 65_534


def snapshot(folder: Path) -> dict[str, bytes]:
    """Content of all files by their path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def full_disk(step: str, name: str = "") -> Iterator[None]:
    """Let one system call fail, for files with a name."""
    call = getattr(os, step)

    def fail(*arguments: object) -> None:
        if name and not str(arguments[-1]).endswith(name):
            call(*arguments)
            return
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, step, fail)
        yield


@contextmanager
def largest_file(n_bytes: int) -> Iterator[None]:
    """Let the system refuse to write more into a file, as on a full disk, with no call replaced."""
    resource = pytest.importorskip("resource", reason="limits are of Unix")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


CHANGES: list[Callable[[Project, PatchPlan], None]] = [
    lambda project, _: project.write_paint("p001", np.full((12, 17), 5)),
    lambda project, _: project.update(base="mine"),
    lambda project, _: project.delete_patch("p001"),
    lambda project, plan: project.add_patch(np.zeros((1, 12, 17), np.uint8), plan),
    lambda project, _: project.update_patch(project.plan.patches[0].replace(name="new")),
]


@pytest.mark.parametrize("change", CHANGES, ids=["paint", "update", "delete", "add", "rename"])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_changes_nothing_and_the_next_try_works(
    project: Project, patch: Callable[..., PatchPlan], step: str, change: Callable[[Project, PatchPlan], None]
):
    files, plan = snapshot(project.folder), project.plan
    with full_disk(step), pytest.raises(ProjectError, match=r"could not be written: the disk of .* is full.*free some"):
        change(project, patch("p003"))
    assert snapshot(project.folder) == files
    assert project.plan is plan
    change(project, patch("p003"))
    assert snapshot(project.folder) != files


@pytest.mark.parametrize("change", CHANGES[2:4], ids=["delete", "add"])
def test_files_go_back_if_the_list_cannot_be_written(
    project: Project, patch: Callable[..., PatchPlan], change: Callable[[Project, PatchPlan], None]
):
    files, plan = snapshot(project.folder), project.plan
    with full_disk("replace", "project.json"), pytest.raises(ProjectError, match=r"project\.json could not be written"):
        change(project, patch("p003"))
    assert snapshot(project.folder) == files
    assert project.plan is plan


def test_a_disk_that_fills_up_within_a_file_keeps_the_old_paint(project: Project, painted: np.ndarray):
    noise = np.random.default_rng(0).integers(0, 2**16, (12, 17))
    with largest_file(300), pytest.raises(ProjectError, match=r"p001\.paint\.tif could not be written.*is full"):
        project.write_paint("p001", noise)
    np.testing.assert_array_equal(project.paint("p001"), painted)
    assert not list((project.folder / "patches").glob(".*"))
    project.write_paint("p001", noise)
    np.testing.assert_array_equal(project.paint("p001"), noise)


def test_a_project_opens_on_a_full_disk(folder: Path, painted: np.ndarray):
    (folder / "project.json").write_bytes(b"{")
    with full_disk("fsync"), full_disk("replace"), Project.open(folder) as project:
        assert not project.read_only
        np.testing.assert_array_equal(project.paint("p001"), painted)
    with Project.open(folder) as project:
        assert len(project.plan.patches) == 2


def test_a_project_that_could_not_be_created_can_be_later(tmp_path: Path, plan: ProjectPlan):
    with full_disk("fsync"), pytest.raises(ProjectError, match="is full"):
        Project.create(tmp_path / "new", plan)
    with Project.create(tmp_path / "new", plan) as project:
        assert not project.read_only


def test_a_removed_folder_is_told_and_not_made_again(project: Project, painted: np.ndarray):
    shutil.rmtree(project.folder)
    with pytest.raises(ProjectError, match=r"folder .* is no longer there; put it back.*open in the viewer stays"):
        project.write_paint("p001", painted)
    with pytest.raises(ProjectError, match="is no longer there"):
        project.update(base="mine")
    with pytest.raises(ProjectError, match=r"p001\.paint\.tif is no longer there"):
        project.paint("p001")
    assert not project.folder.exists()
    project.close()


def test_painting_goes_on_when_the_folder_is_back(project: Project, painted: np.ndarray):
    away = project.folder.rename(project.folder.with_name("away"))
    with pytest.raises(ProjectError, match="is no longer there"):
        project.write_paint("p001", painted + 1)
    away.rename(project.folder)
    project.write_paint("p001", painted + 1)
    np.testing.assert_array_equal(project.paint("p001"), painted + 1)


def test_a_copy_in_the_place_of_the_folder_is_locked_anew(project: Project, painted: np.ndarray, tmp_path: Path):
    shutil.copytree(project.folder, tmp_path / "copy")
    shutil.rmtree(project.folder)
    (tmp_path / "copy").rename(project.folder)
    project.write_paint("p001", painted + 1)
    with Project.open(project.folder) as second:
        assert second.read_only


def test_a_copy_that_somebody_else_opened_is_not_written_to(project: Project, painted: np.ndarray, tmp_path: Path):
    shutil.copytree(project.folder, tmp_path / "copy")
    shutil.rmtree(project.folder)
    (tmp_path / "copy").rename(project.folder)
    with Project.open(project.folder) as second:
        assert not second.read_only
        with pytest.raises(ProjectError, match="is open in another window"):
            project.write_paint("p001", painted + 1)
        np.testing.assert_array_equal(second.paint("p001"), painted)
    project.write_paint("p001", painted + 1)


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Root may write anywhere, so it steps down for a while."""
    if os.geteuid():
        yield
        return
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def forbidden(folder: Path) -> Iterator[Path]:
    """The project where anybody may read, and nobody but root write."""
    if sys.platform == "win32":
        pytest.skip("permissions are of Unix")
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        copy = Path(shutil.copytree(folder, Path(place) / folder.name))
        for path in [copy, *copy.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield copy
        for path in [copy, *copy.rglob("*")]:
            path.chmod(0o755)


def test_a_folder_without_permission_is_read_only(forbidden: Path, painted: np.ndarray):
    files = snapshot(forbidden)
    with ordinary_user(), Project.open(forbidden) as project:
        assert project.read_only
        assert "no permission to write into" in project.read_only_reason
        assert "copy the project to a folder of your own" in project.read_only_reason
        np.testing.assert_array_equal(project.paint("p001"), painted)
        with pytest.raises(ProjectError, match=r"p001\.paint\.tif cannot be changed\. There is no permission"):
            project.write_paint("p001", painted)
    assert snapshot(forbidden) == files


def test_a_project_cannot_be_created_without_permission(forbidden: Path, plan: ProjectPlan):
    with ordinary_user(), pytest.raises(ProjectError, match=r"could not be made: no permission to write into"):
        Project.create(forbidden / "new", plan)


def test_a_list_that_may_not_be_read_is_told(forbidden: Path):
    (forbidden / "project.json").chmod(0o000)
    with ordinary_user(), pytest.raises(ProjectError, match=r"project\.json could not be read .*permissions"):
        Project.open(forbidden)


def test_a_folder_that_may_not_be_listed_is_told(forbidden: Path):
    (forbidden / "patches").chmod(0o000)
    with ordinary_user(), pytest.raises(ProjectError, match=r"could not be read .*check its permissions"):
        Project.open(forbidden)


@pytest.mark.parametrize("error", [OSError(errno.ENOLCK, "No locks available"), NotImplementedError("no flock")])
def test_a_disk_without_locks_is_read_only(
    folder: Path, painted: np.ndarray, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    def fail(_: FileLock) -> None:
        raise error

    monkeypatch.setattr(FileLock, "acquire", fail)
    with Project.open(folder) as project:
        assert "cannot be locked (" in project.read_only_reason
        assert "copy it to a local disk" in project.read_only_reason
        np.testing.assert_array_equal(project.paint("p001"), painted)
