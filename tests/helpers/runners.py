"""A runner whose tasks are stepped by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from napari_mouse_seg.events import Event


@dataclass
class FakeTask:
    """Steps a generator as a worker would, but only when told."""

    events: Generator[Event, None, None]
    on_event: Callable[[Event], None]
    on_end: Callable[[Exception | None], None]
    cancelled: bool = False
    ended: bool = False

    def cancel(self) -> None:
        self.cancelled = True

    def step(self) -> bool:
        if self.cancelled:
            self.events.close()
            return self._end(None)
        try:
            event = next(self.events)
        except StopIteration:
            return self._end(None)
        except Exception as error:  # noqa: BLE001 (stands in for the run boundary)
            return self._end(error)
        self.on_event(event)
        return True

    def finish(self) -> None:
        while self.step():
            pass

    def _end(self, error: Exception | None) -> bool:
        self.ended = True
        self.on_end(error)
        return False


@dataclass
class FakeRunner:
    tasks: list[FakeTask] = field(default_factory=list)

    def start(self, events: Any, on_event: Any, on_end: Any) -> FakeTask:
        self.tasks.append(FakeTask(events, on_event, on_end))
        return self.tasks[-1]
