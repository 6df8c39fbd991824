"""The one engine: scores, then instances, reported as events."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from napari_mouse_seg.events import Event, Finished, Started, TileDone, Warned

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from napari_mouse_seg.inference import Scorer
    from napari_mouse_seg.instances import Instances
    from napari_mouse_seg.pipeline._job import SegmentJob
    from napari_mouse_seg.tiling import Box


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """What a run found.

    Attributes
    ----------
    labels
        (Y, X) uint32 over ``box``, ids 1 to n in raster order.
    box
        On the network's grid; holds the job's box, and more where tiles reach beyond it.
    cut
        Ids of objects that the edge of what was computed cuts.
    n_objects
        How many there are.
    device
        Where the network ran, for people.
    timings
        Seconds by stage.
    warnings
        Everything that was warned of.
    job
        What was run.
    """

    labels: NDArray[np.uint32]
    box: Box
    cut: frozenset[int]
    n_objects: int
    device: str
    job: SegmentJob
    timings: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def pixel_scale(self) -> tuple[float, float]:
        """Image pixels (level 0) per label pixel, along Y and X."""
        return self.job.pixel_scale


class ScoreCache:
    """Scores of one image plane by one model; keep it between runs.

    Parameters
    ----------
    job
        Any job; the cache serves all jobs with the same key.

    Attributes
    ----------
    image
        Whose scores it holds.
    """

    def __init__(self, job: SegmentJob) -> None:
        self._key = job.key
        self.image = job.image  # Held, so that its id in the key stays its own.
        self._scorer: Scorer | None = None

    def fits(self, job: SegmentJob) -> bool:
        """Return whether the scores in here are those of the job."""
        return self._key == job.key

    def scorer(self, job: SegmentJob) -> Scorer:
        """Return what computes scores, made (and torch loaded, the device probed) at the first call."""
        if self._scorer is None:
            from napari_mouse_seg.inference import Scorer, Source
            from napari_mouse_seg.networks import resolve_device

            device = resolve_device(job.plan.device)
            self._scorer = Scorer(Source(job.plane, job.source), job.model, job.grid, device, job.plan.batch_size)
        return self._scorer

    def close(self) -> None:
        """Let go of scores and network."""
        self._scorer = None


def segment(job: SegmentJob, cache: ScoreCache | None = None) -> Generator[Event, None, None]:
    """Run a job; close the generator to cancel, tiles that are done stay in the cache.

    Parameters
    ----------
    job
        From ``resolve``.
    cache
        Scores so far; tiles in it are not computed again. Made anew if absent or not fitting.

    Yields
    ------
    Event
        Started and TileDone for the stages ``"statistics"``, ``"scores"`` and ``"instances"``, Warned, and at the end
        Finished with a ``SegmentResult``.

    Raises
    ------
    ImageError
        If a level cannot be read, or the image is constant.
    DeviceError
        If the device asked for does not work.
    OutOfMemoryError
        If even the smallest tile on the CPU does not fit.
    ExportError
        If a large image needs temporary files and the disk is full.
    """
    if cache is None or not cache.fits(job):
        cache = ScoreCache(job)
    warnings = list(job.warnings)
    for message in warnings:
        yield Warned(message)
    started = time.perf_counter()
    scorer = cache.scorer(job)
    yield from scorer.prepare()
    polarity = scorer.polarity_warning()
    if polarity:
        warnings.append(polarity)
        yield Warned(polarity)
    for event in scorer.compute(job.box):
        if isinstance(event, Warned):
            warnings.append(event.message)
        yield event
    scored = time.perf_counter()
    instances = yield from _decode(job, scorer)
    if instances.count == 0:
        message = scorer.empty_warning()
        warnings.append(message)
        yield Warned(message)
    timings = {"scores": scored - started, "instances": time.perf_counter() - scored}
    yield Finished(
        SegmentResult(
            instances.labels,
            instances.box,
            instances.cut,
            instances.count,
            scorer.device.label,
            job,
            timings,
            tuple(warnings),
        )
    )


def _decode(job: SegmentJob, scorer: Scorer) -> Generator[Event, None, Instances]:
    """Instance step over all that is complete around the job's box; objects outside the box are left out."""
    from napari_mouse_seg.inference import require_free, sparse_zeros
    from napari_mouse_seg.instances import decode_blocks, keep_inside

    store = scorer.store
    region = store.grid.complete_box(job.box)
    out = sparse_zeros(region.shape, np.uint32)
    require_free(out, out.nbytes)
    steps = decode_blocks(store.read, store.grid.bounds, region, job.instances, out=out)
    begun = False
    while True:
        try:
            done, total = next(steps)
        except StopIteration as stop:
            instances: Instances = stop.value
            break
        if not begun:
            begun = True
            yield Started("instances", total)
        yield TileDone("instances", done, total)
    return keep_inside(instances, job.box)
