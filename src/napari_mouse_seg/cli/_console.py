"""The one place that prints: results to stdout, everything else to stderr."""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mouse_seg.events import Started, StepsDone, TileDone

if TYPE_CHECKING:
    from typing import TextIO

    from napari_mouse_seg.events import Event

_WIDTH = 78


@dataclass(slots=True)
class Console:
    """Output of one call of the command.

    Attributes
    ----------
    debug
        Whether errors come with their traceback.
    lost
        Why a result could not be printed, in words; empty if all could, or if nobody reads any more (``| head``).
    """

    debug: bool = False
    lost: str = field(default="", init=False)
    _stage: str = field(default="", init=False)
    _since: float = field(default=0.0, init=False)
    _line: bool = field(default=False, init=False)

    def out(self, text: str = "") -> None:
        """Print a result."""
        self._clear()
        self.lost = _print(text, sys.stdout) or self.lost

    def warn(self, text: str) -> None:
        """Print what the user should know."""
        self._clear()
        _print(f"Warning: {text}", sys.stderr)

    def error(self, text: str, cause: BaseException | None = None) -> None:
        """Print what went wrong; with its traceback only in debug mode."""
        self._clear()
        if self.debug and cause is not None:
            traceback.print_exception(cause)
        _print(f"Error: {text}", sys.stderr)

    def progress(self, name: str, event: Event) -> None:
        """Show how far a run is, in one line that is written over; nothing where no one watches."""
        if sys.stderr is None or not sys.stderr.isatty():  # None where a service has closed it.
            return
        if isinstance(event, Started):
            self._stage, self._since = event.stage, time.monotonic()
            self._show(f"{name}: {event.stage} …")
        elif isinstance(event, TileDone):
            left = (time.monotonic() - self._since) * (event.total - event.done) / max(1, event.done)
            self._show(f"{name}: {event.stage} {event.done}/{event.total}, {left:.0f} s left")
        elif isinstance(event, StepsDone):
            rest = "" if event.left_s is None else f", {event.left_s:.0f} s left"
            self._show(f"{name}: step {event.steps}/{event.total}, loss {event.loss:.3f}{rest}")

    def _show(self, text: str) -> None:
        print("\r" + text[:_WIDTH].ljust(_WIDTH), end="", file=sys.stderr, flush=True)
        self._line = True

    def _clear(self) -> None:
        if self._line:
            print("\r" + " " * _WIDTH + "\r", end="", file=sys.stderr, flush=True)
            self._line = False


def _print(text: str, stream: TextIO | None) -> str:
    """Print a line; where that fails, as after ``| head`` or on a full disk, go on: results are still to be written.

    Returns why it failed; empty if it did not, or if nobody reads.
    """
    if stream is None:
        return ""
    try:
        print(text, file=stream, flush=True)
    except OSError as error:
        with Path(os.devnull).open("w", encoding="utf-8") as nothing:
            os.dup2(nothing.fileno(), stream.fileno())
        return "" if isinstance(error, BrokenPipeError) else error.strerror or str(error)
    return ""


def quieten_libraries() -> None:
    """Leave out what libraries say of files besides their errors; the command says in its own words what is wrong."""
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def make_streams_safe() -> None:
    """Let consoles without Unicode show a ``?`` instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
