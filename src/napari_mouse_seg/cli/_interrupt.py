"""Ctrl-C, also where a library loses it.

Python raises ``KeyboardInterrupt`` in whatever code runs on the main thread; what is raised in a finaliser or another
callback of a library is dropped, and the run would go on.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType

    from napari_mouse_seg.events import Event

_HEARD = threading.Event()


@contextmanager
def hearing_interrupts() -> Iterator[None]:
    """Remember every Ctrl-C besides raising ``KeyboardInterrupt``, unless somebody else handles it."""
    _HEARD.clear()
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def heed(events: Iterable[Event]) -> Iterator[Event]:
    """Yield events.

    Raises
    ------
    KeyboardInterrupt
        After the next event, if a Ctrl-C was heard and did not end the run.
    """
    for event in events:
        yield event
        if _HEARD.is_set():
            raise KeyboardInterrupt


def _hear(number: int, frame: FrameType | None) -> None:
    _HEARD.set()
    signal.default_int_handler(number, frame)
