"""A training in a process of its own: what it tells, the orders it takes, what it leaves when it is cut off."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from helpers.projects import SHORT, SIDE, disc_project
from napari_mouse_seg.errors import TrainingError
from napari_mouse_seg.events import Finished, StepsDone
from napari_mouse_seg.networks import load_model
from napari_mouse_seg.pipeline import StillWaiting, TrainingProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_mouse_seg.events import Event
    from napari_mouse_seg.projects import Project

LONG = SHORT.replace(steps=10_000, threads=1)
LEFT = (".preview-round-001.safetensors.part", ".preview-round-001.safetensors", ".checkpoint-round-001.pt")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with disc_project(tmp_path) as made:
        yield made


@dataclass(frozen=True)
class WholeRun:
    """A short training from its start to its end, and what became of the orders pressed all along."""

    project: Project
    events: list[Event]
    failed: list[Exception]


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeRun]:
    """Run in a folder with a file that is named like a module, while someone keeps pressing *Pause*."""
    folder = tmp_path_factory.mktemp("started-here")
    (folder / "queue.py").write_text("raise RuntimeError('not the queue that was meant')")
    over = threading.Event()
    failed: list[Exception] = []
    with disc_project(folder) as project, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        process = TrainingProcess(project.folder, SHORT.replace(threads=1))

        def press() -> None:
            while not over.is_set():
                try:
                    process.order("pause")
                    process.order("resume")
                    time.sleep(0.001)  # Lest the process do nothing else.
                except Exception as error:  # noqa: BLE001 (whatever it is)
                    failed.append(error)
                    return

        presser = threading.Thread(target=press)
        events = process.events()
        told = [next(events)]
        presser.start()
        told.extend(events)
        over.set()
        presser.join()
        process.order("stop")
        yield WholeRun(project, told, failed)


def begin(process: TrainingProcess) -> Iterator[Event]:
    """Start it and wait until it trains."""
    events = process.events()
    next(event for event in events if isinstance(event, StepsDone))
    return events


def leave_files(project: Project) -> Path:
    """Put there what a training that is cut off in the worst moment leaves; return the folder of the rounds."""
    rounds = project.folder / "rounds"
    rounds.mkdir(exist_ok=True)
    for name in LEFT:
        (rounds / name).write_bytes(b"left in the moment of the kill")
    return rounds


def test_a_process_trains_and_reports_the_same(whole_run: WholeRun) -> None:
    assert any(isinstance(event, StepsDone) for event in whole_run.events)
    done = whole_run.events[-1].result  # type: ignore[attr-defined]
    whole_run.project.add_round(done)
    assert load_model(whole_run.project.round_file(done.number)).card.name == "discs 1"


def test_a_training_is_not_disturbed_by_files_where_it_was_started(whole_run: WholeRun) -> None:
    assert (whole_run.project.folder.parent / "queue.py").exists()
    assert isinstance(whole_run.events[-1], Finished)


def test_orders_may_come_while_it_ends(whole_run: WholeRun) -> None:
    assert not whole_run.failed


def test_words_of_the_process_arrive_as_they_were_said(project: Project) -> None:
    project.write_paint("p001", np.zeros((SIDE, SIDE), int))
    with pytest.raises(TrainingError, match="Nothing is painted yet"):
        list(TrainingProcess(project.folder, SHORT).events())


def test_a_process_killed_in_the_middle_of_a_line_is_said_to_be_killed(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text(
        "import os, sys, signal\n"
        'sys.stdout.write(\'{"event": "Started", "stage": "tra\')\n'
        "sys.stdout.flush()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    process = TrainingProcess(project.folder, SHORT)
    monkeypatch.setattr(process, "_command", [sys.executable, str(worker)])
    with pytest.raises(TrainingError, match="killed"):
        list(process.events())


def test_an_order_given_before_the_start_counts(project: Project) -> None:
    process = TrainingProcess(project.folder, LONG)
    process.order("stop")
    last = list(process.events())[-1]
    assert isinstance(last, Finished)
    assert last.result.steps < LONG.steps


def test_pause_and_stop_reach_the_process(project: Project) -> None:
    process = TrainingProcess(project.folder, LONG)
    events = begin(process)
    process.order("pause")
    waited = 0
    for event in events:  # Once it is paused, nothing but waiting is left.
        waited = waited + 1 if isinstance(event, StillWaiting) else 0
        if waited > 8:
            break
    process.order("stop")
    rest = list(events)
    assert isinstance(rest[-1], Finished)
    assert rest[-1].result.steps < LONG.steps


def test_a_cancelled_process_is_ended_and_leaves_no_file(project: Project) -> None:
    process = TrainingProcess(project.folder, LONG)
    events = begin(process)
    process_id = process.process_id
    assert process_id is not None
    rounds = leave_files(project)
    events.close()  # type: ignore[attr-defined]
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)
    assert list(rounds.iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_a_killed_process_is_told_and_leaves_the_project_and_what_to_go_on_from(project: Project) -> None:
    before = project.plan, project.paint("p001")
    process = TrainingProcess(project.folder, LONG)
    events = begin(process)
    assert process.process_id is not None
    rounds = leave_files(project)
    os.kill(process.process_id, signal.SIGKILL)
    with pytest.raises(TrainingError, match="was killed, most likely because memory ran out"):
        list(events)
    assert project.plan == before[0]
    np.testing.assert_array_equal(project.paint("p001"), before[1])
    assert list(rounds.iterdir()) == [rounds / ".checkpoint-round-001.pt"]
