"""What a training process leaves behind, and orders that come before it has started."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from helpers.projects import SHORT, disc_project
from napari_mouse_seg.errors import TrainingError
from napari_mouse_seg.events import CheckpointReady, Finished
from napari_mouse_seg.pipeline import TrainingProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_mouse_seg.projects import Project

LONG = SHORT.replace(steps=10_000, threads=1)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with disc_project(tmp_path) as made:
        yield made


def test_an_order_given_before_the_start_counts(project: Project) -> None:
    process = TrainingProcess(project.folder, LONG)
    process.order("stop")
    last = list(process.events())[-1]
    assert isinstance(last, Finished)
    assert last.result.steps < LONG.steps


def test_a_cancelled_process_leaves_no_file(project: Project) -> None:
    process = TrainingProcess(project.folder, LONG)
    events = process.events()
    next(event for event in events if isinstance(event, CheckpointReady))
    assert list((project.folder / "rounds").iterdir())
    events.close()
    assert list((project.folder / "rounds").iterdir()) == []


def test_a_preview_that_was_not_announced_yet_goes_too(project: Project) -> None:
    process = TrainingProcess(project.folder, LONG)
    events = process.events()
    rounds = project.folder / "rounds"
    next(events)
    rounds.mkdir(exist_ok=True)
    for name in (".preview-round-001.safetensors.part", ".preview-round-001.safetensors", ".checkpoint-round-001.pt"):
        (rounds / name).write_bytes(b"left in the moment of the kill")
    events.close()
    assert list(rounds.iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_what_a_crash_left_to_go_on_from_is_kept(project: Project) -> None:
    process = TrainingProcess(project.folder, LONG)
    events = process.events()
    next(event for event in events if isinstance(event, CheckpointReady))
    checkpoint = project.folder / "rounds" / ".checkpoint-round-001.pt"
    checkpoint.write_bytes(b"kept once a minute")
    os.kill(process.process_id or 0, signal.SIGKILL)
    with pytest.raises(TrainingError, match="killed"):
        list(events)
    assert list((project.folder / "rounds").iterdir()) == [checkpoint]
