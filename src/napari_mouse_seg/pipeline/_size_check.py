"""Whether a model is surer of the objects of an image when they are brought to the size that it knows.

A network that saw objects of many sizes may do best without any rescaling, and a measured diameter may be wrong, so
the network is asked. Its sharpness over all pixels was rejected as the judge: larger objects have relatively fewer
pixels at their edges, so it favours enlarging whatever comes of it.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_mouse_seg.errors import ImageError
from napari_mouse_seg.events import Event, Finished, Started, TileDone
from napari_mouse_seg.instances import Discs, decoder_maps
from napari_mouse_seg.pipeline._job import SAME_OBJECTS, resolve
from napari_mouse_seg.pipeline._segment import ScoreCache, SegmentResult, segment
from napari_mouse_seg.tiling import SCORE_ONE, Box

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from napari_mouse_seg.pipeline._job import SegmentJob

_LOOK_PX = 1024
"""Side of what is looked at, on the larger of the two grids."""

_LOOK_OBJECTS = 8
"""Side of what is looked at, at least, in objects."""

_MOST_LOOK_PX = 2048
LEAST_OBJECTS = 5
"""Fewer tell nothing of an image."""

_AGREEMENT = 1.6
"""How many times larger or smaller than it knows a model may see the objects."""

_SMALL_STEP = 1.75
_LEAST_GAIN = 0.01
"""How much surer of its objects (their mean score) a model must be where images are scaled by less than a small step:
resampling costs detail, and networks know objects of nearly their size. Chosen on training images."""


@dataclass(frozen=True, slots=True)
class _Sight:
    """What a model saw: how many objects, their typical diameter in its own pixels, and their mean score."""

    n_objects: int
    diameter_px: float
    surety: float


def check_diameter(job: SegmentJob, diameter_px: float, discs: Discs) -> Generator[Event, None, None]:
    """Let the model look at the image with a diameter and without; return if the diameter is fit to be used.

    A model whose card does not say how large its objects are uses no diameter, and one for whom the objects already
    have nearly the right size needs none; neither is asked.

    Parameters
    ----------
    job
        Image, model and plan; its scale, diameter and region do not matter.
    diameter_px
        To be judged, in image pixels.
    discs
        Where objects seem to be, in image pixels; the model looks where they are most.

    Yields
    ------
    Event
        Started and TileDone, as from ``segment``.

    Raises
    ------
    ImageError
        If the model sees too few objects with the diameter, or objects of quite another size, or if it is surer of
        them without it.
    """
    known_px = job.model.card.object_diameter_px
    if known_px is None or job.model.card.makes_areas:
        return
    plain = job.plan.replace(scale=None, object_diameter_px=None)
    sized = plain.replace(object_diameter_px=diameter_px)
    before, after = (_network_scale(resolve(job.image, job.model, plan)) for plan in (plain, sized))
    if abs(after / before - 1) <= SAME_OBJECTS:
        return
    region = _crowded(job.plane.shape, discs, diameter_px, max(before, after))
    without = yield from _look(resolve(job.image, job.model, plain, region))
    using = yield from _look(resolve(job.image, job.model, sized, region))
    doubt = _doubt(without, using, after / before, known_px)
    if doubt is not None:
        raise ImageError(
            f"The objects of {job.plane.name} seem to be {diameter_px:.0f} px across, but with that size "
            f"{job.model.card.name} {doubt}. The size is not used; if the result is poor, type the diameter of a "
            "typical object, or draw across one in the panel."
        )


def _doubt(without: _Sight, using: _Sight, factor: float, known_px: float) -> str | None:
    """Return why a diameter that scales the image by a factor should not be used, as the end of a sentence."""
    if using.n_objects < LEAST_OBJECTS:
        return f"finds only {using.n_objects} where they are densest (at least {LEAST_OBJECTS} are needed)"
    if not 1 / _AGREEMENT <= using.diameter_px / known_px <= _AGREEMENT:
        return f"finds objects {using.diameter_px / known_px:.1f} times as large"
    least = _LEAST_GAIN if 1 / _SMALL_STEP < factor < _SMALL_STEP else 0.0
    if using.surety <= without.surety + least:
        return f"does not find them more surely (mean score {using.surety:.3f}, without it {without.surety:.3f})"
    return None


def _network_scale(job: SegmentJob) -> float:
    """Return network pixels per image pixel; along Y, as the diameter's."""
    return 1 / job.pixel_scale[0]


def _crowded(shape: tuple[int, int], discs: Discs, diameter_px: float, scale: float) -> Box:
    """Return the part of an image, of a size that is quick to look at, with the most objects of typical size."""
    side = int(min(max(_LOOK_PX / max(scale, 1), _LOOK_OBJECTS * diameter_px), _MOST_LOOK_PX))
    typical = np.abs(np.log2(2 * discs.radii / diameter_px)) <= 1
    cells, counts = np.unique(discs.centres[typical] // (side / 2), axis=0, return_counts=True)
    y, x = (cells[counts.argmax()] + 0.5) * (side / 2)
    y0, x0 = (max(0, min(int(middle - side / 2), size - side)) for middle, size in zip((y, x), shape, strict=True))
    return Box(y0, x0, min(y0 + side, shape[0]), min(x0 + side, shape[1]))


def _look(job: SegmentJob) -> Generator[Event, None, _Sight]:
    """Segment the job's region and tell what was seen there."""
    with closing(ScoreCache(job)) as cache, closing(segment(job, cache)) as events:
        for event in events:
            if isinstance(event, (Started, TileDone)):
                yield event
            elif isinstance(event, Finished) and isinstance(event.result, SegmentResult):
                read = decoder_maps(job.model.card.targets, cache.scorer(job).store.read)
                return _sight(event.result, read(event.result.box)[0] / np.float32(SCORE_ONE))
    return _Sight(0, 0.0, 0.0)


def _sight(result: SegmentResult, foreground: NDArray[np.float32]) -> _Sight:
    """Tell of the objects: each counts as much as any other for the score, so that small false ones tell."""
    count = result.n_objects
    if count == 0:
        return _Sight(0, 0.0, 0.0)
    labels = result.labels.ravel()
    areas = np.bincount(labels, minlength=count + 1)[1:]
    sums = np.bincount(labels, weights=foreground.ravel(), minlength=count + 1)[1:]
    radii = np.sqrt(areas / np.pi)
    return _Sight(count, Discs(np.zeros((count, 2)), radii).diameter(), float(np.mean(sums / areas)))
