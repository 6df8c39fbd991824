"""How large the objects of an image are, measured in a few windows of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_mouse_seg.errors import ImageError
from napari_mouse_seg.events import Event, Finished, Started, TileDone
from napari_mouse_seg.inference import Source
from napari_mouse_seg.instances import estimate_diameter
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_mouse_seg.pipeline._job import SegmentJob

_WINDOW_PX = 1024
_WINDOWS_A_SIDE = 3


def measure_diameter(job: SegmentJob) -> Generator[Event, None, None]:
    """Measure the typical diameter of an image's objects; the last event is ``Finished`` with it, in image pixels.

    Parameters
    ----------
    job
        Says which image and plane, and whether objects are bright or dark; its scale and region do not matter.

    Yields
    ------
    Event
        ``Started`` and ``TileDone`` of the stages ``"statistics"`` and ``"windows"``, then ``Finished``.

    Raises
    ------
    ImageError
        If no window shows enough objects, or the image cannot be read.
    """
    own = replace(job.source, level=0, network_shape=job.plane.shape, in_channels=1)
    source = Source(job.plane, own)
    yield Started("statistics", 1)
    for done, total in source.prepare():
        yield TileDone("statistics", done, total)
    windows = _windows(job.plane.shape)
    yield Started("windows", len(windows))
    found = []
    for done, box in enumerate(windows, start=1):
        diameter = estimate_diameter(source.read(box)[0])
        if diameter is not None:
            found.append(diameter)
        yield TileDone("windows", done, len(windows), box)
    if not found:
        raise ImageError(
            f"{job.plane.name} shows too few objects that stand out from the background to measure them; set their "
            "diameter or the scale yourself."
        )
    yield Finished(float(np.median(found)))


def _windows(shape: tuple[int, int]) -> list[Box]:
    """Return the whole image if it is small, otherwise windows spread evenly over it."""
    if max(shape) <= _WINDOW_PX * 2:
        return [Box(0, 0, *shape)]
    starts = []
    for size in shape:
        side = min(size, _WINDOW_PX)
        places = {round((size - side) * index / (_WINDOWS_A_SIDE - 1)) for index in range(_WINDOWS_A_SIDE)}
        starts.append([(place, place + side) for place in sorted(places)])
    return [Box(y0, x0, y1, x1) for y0, y1 in starts[0] for x0, x1 in starts[1]]
