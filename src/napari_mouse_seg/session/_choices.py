"""What is chosen in one viewer, and the job that comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.plans import SegmentPlan
from napari_mouse_seg.session._messages import Check

if TYPE_CHECKING:
    from napari_mouse_seg.images import MultiscaleImage
    from napari_mouse_seg.networks import Model
    from napari_mouse_seg.pipeline import SegmentJob
    from napari_mouse_seg.session._engine import Engine
    from napari_mouse_seg.tiling import Box


@dataclass(slots=True)
class Choices:
    """Image, model and everything else that a run needs.

    Attributes
    ----------
    engine
        Says what fits together.
    image, model
        None while none is chosen.
    plan
        Everything else.
    """

    engine: Engine
    image: MultiscaleImage | None = None
    model: Model | None = None
    plan: SegmentPlan = field(default_factory=SegmentPlan)

    def job(self, region: Box | None) -> SegmentJob | None:
        """Return the job of a region, or of the full image for None; None while image or model are missing.

        Raises
        ------
        MouseSegError
            If the choices do not fit together.
        """
        if self.image is None or self.model is None:
            return None
        return self.engine.resolve(self.image, self.model, self.plan, region)

    def check(self) -> Check:
        """Return whether they can run, or why not; nothing to complain of while some are missing."""
        try:
            job = self.job(None)
        except MouseSegError as error:
            return Check(problem=str(error), field=getattr(error, "field", ""))
        return Check() if job is None else Check(warnings=job.warnings)
