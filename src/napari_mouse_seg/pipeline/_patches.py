"""Small crops of an image at the resolution that a network works at, for painting in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_mouse_seg.errors import ImageError
from napari_mouse_seg.events import Event, Finished, Started, TileDone
from napari_mouse_seg.inference import Source, measure_intensities
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Generator

    import numpy as np
    from numpy.typing import NDArray

    from napari_mouse_seg.images import ImagePlane
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
    yield Started("statistics", 1)
    pixels = yield from _sample(job.plane)
    intensity, n_channels = job.source.intensity, job.plane.n_channels
    try:
        _, median = measure_intensities(pixels, job.source.in_channels, intensity)
        if median > _MOSTLY_BRIGHT:
            intensity = intensity.replace(polarity="dark" if intensity.polarity == "bright" else "bright")
        limits, _ = measure_intensities(pixels, 1, intensity)
        colours = measure_intensities(pixels, n_channels, intensity)[0] if n_channels > 1 else None
    except ImageError as error:
        raise ImageError(f"{job.plane.name}: {error}") from error
    box = middle(job.box, largest_px)
    source = Source(job.plane, replace(job.source, in_channels=n_channels))
    colour_limits = None if colours is None else (colours.low, colours.high)
    yield Finished(PatchCut(source.read_raw(box), box, intensity, (limits.low, limits.high), colour_limits))


def _sample(plane: ImagePlane) -> Generator[Event, None, NDArray[Any]]:
    """Read the whole image once, coarsely; yields ``TileDone``."""
    steps = plane.sample_steps()
    while True:
        try:
            done, total = next(steps)
        except StopIteration as stop:
            pixels: NDArray[Any] = stop.value
            return pixels
        yield TileDone("statistics", done, total)


def middle(box: Box, largest_px: int) -> Box:
    """Return the middle of a box, at most so many pixels a side."""
    rows, columns = (min(size, largest_px) for size in box.shape)
    y0, x0 = box.y0 + (box.shape[0] - rows) // 2, box.x0 + (box.shape[1] - columns) // 2
    return Box(y0, x0, y0 + rows, x0 + columns)
