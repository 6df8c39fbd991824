"""What a training process leaves behind, and orders that come before it has started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from helpers.projects import SHORT, disc_project
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
