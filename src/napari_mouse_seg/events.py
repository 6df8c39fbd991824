"""What a run reports while it works. A run is a generator of these; it never calls back.

The listener decides what to show: a progress bar, a printed line, or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mouse_seg.tiling import Box


@dataclass(frozen=True, slots=True)
class Event:
    """Root of all events."""


@dataclass(frozen=True, slots=True)
class Started(Event):
    """A stage began: ``"statistics"``, ``"scores"`` or ``"instances"``, with its number of bands, tiles or blocks."""

    stage: str
    total: int


@dataclass(frozen=True, slots=True)
class TileDone(Event):
    """Bands, tiles or blocks done in this stage, of how many, and the box just finished (network pixels)."""

    stage: str
    done: int
    total: int
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Warned(Event):
    """Something the user should know; the run goes on."""

    message: str


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """The run is complete; ``result`` is its outcome (for ``segment`` a ``SegmentResult``)."""

    result: Any
