"""The part of the pipeline that a session needs, as a protocol, so that tests run without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_mouse_seg.events import Event
    from napari_mouse_seg.images import MultiscaleImage
    from napari_mouse_seg.networks import Model
    from napari_mouse_seg.pipeline import Canvas, ScoreCache, SegmentJob
    from napari_mouse_seg.plans import SegmentPlan
    from napari_mouse_seg.tiling import Box


class Engine(Protocol):
    """Decides and runs."""

    def resolve(self, image: MultiscaleImage, model: Model, plan: SegmentPlan, region: Box | None) -> SegmentJob:
        """Check the choices; quick, reads no pixels."""

    def segment(self, job: SegmentJob, cache: ScoreCache) -> Iterator[Event]:
        """Run the job; the last event is ``Finished`` with the result."""

    def new_cache(self, job: SegmentJob) -> ScoreCache:
        """Make an empty cache for the job's scores."""

    def new_canvas(self, job: SegmentJob) -> Canvas[Any]:
        """Make an empty canvas over the job's network grid."""


class PipelineEngine:
    """The real one; loads the pipeline when it is first used."""

    def resolve(self, image: MultiscaleImage, model: Model, plan: SegmentPlan, region: Box | None) -> SegmentJob:
        """Check the choices; see ``pipeline.resolve``."""
        from napari_mouse_seg.pipeline import resolve

        return resolve(image, model, plan, region)

    def segment(self, job: SegmentJob, cache: ScoreCache) -> Iterator[Event]:
        """Run the job; see ``pipeline.segment``."""
        from napari_mouse_seg.pipeline import segment

        return segment(job, cache)

    def new_cache(self, job: SegmentJob) -> ScoreCache:
        """Make an empty cache."""
        from napari_mouse_seg.pipeline import ScoreCache

        return ScoreCache(job)

    def new_canvas(self, job: SegmentJob) -> Canvas[Any]:
        """Make an empty canvas."""
        from napari_mouse_seg.pipeline import AreaCanvas, ObjectCanvas

        if job.model.card.makes_areas:
            return AreaCanvas(job.network_shape, job.model.card.classes)
        return ObjectCanvas(job.network_shape)
