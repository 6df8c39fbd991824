"""Runs a session's generators in threads.

A plain thread rather than napari's ``thread_worker``: cancelling must close the generator where it stands,
the viewer's closing must wait for the thread. A lower priority was rejected: a thread that is put aside
while it holds the interpreter's lock stops the viewer as well.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Qt, Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from napari_mouse_seg.events import Event

_SWITCH_INTERVAL_S = 0.001


class _Haste:
    """Lets Python switch threads faster while tasks of any runner work; used on the main thread alone."""

    def __init__(self) -> None:
        self._tasks = 0
        self._usual_s = 0.0

    @property
    def is_needed(self) -> bool:
        return self._tasks > 0

    def begin(self) -> None:
        if self._tasks == 0:
            self._usual_s = sys.getswitchinterval()
            sys.setswitchinterval(min(self._usual_s, _SWITCH_INTERVAL_S))
        self._tasks += 1

    def end(self) -> None:
        self._tasks -= 1
        if self._tasks == 0:
            sys.setswitchinterval(self._usual_s)


_HASTE = _Haste()  # The interval is the interpreter's.


def is_at_work() -> bool:
    """Return whether a task of any runner has not ended yet; for the main thread."""
    return _HASTE.is_needed


class ThreadTask:
    """A generator in its thread."""

    def __init__(self, events: Generator[Event, None, None]) -> None:
        self._events = events
        self._cancelled = threading.Event()
        self.thread = threading.Thread(target=lambda: None)

    def cancel(self) -> None:
        """Close the generator after the event under way; returns at once."""
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        """Whether it was told to stop."""
        return self._cancelled.is_set()

    def work(self, post_event: Callable[[Event], None], post_end: Callable[[Exception | None], None]) -> None:
        """Run to the end; called in the thread."""
        error: Exception | None = None
        try:
            for event in self._events:
                post_event(event)  # Even after a cancel: what it tells of has been done.
                if self._cancelled.is_set():
                    break
        except Exception as caught:  # noqa: BLE001 (the run boundary: the session puts it in words)
            error = caught
        try:
            self._events.close()
        except Exception as caught:  # noqa: BLE001 (as above)
            error = error or caught
        finally:
            post_end(error)


class ThreadRunner(QObject):
    """A ``session.Runner`` whose callbacks run in the thread that made it, the main thread.

    While a task works, Python switches threads every millisecond, so that a redraw, which takes and gives
    the interpreter's lock hundreds of times, does not wait five each time.
    """

    _posted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._closed = False
        self._tasks: list[ThreadTask] = []
        self._inbox: deque[tuple[Callable[[Any], None], Any]] = deque()  # Any: whatever the callback takes
        self._delivering = False
        self._posted.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def start(
        self,
        events: Generator[Event, None, None],
        on_event: Callable[[Event], None],
        on_end: Callable[[Exception | None], None],
    ) -> ThreadTask:
        """Run a generator in a thread; see ``session.Runner``."""
        task = ThreadTask(events)
        self._tasks.append(task)
        _HASTE.begin()

        def end(error: Exception | None) -> None:
            self._forget(task)
            on_end(error)

        task.thread = threading.Thread(
            target=task.work,
            args=(lambda event: self._post(on_event, event), lambda error: self._post(end, error)),
            name="mouse-seg",
            daemon=True,  # A last resort: shutdown waits for it.
        )
        task.thread.start()
        return task

    def wait(self, timeout_s: float = 10.0) -> None:
        """Wait for tasks that have been cancelled, without handling what they said last."""
        for task in list(self._tasks):
            if task.is_cancelled:
                task.thread.join(timeout_s)

    def shutdown(self, timeout_s: float = 10.0) -> bool:
        """Cancel all tasks, drop what they still say, and wait for their threads.

        Returns
        -------
        bool
            Whether all threads ended in time.
        """
        with self._lock:
            self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        for task in tasks:
            task.thread.join(timeout_s)
            self._forget(task)
        return not any(task.thread.is_alive() for task in tasks)

    def _post(self, callback: Callable[[Any], None], argument: Any) -> None:  # Any: whatever the callback takes
        """Hand a call over to the main thread; called in a task's thread."""
        with self._lock:
            if not self._closed:
                self._posted.emit((callback, argument))

    def _deliver(self, message: tuple[Callable[[Any], None], Any]) -> None:
        """Call back, one message after the other: napari's progress bars handle events while they are drawn."""
        self._inbox.append(message)
        if self._delivering:
            return
        self._delivering = True
        try:
            while self._inbox and not self._closed:
                callback, argument = self._inbox.popleft()
                callback(argument)
        finally:
            self._delivering = False

    def _forget(self, task: ThreadTask) -> None:
        if task in self._tasks:
            self._tasks.remove(task)
            _HASTE.end()
