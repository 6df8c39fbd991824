"""What a session tells its listeners."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.events import Event, Started, TileDone

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

_SHARE = {"statistics": (0.0, 0.05), "scores": (0.05, 0.85), "instances": (0.9, 0.1), "areas": (0.9, 0.1)}
_NAMES = {
    "statistics": "Reading intensities",
    "scores": "Running the network",
    "instances": "Separating objects",
    "areas": "Telling classes apart",
}
_FIRST_GUESS_S = 0.5


class RunState(Enum):
    """What the session's run is doing."""

    IDLE = "idle"
    RUNNING = "running"
    CANCELLING = "cancelling"


@dataclass(frozen=True, slots=True)
class Check:
    """Whether the choices can run.

    Attributes
    ----------
    problem
        Why not, in words; empty if they can.
    field
        The plan's field that must change; empty if it is not one alone.
    warnings
        What does not fit, although it can run.
    """

    problem: str = ""
    field: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    text
        The stage and its count, for people.
    fraction
        Of the whole run, from 0 to 1.
    left_s
        Seconds left; None while there is no telling.
    """

    text: str
    fraction: float
    left_s: float | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """What a finished run found.

    Attributes
    ----------
    found
        What is in the region that was segmented last, for people.
    whole_image
        Whether that was the full image.
    seconds
        From the start to the merged labels.
    device
        Where the network ran, for people.
    warnings
        All that was warned of.
    remark
        What became of labels that were there before; empty if nothing did.
    """

    found: str
    whole_image: bool
    seconds: float
    device: str
    warnings: tuple[str, ...] = ()
    remark: str = ""


@dataclass(slots=True)
class ProgressMeter:
    """Turns events into progress; time left comes from the pace of the present stage."""

    clock: Callable[[], float] = time.perf_counter
    _fraction: float = 0.0
    _stage: str = ""
    _stage_began: float = field(default=0.0)

    def update(self, event: Event) -> Progress | None:
        """Take an event in; None if it says nothing about progress."""
        if isinstance(event, Started):
            self._stage, self._stage_began = event.stage, self.clock()
            return Progress(_text(event.stage, 0, event.total), self._advance(event.stage, 0, event.total))
        if isinstance(event, TileDone):
            fraction = self._advance(event.stage, event.done, event.total)
            return Progress(_text(event.stage, event.done, event.total), fraction, self._left(event))
        return None

    def _advance(self, stage: str, done: int, total: int) -> float:
        """Never back, also when several regions follow each other."""
        start, share = _SHARE.get(stage, (0.0, 1.0))
        self._fraction = max(self._fraction, start + share * done / max(1, total))
        return self._fraction

    def _left(self, event: TileDone) -> float | None:
        elapsed = self.clock() - self._stage_began
        if event.stage != self._stage or event.done == 0 or elapsed < _FIRST_GUESS_S:
            return None
        return elapsed / event.done * (event.total - event.done)


def _text(stage: str, done: int, total: int) -> str:
    return f"{_NAMES.get(stage, stage.capitalize())}: {done} of {total} {'bands' if stage == 'statistics' else 'tiles'}"


def in_words(error: Exception, what: str) -> str:
    """Return why ``what`` failed, for people; what nobody foresaw goes to the log with its traceback."""
    if isinstance(error, MouseSegError):
        return str(error)
    logger.error("%s failed unexpectedly.", what, exc_info=error)
    return f"{what} failed unexpectedly ({type(error).__name__}: {error}); the log has the details."
