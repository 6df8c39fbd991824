"""How large the objects of an image are, measured in a few windows of it, and whether to believe it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_mouse_seg.errors import ImageError
from napari_mouse_seg.events import Event, Finished, Started, TileDone
from napari_mouse_seg.inference import Source
from napari_mouse_seg.instances import Discs, find_discs
from napari_mouse_seg.pipeline._size_check import LEAST_OBJECTS, check_diameter
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_mouse_seg.pipeline._job import SegmentJob

_WINDOW_PX = 1024
_WINDOWS_A_SIDE = 3
_MOST_SPREAD = 2.0
"""How many times larger than the lower quartile the upper may be; chosen on training images."""

_BY_HAND = "type the diameter of a typical one, or draw across one in the panel."


def measure_diameter(job: SegmentJob) -> Generator[Event, None, None]:
    """Measure the typical diameter of an image's objects; the last event is ``Finished`` with it, in image pixels.

    Where the model would see the objects at another size, it looks at a part of the image at both sizes, and the
    diameter counts only if it is surer of the objects with it than without.

    Parameters
    ----------
    job
        Says which image and plane, which model, and whether objects are bright or dark; its scale, diameter and region
        do not matter.

    Yields
    ------
    Event
        ``Started`` and ``TileDone`` of the stages ``"statistics"`` and ``"windows"``, and of those of ``segment`` where
        the model looks, then ``Finished``.

    Raises
    ------
    ImageError
        If the objects are too few or of too many sizes, if the model is no surer of them with the diameter than without
        it, or if the image cannot be read.
    DeviceError, OutOfMemoryError
        As ``segment``.
    """
    discs = yield from _find_discs(job)
    diameter = _typical(discs, job.plane.name)
    yield from check_diameter(job, diameter, discs)
    yield Finished(diameter)


def _find_discs(job: SegmentJob) -> Generator[Event, None, Discs]:
    """Return the objects of all windows that show enough of them, in image pixels."""
    own = replace(job.source, level=0, network_shape=job.plane.shape, in_channels=1)
    source = Source(job.plane, own)
    yield Started("statistics", 1)
    for done, total in source.prepare():
        yield TileDone("statistics", done, total)
    windows = _windows(job.plane.shape)
    yield Started("windows", len(windows))
    centres, radii = [], []
    for done, box in enumerate(windows, start=1):
        found = find_discs(source.read(box)[0])
        if len(found) >= LEAST_OBJECTS:
            centres.append(found.centres + np.array([box.y0, box.x0]))
            radii.append(found.radii)
        yield TileDone("windows", done, len(windows), box)
    if not radii:
        raise ImageError(
            f"{job.plane.name} shows too few objects that stand out from the background to measure them (fewer than "
            f"{LEAST_OBJECTS}); {_BY_HAND}"
        )
    return Discs(np.concatenate(centres), np.concatenate(radii))


def _typical(discs: Discs, name: str) -> float:
    low, typical, high = (discs.diameter(share) for share in (0.25, 0.5, 0.75))
    if high > _MOST_SPREAD * low:
        raise ImageError(
            f"The objects of {name} are of too many sizes to measure one, many of them {low:.0f} px and many "
            f"{high:.0f} px across; {_BY_HAND}"
        )
    return typical


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
