"""A training in a process of its own: a crash, a kill or a full memory there leaves the viewer and the paint alone.

A plain subprocess rather than ``multiprocessing``: its spawned children run the main script of the user's program
again, which opens a second viewer where that script has no guard.
"""

from __future__ import annotations

import dataclasses
import json
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from napari_mouse_seg.errors import TrainingError
from napari_mouse_seg.events import CheckpointReady, Event, Finished, Started, StepsDone, Validated, Warned
from napari_mouse_seg.pipeline._retrain_keeper import forget_left
from napari_mouse_seg.plans import RoundPlan

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from typing import IO

    from napari_mouse_seg.plans import RetrainPlan

_EVENTS: dict[str, type[Event]] = {
    kind.__name__: kind for kind in (Started, StepsDone, Validated, CheckpointReady, Warned)
}
Order = Literal["pause", "resume", "stop"]
_POLL_S = 0.2
_PATIENCE_S = 3.0
_LAST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class StillWaiting(Event):
    """Nothing new; gives the listener a chance to cancel."""


class Orders:
    """A ``training.Control`` whose orders come from elsewhere."""

    def __init__(self) -> None:
        self._may_work = threading.Event()
        self._may_work.set()
        self._stop = threading.Event()

    def pause(self) -> None:
        """Stop after the present step, until ``resume``."""
        self._may_work.clear()

    def resume(self) -> None:
        """Go on."""
        self._may_work.set()

    def stop(self) -> None:
        """End after the present step, and keep the best."""
        self._stop.set()
        self._may_work.set()

    def wait_while_paused(self) -> None:
        """Return at once unless it is paused."""
        self._may_work.wait()

    def wants_stop(self) -> bool:
        """Return whether to stop and keep the best."""
        return self._stop.is_set()


class TrainingProcess:
    """One round of training, elsewhere.

    Parameters
    ----------
    folder
        Of the project, whose paint is saved.
    plan
        Length, step size, device.
    """

    def __init__(self, folder: Path, plan: RetrainPlan) -> None:
        from napari_mouse_seg.projects import Layout

        # -P: a file named like a module in the folder where napari was started must not take that module's place.
        worker = ["-P", "-m", "napari_mouse_seg.pipeline._worker"]
        self._command = [sys.executable, *worker, str(folder), plan.model_dump_json()]
        self._rounds = Layout(folder).rounds
        self._process: subprocess.Popen[str] | None = None
        self._early: list[Order] = []

    @property
    def process_id(self) -> int | None:
        """None while it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def order(self, what: Order) -> None:
        """Tell it something; what is said before it starts reaches it then, nothing happens if it has ended."""
        process = self._process  # It may end in the middle of this.
        if process is None:
            self._early.append(what)
        elif process.stdin is not None:
            with suppress(OSError, ValueError):
                process.stdin.write(what + "\n")
                process.stdin.flush()

    def events(self) -> Generator[Event, None, None]:
        """Start the process and report what it does; closing the generator ends it.

        Yields
        ------
        Event
            As ``retrain``, and ``StillWaiting`` in between.

        Raises
        ------
        TrainingError
            In the words of the process; or, if it was killed or crashed, what became of it and what to do.
        """
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
            self._process = process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8"
            )
            lines: queue.Queue[str | None] = queue.Queue()
            threading.Thread(target=_read_lines, args=(process, lines), daemon=True).start()
            self._tell_early()
            finished = cancelled = False
            try:
                while (line := _next_line(lines)) is not None:
                    event = StillWaiting() if line == "" else _decode(json.loads(line))
                    finished |= isinstance(event, Finished)
                    yield event
                if not finished:
                    raise TrainingError(_last_words(process.wait(_LAST_WAIT_S), log))
            except GeneratorExit:
                cancelled = True
                raise
            finally:
                _end(process)
                forget_left(self._rounds, checkpoint=cancelled)  # A killed process could not.

    def _tell_early(self) -> None:
        """Pass on orders that were given before there was a process."""
        early, self._early = self._early, []
        for what in early:
            self.order(what)


def _read_lines(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    with suppress(ValueError):  # Closed while it was read.
        for line in process.stdout or ():
            if line.endswith("\n"):  # The last one may have been cut short by a kill.
                lines.put(line)
    lines.put(None)


def _next_line(lines: queue.Queue[str | None]) -> str | None:
    """Return a line, "" if there is none yet, None at the end."""
    try:
        return lines.get(timeout=_POLL_S)
    except queue.Empty:
        return ""


def encode(event: Event) -> dict[str, object]:
    """Turn an event of a training into what JSON can hold."""
    if isinstance(event, Finished):
        return {"event": "Finished", "result": event.result.model_dump(mode="json")}
    fields = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    return {"event": type(event).__name__, **fields}


def _decode(message: dict[str, Any]) -> Event:
    kind = message.pop("event")
    if kind == "Failed":
        raise TrainingError(message["message"])
    if kind == "Finished":
        return Finished(RoundPlan.model_validate(message["result"]))
    return _EVENTS[kind](**message)


def _last_words(code: int, log: IO[str]) -> str:
    safe = "Viewer and paint are untouched; train again"
    if code < 0 and -code == signal.SIGKILL:
        return (
            f"The training process was killed, most likely because memory ran out. {safe} with a smaller batch or crop."
        )
    log.seek(0)
    last = [line.strip() for line in log if line.strip()][-1:]
    said = f": {last[0]}" if last else ""
    return f"The training process ended with code {code}{said}. {safe}, or on another device."


def _end(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):
            if pipe is not None and pipe is process.stdin:
                pipe.close()  # It ends by itself when nobody listens any more.
    try:
        process.wait(0.2)
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()
