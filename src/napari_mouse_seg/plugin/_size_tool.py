"""Finds out how large the objects of an image are: by measuring, or by a line that the user draws."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from psygnal import Signal

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.events import Event, Finished
from napari_mouse_seg.plugin._draw_tool import DrawTool

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_mouse_seg.pipeline import SegmentJob
    from napari_mouse_seg.plugin._runner import ThreadRunner

_CHANGED = "Another image, plane or model was chosen while objects were measured; measure them again."


class SizeTool:
    """Measures or lets draw, one at a time.

    Parameters
    ----------
    viewer
        Where a line is drawn.
    runner
        Measures beside the main thread.
    present
        Returns the job of what is chosen now: what was measured on another image, plane or model is dropped.

    Attributes
    ----------
    found
        Carries the diameter in image pixels, their height where they are not square.
    failed
        Carries the reason in words.
    measuring
        Carries whether it is at work.
    drawing
        Carries whether a line is awaited.
    """

    found = Signal(float)
    failed = Signal(str)
    measuring = Signal(bool)
    drawing = Signal(bool)

    def __init__(self, viewer: ViewerModel, runner: ThreadRunner, present: Callable[[], SegmentJob | None]) -> None:
        self._runner = runner
        self._present = present
        self._layer: ref[Image] | None = None
        self._measured: WeakKeyDictionary[Image, float] = WeakKeyDictionary()
        self._last: float | None = None  # What was measured in that layer, which may be gone.
        self._n_measuring = 0
        self._line = DrawTool(viewer, "line")
        self._line.drawn.connect(self._on_line)
        self._line.ended.connect(lambda: self.drawing.emit(False))

    def measure(self, job: SegmentJob) -> None:
        """Measure the objects of a job's image."""
        from napari_mouse_seg.pipeline import measure_diameter

        self._n_measuring += 1
        self.measuring.emit(True)
        self._runner.start(measure_diameter(job), partial(self._on_event, job), partial(self._on_end, job))

    def draw(self, wanted: bool, layer: Image | None) -> None:
        """Begin or give up drawing a line across an object."""
        if wanted and layer is not None:
            self._line.begin(layer)
        else:
            self._line.end()

    def follow(self, layer: Image | None, shown: float | None) -> float | None:
        """Return the diameter to be used for a layer that is chosen now, in place of the one that is shown.

        What was measured in a layer belongs to it: it does not go with the user to another, and is back when it is
        chosen again. What was typed stays.
        """
        before = None if self._layer is None else self._layer()
        if layer is None or layer is before:
            return shown
        if before is not None and shown is None:
            self._measured.pop(before, None)  # The user has cleared it.
        foreign, self._last = self._last, self._measured.get(layer)
        self._layer = ref(layer)
        return self._last if shown in (None, foreign) else shown

    @property
    def is_at_work(self) -> bool:
        """Whether objects are being measured or a line is awaited."""
        return self._n_measuring > 0 or self._line.is_drawing

    def close(self) -> None:
        """Take the line's layer away."""
        self._line.close()

    def _on_event(self, job: SegmentJob, event: Event) -> None:
        if not isinstance(event, Finished):
            return
        if self._is_present(job):
            self._take(float(event.result))
        else:
            self.failed.emit(_CHANGED)

    def _on_end(self, job: SegmentJob, error: Exception | None) -> None:
        self._n_measuring -= 1
        self.measuring.emit(False)
        if error is not None:
            words = str(error) if isinstance(error, MouseSegError) else f"Measuring failed ({error})."
            self.failed.emit(words if self._is_present(job) else _CHANGED)

    def _take(self, diameter_px: float) -> None:
        self._last = round(diameter_px, 1)
        layer = None if self._layer is None else self._layer()
        if layer is not None:
            self._measured[layer] = self._last
        self.found.emit(self._last)

    def _is_present(self, job: SegmentJob) -> bool:
        now = self._present()
        return now is not None and _subject(now) == _subject(job)

    def _on_line(self, corners: Any) -> None:  # Any: an array of pixel positions
        job = self._present()
        step = corners[-1] - corners[0]
        length = math.hypot(step[0], step[1] * (1.0 if job is None else job.plane.pixel_aspect))
        if length > 1:
            self._take(length)
        else:
            self.failed.emit("The line is shorter than a pixel; draw it from one edge of an object to the other.")


def _subject(job: SegmentJob) -> tuple[object, ...]:
    """Return what a diameter is measured on and with."""
    plan = job.plan
    return id(job.image), plan.channel, plan.plane_t, plan.plane_z, job.model.sha256
