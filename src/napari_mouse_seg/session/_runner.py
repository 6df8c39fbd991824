"""How a session gets work done beside the main thread; the plugin has one with threads, tests step by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from napari_mouse_seg.events import Event


class RunningTask(Protocol):
    """A generator at work."""

    def cancel(self) -> None:
        """Close the generator before its next event; returns at once."""


class Runner(Protocol):
    """Runs generators of events."""

    def start(
        self,
        events: Generator[Event, None, None],
        on_event: Callable[[Event], None],
        on_end: Callable[[Exception | None], None],
    ) -> RunningTask:
        """Run a generator elsewhere and report on the main thread.

        Parameters
        ----------
        events
            Is exhausted, or closed when the task is cancelled.
        on_event
            Called on the main thread for each event, in order.
        on_end
            Called once on the main thread after the last event, when the generator is closed; with the
            exception if it raised one.

        Returns
        -------
        RunningTask
            To cancel it.
        """
