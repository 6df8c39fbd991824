"""What a run reports while it works. A run is a generator of these; it never calls back.

The listener decides what to show: a progress bar, a printed line, or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
class StepsDone(Event):
    """Optimiser steps done in a training, of how many (an estimate where time decides), and their mean loss.

    ``left_s`` is the time left in seconds, None where nobody counts it.
    """

    steps: int
    total: int
    loss: float
    left_s: float | None = None


@dataclass(frozen=True, slots=True)
class Validated(Event):
    """How good the model in training is after so many steps; ``best`` if it is the best so far.

    ``score`` is None where there is nothing to measure with; ``name`` says in words what it measures. ``parts`` are
    what it is made of: for objects ``f1_50`` of the patches that are painted in full and ``foreground_iou`` of the
    others, for areas ``mean_iou`` and ``iou <class>`` of each class that is annotated.
    """

    steps: int
    score: float | None
    best: bool
    parts: dict[str, float] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True, slots=True)
class CheckpointReady(Event):
    """A model file to look at in between; the next one replaces it."""

    steps: int
    path: str


@dataclass(frozen=True, slots=True)
class Warned(Event):
    """Something the user should know; the run goes on."""

    message: str


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """The run is complete; ``result`` is its outcome (for ``segment`` a ``SegmentResult``)."""

    result: Any
