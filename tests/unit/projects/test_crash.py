"""Killed processes, two processes at once, two threads at once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_mouse_seg.errors import ProjectError
from napari_mouse_seg.plans import PatchPlan
from napari_mouse_seg.projects import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_mouse_seg.plans import ProjectPlan

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of Unix")

SIDE = 600

# Fills the patch with 1, 2, 3, ... plus noise that depends on the number, and says each number once it is stored.
PAINTER = """
import sys
import numpy as np
from napari_mouse_seg.projects import Project
project = Project.open(sys.argv[1])
assert not project.read_only, project.read_only_reason
value = int(project.paint("p001")[0, 0])
while True:
    value += 1
    noise = np.random.default_rng(value).integers(0, 2, (600, 600)) * 10_000
    noise[0, 0] = 0
    project.write_paint("p001", value + noise)
    print(value, flush=True)
"""

# Kills itself at one step of storing paint.
SUICIDE = """
import os, signal, sys, pathlib
import numpy as np
from napari_mouse_seg.projects import Project
project = Project.open(sys.argv[1])
def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
def die_halfway(path, data):
    with open(path, "wb") as file:
        file.write(data[: len(data) // 2])
        file.flush()
        die()
replace = os.replace
def die_after(*paths):
    replace(*paths)
    die()
target, name, action = {"halfway": (pathlib.Path, "write_bytes", die_halfway), "flush": (os, "fsync", die),
    "replace": (os, "replace", die), "done": (os, "replace", die_after)}[sys.argv[2]]
setattr(target, name, action)
project.write_paint("p001", np.full((600, 600), 9))
"""

HOLDER = """
import sys
from napari_mouse_seg.projects import Project
project = Project.open(sys.argv[1])
print(project.read_only, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def wide_folder(tmp_path: Path, plan: ProjectPlan) -> Path:
    """With a patch that takes a while to write."""
    with Project.create(tmp_path / "wide.mouse-seg", plan) as project:
        project.add_patch(np.zeros((1, SIDE, SIDE), np.uint8), PatchPlan(id="p001", box=(0, 0, SIDE, SIDE)))
        project.write_paint("p001", np.full((SIDE, SIDE), 4))
    return tmp_path / "wide.mouse-seg"


@contextmanager
def child(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A Python process, killed at the end."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def assert_whole(paint: np.ndarray) -> int:
    """The number that the painter stored; every pixel must be of that version."""
    value = int(paint[0, 0])
    noise = np.random.default_rng(value).integers(0, 2, (SIDE, SIDE)) * 10_000
    noise[0, 0] = 0
    np.testing.assert_array_equal(paint, value + noise)
    return value


def test_paint_is_whole_and_recent_after_kill_9_while_painting(wide_folder: Path):
    stored = 4
    for delay_s in (0.0, 0.003, 0.009, 0.02, 0.05):
        with child(PAINTER, wide_folder) as process:
            process.stdout.readline()
            with suppress(subprocess.TimeoutExpired):
                process.wait(delay_s)  # only varies where the kill falls
            process.send_signal(signal.SIGKILL)
            told = process.stdout.read().split()
            assert process.wait() == -signal.SIGKILL
        with Project.open(wide_folder) as project:
            assert not project.read_only
            assert project.damage == ()
            value = assert_whole(project.paint("p001"))
        assert value in {int(told[-1]), int(told[-1]) + 1} if told else value > stored
        assert not list((wide_folder / "patches").glob(".*"))
        stored = value


@pytest.mark.parametrize(("step", "value"), [("halfway", 4), ("flush", 4), ("replace", 4), ("done", 9)])
def test_a_kill_at_any_step_leaves_the_old_or_the_new_paint(wide_folder: Path, step: str, value: int):
    with child(SUICIDE, wide_folder, step) as process:
        assert process.wait() == -signal.SIGKILL
    with Project.open(wide_folder) as project:
        assert project.damage == ()
        assert not project.read_only
        assert (project.paint("p001") == value).all()
    assert not list((wide_folder / "patches").glob(".*"))


def test_a_project_open_in_another_process_is_read_only_until_that_is_killed(folder: Path, painted: np.ndarray):
    with child(HOLDER, folder) as process:
        assert process.stdout.readline() == "False\n"
        with Project.open(folder) as project:
            assert project.read_only
            told = rf"open in another program on this computer since \d\d:\d\d \(process {process.pid}\)"
            assert re.search(told, project.read_only_reason)
            assert "close it there, then open it here again" in project.read_only_reason
            np.testing.assert_array_equal(project.paint("p001"), painted)
            with pytest.raises(ProjectError, match=rf"cannot be changed\. The project is {told}"):
                project.write_paint("p001", painted)
            with pytest.raises(ProjectError, match="cannot be changed"):
                project.update(base="mine")
        with Project.open(folder) as project:
            assert project.read_only  # closing a reader frees nothing
        process.send_signal(signal.SIGKILL)
        process.wait()
        with Project.open(folder) as project:
            assert not project.read_only
            project.write_paint("p001", painted + 1)


def test_two_windows_of_one_process_do_not_share_a_project(folder: Path):
    first = Project.open(folder)
    with Project.open(folder) as second:
        assert "another window of this program" in second.read_only_reason
    first.close()
    with Project.open(folder) as third:
        assert not third.read_only


def test_a_holder_that_cannot_be_told_is_another_program(folder: Path):
    with Project.open(folder):
        (folder / ".lock.json").write_text("[")
        with Project.open(folder) as second:
            assert "open in another program" in second.read_only_reason


def test_a_project_may_be_closed_by_another_thread(folder: Path):
    project = Project.open(folder)
    thread = threading.Thread(target=project.close)
    thread.start()
    thread.join()
    with Project.open(folder) as again:
        assert not again.read_only


def test_paint_of_two_threads_is_never_mixed(wide_folder: Path):
    with Project.open(wide_folder) as project:
        start = threading.Barrier(3)

        def write(values: range) -> None:
            start.wait()
            for value in values:
                project.write_paint("p001", np.full((SIDE, SIDE), value))

        threads = [threading.Thread(target=write, args=(values,)) for values in (range(10, 25), range(100, 115))]
        for thread in threads:
            thread.start()
        start.wait()
        while any(thread.is_alive() for thread in threads):
            paint = project.paint("p001")
            assert (paint == paint[0, 0]).all()
        for thread in threads:
            thread.join()
        assert project.paint("p001")[0, 0] in {24, 114}


def test_of_two_writes_the_one_that_was_called_later_stays(folder: Path, monkeypatch: pytest.MonkeyPatch):
    from napari_mouse_seg.projects import _project

    encode = _project.encode_tiff
    entered, finish = threading.Event(), threading.Event()

    def slow_for_ones(labels: np.ndarray) -> bytes:
        if labels[0, 0] == 1:
            entered.set()
            finish.wait(60)
        return encode(labels)

    monkeypatch.setattr(_project, "encode_tiff", slow_for_ones)
    with Project.open(folder) as project:
        earlier = threading.Thread(target=project.write_paint, args=("p001", np.full((12, 17), 1)))
        earlier.start()
        assert entered.wait(60)
        project.write_paint("p001", np.full((12, 17), 2))
        finish.set()
        earlier.join()
        assert (project.paint("p001") == 2).all()


def test_painting_on_while_it_is_stored_does_not_mix_versions(folder: Path, monkeypatch: pytest.MonkeyPatch):
    from napari_mouse_seg.projects import _project

    encode = _project.encode_tiff
    canvas = np.full((12, 17), 3)

    def stroke_meanwhile(labels: np.ndarray) -> bytes:
        canvas[5] = 8
        return encode(labels)

    monkeypatch.setattr(_project, "encode_tiff", stroke_meanwhile)
    with Project.open(folder) as project:
        project.write_paint("p001", canvas)
        assert (project.paint("p001") == 3).all()


def test_paint_of_a_patch_that_was_deleted_meanwhile_is_refused(folder: Path, painted: np.ndarray):
    with Project.open(folder) as project:
        project.delete_patch("p001")
        with pytest.raises(ProjectError, match="no patch 'p001'"):
            project.write_paint("p001", painted)
    assert not os.path.exists(folder / "patches" / "p001.paint.tif")
