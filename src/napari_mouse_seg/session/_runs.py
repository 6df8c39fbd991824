"""A session's runs: what is known of one, and the generator that does it.

The generator touches scores and labels, never the session or a widget.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from napari_mouse_seg.events import Event, Finished
from napari_mouse_seg.session._messages import ProgressMeter, Summary

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from napari_mouse_seg.pipeline import Canvas, SegmentJob, SegmentResult
    from napari_mouse_seg.session._engine import Engine
    from napari_mouse_seg.session._runner import RunningTask
    from napari_mouse_seg.session._workspace import Workspace
    from napari_mouse_seg.tiling import Box


@dataclass(slots=True)
class Run:
    """One run; ``regions`` are on the canvas once it is done."""

    number: int
    workspace: Workspace
    regions: tuple[Box | None, ...]
    whole_image: bool
    only_thresholds: bool
    began: float = field(default_factory=time.perf_counter)
    meter: ProgressMeter = field(default_factory=ProgressMeter)
    warnings: list[str] = field(default_factory=list)
    remark: str = ""
    outcome: Summary | None = None
    task: RunningTask | None = None

    def note(self, warning: str) -> None:
        """Keep a warning, each but once."""
        if warning not in self.warnings:
            self.warnings.append(warning)

    def end(self, result: SegmentResult) -> None:
        """Keep what was found."""
        seconds = time.perf_counter() - self.began
        self.outcome = Summary(
            result.found, self.whole_image, seconds, result.device, tuple(self.warnings), self.remark
        )


@dataclass(frozen=True, slots=True)
class Merged(Event):
    """A run has its result; what it changes is written on the main thread, where the user paints.

    Attributes
    ----------
    result
        That of the last region.
    merge
        To be applied to the workspace's canvas; None if that is done, or there is a new canvas.
    canvas
        Takes the place of the workspace's; None if that goes on.
    """

    result: SegmentResult
    merge: Any | None = None
    canvas: Canvas[Any] | None = None


def decode_regions(
    engine: Engine, jobs: Sequence[SegmentJob], workspace: Workspace, replace: bool
) -> Generator[Event, None, None]:
    """Run jobs one after another and work out at the end what they change.

    Merging last means that a cancelled run leaves the labels as they were.

    Parameters
    ----------
    engine
        Runs a job.
    jobs
        One, or with ``replace`` any number; all share the workspace's scores.
    workspace
        Whose canvas and cache to use.
    replace
        Whether the results go to a new canvas, because thresholds have changed.

    Yields
    ------
    Event
        Those of the jobs (without ``Finished``), then ``Merged``.
    """
    results = []
    for job in jobs:
        for event in engine.segment(job, workspace.cache):
            if isinstance(event, Finished):
                results.append(cast("SegmentResult", event.result))
            else:
                yield event
    if replace:
        canvas = engine.new_canvas(jobs[-1])
        for result in results:
            canvas.add(result)
        yield Merged(results[-1], canvas=canvas)
        return
    (result,) = results
    merge = workspace.canvas.compare(result)
    if workspace.canvas.is_editable:
        yield Merged(result, merge=merge)
    else:
        workspace.canvas.apply(merge)  # Nobody paints in it, and it may take longer than a redraw.
        yield Merged(result)
