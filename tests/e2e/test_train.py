"""`mouse-seg train` from end to end, and what its exit codes say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from helpers.areas import area_project
from helpers.models import write_random_model
from helpers.projects import SIDE, disc_project
from napari_mouse_seg.cli import main
from napari_mouse_seg.networks import load_model
from napari_mouse_seg.projects import Project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with disc_project(tmp_path) as project:
        return project.folder


def test_a_round_is_added_whose_model_can_be_asked_about(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(folder), "--steps", "3", "--threads", "1"]) == 0
    assert "Training discs 1 from new:compact: 1 patches, 1 for validation" in capsys.readouterr().out
    with Project.open(folder) as project:
        (done,) = project.plan.rounds
        file = project.round_file(1)
    assert (done.name, done.steps) == ("discs 1", 3)
    assert load_model(file).network() is not None
    assert main(["models", "info", str(file)]) == 0
    assert "discs 1" in capsys.readouterr().out


def test_areas_are_learnt_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with area_project(tmp_path) as project:
        folder = project.folder
    options = ["--steps", "40", "--threads", "1", "--learning-rate", "0.005"]
    assert main(["train", str(folder), *options]) == 0
    assert "areas 1: validation mean IoU 0." in capsys.readouterr().out
    with Project.open(folder) as project:
        (done,) = project.plan.rounds
    assert done.score is not None
    assert done.score > 0.6  # Calling everything background gives about 0.2.
    assert done.curve[-1][2] == done.score


def test_options_hold_for_one_round_and_the_base_stays(folder: Path) -> None:
    with Project.open(folder) as project:
        before = project.plan.retrain
    assert main(["train", str(folder), "--steps", "2", "--threads", "1"]) == 0
    with Project.open(folder) as project:
        assert project.plan.retrain == before
        assert project.plan.rounds[0].steps == 2


def test_a_project_without_paint_fails_in_words(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Project.open(folder) as project:
        for patch in project.plan.patches:
            project.write_paint(patch.id, np.zeros((SIDE, SIDE), int))
        before = project.plan
    assert main(["train", str(folder)]) == 1
    assert "Nothing is painted yet" in capsys.readouterr().err
    with Project.open(folder) as project:
        assert project.plan == before


def test_a_missing_folder_fails_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(tmp_path / "nothing.mouse-seg")]) == 1
    assert "There is no project in" in capsys.readouterr().err


def test_the_file_of_a_project_stands_for_it_and_an_image_names_the_one_beside_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", str(folder / "project.json"), "--steps", "2", "--threads", "1"]) == 0
    image = folder.with_name(f"{folder.stem}.ome.tif")
    image.touch()
    capsys.readouterr()
    assert main(["train", str(image)]) == 1
    assert f"that of the image is {folder}" in capsys.readouterr().err
    assert main(["segment", str(image), "--output", str(tmp_path / "out"), "--model", str(folder)]) == 1
    assert "lie in its folder rounds" in capsys.readouterr().err


def test_a_project_that_is_open_elsewhere_takes_no_round(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Project.open(folder):
        assert main(["train", str(folder), "--steps", "1"]) == 1
    assert "cannot take a new round" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent there")
def test_ctrl_c_leaves_the_project_as_it_was(folder: Path) -> None:
    with Project.open(folder) as project:
        before = project.plan
    options = ["--steps", "100000", "--threads", "1"]
    command = [sys.executable, "-u", "-m", "napari_mouse_seg.cli", "train", str(folder), *options]
    # Where the tests run in the background of a shell, children would not hear Ctrl-C.
    hear = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, preexec_fn=hear, **pipes) as process:
        try:
            assert process.stdout is not None
            assert any(line.startswith("step ") for line in process.stdout)  # It is at work, all is imported.
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Traceback" not in said
    with Project.open(folder) as project:
        assert project.plan == before
    assert not list(folder.glob("rounds/*"))


def test_another_base_holds_for_one_round(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Project.open(folder) as project:
        before = project.plan.base
    write_random_model(tmp_path)
    monkeypatch.chdir(tmp_path)
    options = ["--steps", "1", "--threads", "1"]
    assert main(["train", str(folder), *options, "--base", "nuclei-histolgy"]) == 1
    assert "There is no model 'nuclei-histolgy'" in capsys.readouterr().err
    assert main(["train", str(folder), *options, "--base", "random.safetensors"]) == 0
    assert "Training discs 1 from random" in capsys.readouterr().out
    assert main(["train", str(folder), *options, "--base", "random.safetensors", "--start-from", "last"]) != 0
    assert "--base and --start-from last contradict" in capsys.readouterr().err
    with Project.open(folder) as project:
        assert project.plan.base == before
        assert [entry.base for entry in project.plan.rounds] == ["random"]
