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

    from napari_mouse_seg.pipeline._job import SegmentJob

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
    limits
        Raw values of the whole image that the network sees as 0 and 1.
    mostly_bright
        Whether most of the image is nearer to the bright end, so that objects are probably dark.
    """

    pixels: NDArray[np.float32]
    box: Box
    limits: tuple[float, float]
    mostly_bright: bool


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
    channels = Source(job.plane, replace(job.source, in_channels=job.plane.n_channels))
    limits = (source.limits.low, source.limits.high)
    bright = source.median > _MOSTLY_BRIGHT
    mostly_bright = bright if job.source.intensity.polarity == "bright" else not bright
    yield Finished(PatchCut(channels.read_raw(box), box, limits, mostly_bright))


def middle(box: Box, largest_px: int) -> Box:
    """Return the middle of a box, at most so many pixels a side."""
    rows, columns = (min(size, largest_px) for size in box.shape)
    y0, x0 = box.y0 + (box.shape[0] - rows) // 2, box.x0 + (box.shape[1] - columns) // 2
    return Box(y0, x0, y0 + rows, x0 + columns)
