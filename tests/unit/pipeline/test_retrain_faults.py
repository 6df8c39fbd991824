"""A disk that refuses, and a memory that runs out, in the middle of a training."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from helpers.projects import SHORT, disc_project
from napari_mouse_seg.errors import TrainingError
from napari_mouse_seg.events import CheckpointReady, Event, Finished, Warned
from napari_mouse_seg.networks import load_model
from napari_mouse_seg.pipeline import Orders, resolve_retrain, retrain
from napari_mouse_seg.training import FineTuning, _finetune

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_mouse_seg.projects import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with disc_project(tmp_path) as made:
        yield made


@pytest.fixture(autouse=True)
def _look_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_finetune, "_FIRST_LOOK_S", 0.0)


class Disk:
    """Refuses files whose name begins so."""

    def __init__(self) -> None:
        self.refused = ""
        self._replace = os.replace

    def replace(self, source: Path, target: Path) -> None:
        if self.refused and target.name.startswith(self.refused):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._replace(source, target)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk()
    monkeypatch.setattr(os, "replace", made.replace)
    return made


def train(project: Project) -> list[Event]:
    return list(retrain(resolve_retrain(project), Orders(), threads=1))


def test_previews_that_cannot_be_written_do_not_end_the_training(project: Project, disk: Disk) -> None:
    disk.refused = ".preview"
    events = train(project)
    assert isinstance(events[-1], Finished)
    assert not any(isinstance(event, CheckpointReady) for event in events)
    assert load_model(project.round_file(1)).network() is not None


def test_a_model_that_cannot_be_written_is_not_learnt_again(project: Project, disk: Disk) -> None:
    disk.refused = "round-001"
    with pytest.raises(TrainingError, match=r"disk of .* is full .*train again: it goes on where it ended"):
        train(project)
    rounds = project.round_file(1).parent
    assert [path.name for path in rounds.iterdir()] == [".checkpoint-round-001.pt"]
    disk.refused = ""
    events = train(project)
    (warned,) = [event.message for event in events if isinstance(event, Warned)]
    assert "cut off after 3 steps" in warned
    done = events[-1].result  # type: ignore[attr-defined]
    assert (done.steps, done.number) == (3, 1)
    assert [path.name for path in rounds.iterdir()] == ["round-001.safetensors"]


def test_a_preview_that_is_in_use_does_not_cost_the_round(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    path_type = type(project.folder)
    unlink = path_type.unlink

    def refuse(self: Path, missing_ok: bool = False) -> None:
        if self.name.startswith(".preview"):
            raise PermissionError(errno.EACCES, "in use")
        unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(path_type, "unlink", refuse)
    assert isinstance(train(project)[-1], Finished)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"),
        MemoryError(),
    ],
)
def test_a_lack_of_memory_is_told_in_words(project: Project, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(self: FineTuning, control: object) -> Iterator[Event]:
        raise error
        yield

    monkeypatch.setattr(FineTuning, "run", fail)
    with pytest.raises(TrainingError, match=r"Memory ran out on .*; choose a smaller batch"):
        train(project)


def test_other_errors_are_not_taken_for_a_lack_of_memory(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: FineTuning, control: object) -> Iterator[Event]:
        raise RuntimeError("shapes do not fit")
        yield

    monkeypatch.setattr(FineTuning, "run", fail)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        train(project)


def test_a_network_that_pools_whole_crops_needs_two_of_them(project: Project) -> None:
    project.update(base="new:deeplabv3plus/resnet34")
    with pytest.raises(TrainingError, match="batch of one crop; set the batch size to 2"):
        resolve_retrain(project, SHORT.replace(batch_size=1))
    assert resolve_retrain(project, SHORT.replace(batch_size=2)).train
