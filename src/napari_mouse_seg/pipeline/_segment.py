"""The one engine: scores, then objects or areas, reported as events."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from napari_mouse_seg.events import Event, Finished, Started, TileDone, Warned
from napari_mouse_seg.pipeline._part import open_part

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_mouse_seg.areas import AreaShare
    from napari_mouse_seg.inference import KeptTiles, Scorer
    from napari_mouse_seg.pipeline._job import SegmentJob
    from napari_mouse_seg.tiling import Box

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """What a run found.

    Attributes
    ----------
    labels
        (Y, X) uint32 over ``box``: ids 1 to n in raster order, or the labels of classes.
    box
        On the network's grid; the job's box, and for objects more where tiles reach beyond it.
    cut
        Ids of objects that the edge of what was computed cuts.
    n_objects
        How many there are; 0 for areas.
    device
        Where the network ran, for people.
    timings
        Seconds by stage.
    warnings
        Everything that was warned of.
    job
        What was run.
    areas
        Every class and its share, if the model makes areas; empty for objects.
    """

    labels: NDArray[np.uint32]
    box: Box
    cut: frozenset[int]
    n_objects: int
    device: str
    job: SegmentJob
    timings: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    areas: tuple[AreaShare, ...] = ()

    @property
    def found(self) -> str:
        """What was found, for people."""
        from napari_mouse_seg.areas import describe_found

        return describe_found(self.n_objects, self.areas)

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
    part
        Folder where finished tiles of a long run are kept for another process to go on with, should this one be
        killed; tiles of the same image, model and options that are there already are taken up. None keeps them in
        memory only.

    Attributes
    ----------
    image
        Whose scores it holds.
    """

    def __init__(self, job: SegmentJob, part: Path | None = None) -> None:
        self._key = job.key
        self.image = job.image  # Held, so that its id in the key stays its own.
        self._part = part
        self._kept: KeptTiles | None = None
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
            if self._part is not None:
                self._kept = open_part(self._part, job, device)
            source = Source(job.plane, job.source)
            plan = job.plan
            self._scorer = Scorer(
                source, job.model, job.grid, device, plan.batch_size, kept=self._kept, flips=plan.flips
            )
        self._scorer.ask_batch(job.plan.batch_size)
        return self._scorer

    @property
    def n_bytes(self) -> int:
        """Size of the scores, when all tiles are done; 0 before the first."""
        return 0 if self._scorer is None else self._scorer.store.size_bytes

    def close(self) -> None:
        """Let go of scores and network; tiles kept in a folder stay there."""
        self._scorer = None
        if self._kept is not None:
            self._kept.close()
            self._kept = None


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
        Started and TileDone for the stages ``"statistics"``, ``"scores"`` and ``"instances"`` (or ``"areas"``), and for
        ``"kept"`` where an earlier process left tiles; Warned, and at the end Finished with a ``SegmentResult``.

    Raises
    ------
    ImageError
        If a level cannot be read, or the image is constant.
    DeviceError
        If the device asked for does not work.
    OutOfMemoryError
        If even the smallest tile on the CPU does not fit.
    ExportError
        If a large image needs temporary files and the disk is full, or the cache's folder cannot be used.
    """
    if cache is None or not cache.fits(job):
        cache = ScoreCache(job)
    warnings = list(job.warnings)
    for message in warnings:
        yield Warned(message)
    started = time.perf_counter()
    scorer = cache.scorer(job)
    yield from _collect(scorer.prepare(), warnings)
    polarity = scorer.polarity_warning()
    if polarity:
        warnings.append(polarity)
        yield Warned(polarity)
    yield from _collect(scorer.compute(job.box), warnings)
    scored = time.perf_counter()
    make, stage = (_classify, "areas") if job.model.card.makes_areas else (_decode, "instances")
    result = yield from make(job, scorer)
    if not result.areas and result.n_objects == 0:
        message = scorer.empty_warning()
        warnings.append(message)
        yield Warned(message)
    timings = {"scores": scored - started, stage: time.perf_counter() - scored}
    yield Finished(replace(result, timings=timings, warnings=tuple(warnings)))


def _collect(events: Iterator[Event], warnings: list[str]) -> Iterator[Event]:
    """Pass events on, and remember the warnings among them."""
    for event in events:
        if isinstance(event, Warned):
            warnings.append(event.message)
        yield event


def _classify(job: SegmentJob, scorer: Scorer) -> Generator[Event, None, SegmentResult]:
    """Area step over the job's box."""
    from napari_mouse_seg.areas import area_shares, classify_bands

    classes = job.model.card.classes
    out = _make_room(job.box)
    steps = classify_bands(scorer.store.read, job.box, [entry.label for entry in classes], out)
    pixels = yield from _report("areas", steps)
    shares = area_shares(classes, [int(number) for number in pixels])
    return SegmentResult(out, job.box, frozenset(), 0, scorer.device.label, job, areas=shares)


def _decode(job: SegmentJob, scorer: Scorer) -> Generator[Event, None, SegmentResult]:
    """Instance step over all that is complete around the job's box; objects outside the box are left out."""
    from napari_mouse_seg.instances import decode_blocks, decoder_maps, keep_inside

    store = scorer.store
    region = store.grid.complete_box(job.box)
    read = decoder_maps(job.model.card.targets, store.read)
    steps = decode_blocks(read, store.grid.bounds, region, job.instances, out=_make_room(region))
    found = keep_inside((yield from _report("instances", steps)), job.box)
    return SegmentResult(found.labels, found.box, found.cut, found.count, scorer.device.label, job)


def _make_room(region: Box) -> NDArray[np.uint32]:
    from napari_mouse_seg.inference import require_free, sparse_zeros

    out = sparse_zeros(region.shape, np.uint32)
    require_free(out, out.nbytes)
    return out


def _report(stage: str, steps: Generator[tuple[int, int], None, _Found]) -> Generator[Event, None, _Found]:
    """Turn (done, total) into events of a stage; return what the steps return."""
    begun = False
    while True:
        try:
            done, total = next(steps)
        except StopIteration as stop:
            found: _Found = stop.value
            return found
        if not begun:
            begun = True
            yield Started(stage, total)
        yield TileDone(stage, done, total)
