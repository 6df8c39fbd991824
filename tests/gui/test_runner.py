"""Threads report to the main thread, stop when told, and leave nothing behind."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest

from napari_mouse_seg.events import Event, TileDone
from napari_mouse_seg.plugin._runner import ThreadRunner, is_at_work

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from pytestqt.qtbot import QtBot


LONG_MS = 60_000  # Only a hang takes this long.


class Source:
    """A generator of events that waits where it is told to."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.go = threading.Semaphore(0)
        self.closed = threading.Event()
        self.threads: set[int] = set()

    def events(self) -> Generator[Event, None, None]:
        try:
            for number in range(self.count):
                self.go.acquire(timeout=LONG_MS / 1000)
                self.threads.add(threading.get_ident())
                yield TileDone("scores", number, self.count)
        finally:
            self.closed.set()


@pytest.fixture
def runner(qtbot: QtBot) -> Iterator[ThreadRunner]:
    runner = ThreadRunner()
    yield runner
    assert runner.shutdown()


def test_events_arrive_in_order_on_the_main_thread(runner: ThreadRunner, qtbot: QtBot) -> None:
    heard: list[tuple[int, int]] = []
    ends: list[Exception | None] = []
    source = Source(5)
    source.go.release(5)
    runner.start(source.events(), lambda event: heard.append((event.done, threading.get_ident())), ends.append)
    qtbot.waitUntil(lambda: bool(ends), timeout=LONG_MS)
    assert [done for done, _ in heard] == [0, 1, 2, 3, 4]
    assert {thread for _, thread in heard} == {threading.main_thread().ident}
    assert threading.main_thread().ident not in source.threads
    assert ends == [None]


def test_cancel_closes_the_generator_after_the_event_under_way(runner: ThreadRunner, qtbot: QtBot) -> None:
    heard: list[Event] = []
    ends: list[Exception | None] = []
    source = Source(1000)
    source.go.release(1)
    task = runner.start(source.events(), heard.append, ends.append)
    qtbot.waitUntil(lambda: len(heard) == 1, timeout=LONG_MS)
    task.cancel()
    source.go.release(1)
    qtbot.waitUntil(lambda: bool(ends), timeout=LONG_MS)
    assert source.closed.is_set()
    assert len(heard) == 2  # What was done when the cancel came is still told: labels may have changed.


def test_error_is_handed_over(runner: ThreadRunner, qtbot: QtBot) -> None:
    def failing() -> Generator[Event, None, None]:
        yield TileDone("scores", 0, 1)
        raise ValueError("bad tile")

    ends: list[Exception | None] = []
    runner.start(failing(), lambda event: None, ends.append)
    qtbot.waitUntil(lambda: bool(ends), timeout=LONG_MS)
    assert isinstance(ends[0], ValueError)


def test_the_end_is_heard_of_a_task_whose_clean_up_fails(runner: ThreadRunner, qtbot: QtBot) -> None:
    def failing() -> Generator[Event, None, None]:
        try:
            while True:
                yield TileDone("scores", 0, 1)
        finally:
            raise OSError("the network drive is gone")

    ends: list[Exception | None] = []
    task = runner.start(failing(), lambda event: None, ends.append)
    task.cancel()
    qtbot.waitUntil(lambda: bool(ends), timeout=LONG_MS)
    assert isinstance(ends[0], OSError)
    assert not is_at_work()


def test_nothing_is_heard_after_shutdown(qtbot: QtBot) -> None:
    runner = ThreadRunner()
    heard: list[object] = []
    source = Source(3)
    source.go.release(3)
    task = runner.start(source.events(), heard.append, heard.append)
    assert runner.shutdown()
    assert not task.thread.is_alive()
    qtbot.wait(20)
    assert heard == []


@pytest.fixture
def switch_interval_s() -> Iterator[float]:
    """Return Python's usual interval, whatever earlier tests have left."""
    left = sys.getswitchinterval()
    sys.setswitchinterval(0.005)
    yield sys.getswitchinterval()
    sys.setswitchinterval(left)


def test_threads_switch_faster_only_while_a_task_works(
    switch_interval_s: float, runner: ThreadRunner, qtbot: QtBot
) -> None:
    ends: list[object] = []
    source = Source(1)
    runner.start(source.events(), lambda event: None, ends.append)
    assert sys.getswitchinterval() < switch_interval_s
    source.go.release(1)
    qtbot.waitUntil(lambda: bool(ends), timeout=LONG_MS)
    assert sys.getswitchinterval() == switch_interval_s


def test_two_runners_do_not_end_one_anothers_haste(
    switch_interval_s: float, runner: ThreadRunner, qtbot: QtBot
) -> None:
    other, ends = ThreadRunner(), []
    sources = [Source(1), Source(1)]
    for each, source in zip((runner, other), sources, strict=True):
        each.start(source.events(), lambda event: None, ends.append)
    sources[0].go.release(1)
    qtbot.waitUntil(lambda: len(ends) == 1, timeout=LONG_MS)
    assert sys.getswitchinterval() < switch_interval_s
    sources[1].go.release(1)
    qtbot.waitUntil(lambda: len(ends) == 2, timeout=LONG_MS)
    assert sys.getswitchinterval() == switch_interval_s
    assert other.shutdown()


def test_wait_returns_when_cancelled_tasks_have_ended(runner: ThreadRunner, qtbot: QtBot) -> None:
    source = Source(10)
    on_event: Callable[[Event], None] = lambda event: None  # noqa: E731
    task = runner.start(source.events(), on_event, lambda error: None)
    task.cancel()
    source.go.release(1)
    runner.wait()
    assert not task.thread.is_alive()


def test_a_listener_that_handles_events_does_not_mix_up_the_order(runner: ThreadRunner, qtbot: QtBot) -> None:
    order: list[str] = []
    source = Source(2)
    source.go.release(2)

    def slow(event: Event) -> None:
        order.append(f"begin {event.done}")
        qtbot.wait(100)  # As napari's progress bars do.
        order.append(f"end {event.done}")

    runner.start(source.events(), slow, lambda error: order.append("over"))
    qtbot.waitUntil(lambda: "over" in order, timeout=LONG_MS)
    assert order == ["begin 0", "end 0", "begin 1", "end 1", "over"]
