"""Ctrl-C ends a run wherever it is heard."""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from helpers.projects import disc_project
from napari_mouse_seg import pipeline
from napari_mouse_seg.cli import main
from napari_mouse_seg.cli._interrupt import hearing_interrupts, heed
from napari_mouse_seg.events import Event, Started, StepsDone

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _hearing() -> Iterator[None]:
    """Where tests run in the background of a shell, Ctrl-C is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def lose_an_interrupt() -> None:
    """As a library's finaliser does: Python drops what is raised there."""
    with suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_it_is_raised_at_once() -> None:
    with hearing_interrupts(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_one_that_was_lost_is_raised_at_the_next_event() -> None:
    heard: list[Event] = []
    with hearing_interrupts():
        lose_an_interrupt()
        with pytest.raises(KeyboardInterrupt):
            heard.extend(heed([Started("scores", 1), Started("objects", 1)]))
    with hearing_interrupts():  # It is not that of the next command.
        assert list(heed([Started("scores", 1)])) == [Started("scores", 1)]


def test_a_handler_of_somebody_else_stays() -> None:
    def handle(*_: object) -> None:
        """Not ours."""

    before = signal.signal(signal.SIGINT, handle)
    try:
        with hearing_interrupts():
            assert signal.getsignal(signal.SIGINT) is handle
    finally:
        signal.signal(signal.SIGINT, before)


def test_beside_the_main_thread_none_can_be_heard() -> None:
    worked: list[bool] = []

    def work() -> None:
        with hearing_interrupts():
            worked.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert worked == [True]


def test_a_training_ends_though_a_library_lost_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    closed: list[bool] = []

    def retrain(*_: object) -> Generator[Event, None, None]:
        lose_an_interrupt()
        try:
            yield StepsDone(1, 2, 0.5, 1.0)
            yield StepsDone(2, 2, 0.5, 0.0)
        finally:
            closed.append(True)

    with disc_project(tmp_path) as project:
        folder = project.folder
    monkeypatch.setattr(pipeline, "retrain", retrain)
    assert main(["train", str(folder)]) == 130
    assert "Cancelled" in capsys.readouterr().err
    assert closed == [True]
