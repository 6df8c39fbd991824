"""The generator of a session's runs. It touches scores and labels, never the session or a widget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from napari_mouse_seg.events import Event, Finished

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from napari_mouse_seg.pipeline import SegmentJob, SegmentResult
    from napari_mouse_seg.session._engine import Engine
    from napari_mouse_seg.session._workspace import Workspace


@dataclass(frozen=True, slots=True)
class Merged(Event):
    """The labels have changed; ``result`` is that of the last region."""

    result: SegmentResult


def decode_regions(
    engine: Engine, jobs: Sequence[SegmentJob], workspace: Workspace, replace: bool
) -> Generator[Event, None, None]:
    """Run jobs one after another and merge their results into the workspace's canvas at the end.

    Merging last means that a cancelled run leaves the labels as they were.

    Parameters
    ----------
    engine
        Runs a job.
    jobs
        At least one; all share the workspace's scores.
    workspace
        Whose canvas and cache to use.
    replace
        Whether the canvas is emptied first, because thresholds have changed.

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
        workspace.canvas.clear()
    for result in results:
        workspace.canvas.add(result)
    workspace.instances = jobs[-1].instances
    yield Merged(results[-1])
