"""Small crops of an image at the resolution that a network works at, for painting in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_mouse_seg.events import Event, Finished, Started, TileDone
from napari_mouse_seg.inference import Source
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Generator

    import numpy as np
    from numpy.typing import NDArray

    from napari_mouse_seg.images import IntensityRange
    from napari_mouse_seg.pipeline._job import SegmentJob
    from napari_mouse_seg.plans import IntensityPlan

_MOSTLY_BRIGHT = 0.5


@dataclass(frozen=True, slots=True)
class PatchCut:
    """A crop, and what of the whole image a network must know to see it right.

    Attributes
    ----------
    pixels
        (C, Y, X) float32, raw intensities; three channels of an RGB image.
    box
        Network pixels.
    intensity
        The job's; where most of the image is as bright as objects should be (or as dark), of the other polarity.
    limits
        Raw values of the whole image that a network of one channel sees as 0 and 1.
    colour_limits
        Those that a network of three channels sees so; None if the image has one.
    """

    pixels: NDArray[np.float32]
    box: Box
    intensity: IntensityPlan
    limits: tuple[float, float]
    colour_limits: tuple[float, float] | None


def cut_patch(job: SegmentJob, largest_px: int) -> Generator[Event, None, None]:
    """Read the middle of a job's region; a generator of events, the last is ``Finished`` with a ``PatchCut``.

    Parameters
    ----------
    job
        Says which image, plane, resolution and region.
    largest_px
        Longest side of the crop.

    Raises
    ------
    ImageError
        If the image is constant, holds nothing finite, or cannot be read.
    """
    source = Source(job.plane, job.source)
    yield Started("statistics", 1)
    for done, total in source.prepare():
        yield TileDone("statistics", done, total)
    box = middle(job.box, largest_px)
    intensity = job.source.intensity
    if source.median > _MOSTLY_BRIGHT:
        intensity = intensity.replace(polarity="dark" if intensity.polarity == "bright" else "bright")
    n_channels = job.plane.n_channels
    channels, grey = (
        Source(job.plane, replace(job.source, in_channels=count, intensity=intensity)) for count in (n_channels, 1)
    )
    colours = _pair(channels.limits) if n_channels > 1 else None
    yield Finished(PatchCut(channels.read_raw(box), box, intensity, _pair(grey.limits), colours))


def _pair(limits: IntensityRange) -> tuple[float, float]:
    return limits.low, limits.high


def middle(box: Box, largest_px: int) -> Box:
    """Return the middle of a box, at most so many pixels a side."""
    rows, columns = (min(size, largest_px) for size in box.shape)
    y0, x0 = box.y0 + (box.shape[0] - rows) // 2, box.x0 + (box.shape[1] - columns) // 2
    return Box(y0, x0, y0 + rows, x0 + columns)
