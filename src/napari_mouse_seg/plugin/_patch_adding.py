"""New patches: of the view, or of a rectangle that the user draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.plugin._draw_tool import DrawTool, box_within
from napari_mouse_seg.plugin._model_choice import fitting

if TYPE_CHECKING:
    import numpy as np
    from napari.components import ViewerModel
    from numpy.typing import NDArray

    from napari_mouse_seg.images import MultiscaleImage
    from napari_mouse_seg.networks import Model
    from napari_mouse_seg.pipeline import SegmentJob
    from napari_mouse_seg.plugin._base_models import BaseModels
    from napari_mouse_seg.plugin._patch_desk import PatchDesk
    from napari_mouse_seg.plugin._stage import Stage
    from napari_mouse_seg.session import TrainSession
    from napari_mouse_seg.tiling import Box


class PatchAdding:
    """Says where a patch is cut out, and at which resolution.

    Parameters
    ----------
    viewer
        Where rectangles are drawn.
    session
        Whose project gets the patch.
    stage
        Holds the image.
    bases
        The base model decides the resolution of a new project.
    desk
        Cuts and shows it.

    Attributes
    ----------
    rectangle_ended
        Drawing is over.
    failed
        Carries words.
    """

    rectangle_ended = Signal()
    failed = Signal(str)

    def __init__(
        self, viewer: ViewerModel, session: TrainSession, stage: Stage, bases: BaseModels, desk: PatchDesk
    ) -> None:
        self._session = session
        self._stage = stage
        self._bases = bases
        self._desk = desk
        self._rectangle = DrawTool(viewer, "rectangle")
        self._rectangle.drawn.connect(self._on_drawn)
        self._rectangle.ended.connect(self.rectangle_ended.emit)

    def add_view(self) -> None:
        """Make what is seen a patch."""
        view = self._stage.view()
        if view is not None and view.box is not None:
            self._add(view.box)

    def draw(self, wanted: bool) -> None:
        """Let the user draw a rectangle, or stop that."""
        if wanted and self._stage.scene is not None:
            self._rectangle.begin(self._stage.scene.layer)
        else:
            self._rectangle.end()

    def close(self) -> None:
        """Take the drawing layer out."""
        self._rectangle.close()

    def _add(self, region: Box) -> None:
        problem = self._stage.add_problem(self._session.project)
        if problem:
            self.failed.emit(problem)
            return
        if self._session.project is None:
            self._stage.follow_sliders()
        try:
            job = self._job(region)
        except MouseSegError as error:
            self.failed.emit(str(error))
            return
        if job is not None:
            self._desk.add(job, self._bases.name)

    def _job(self, region: Box) -> SegmentJob | None:
        """Return the job of the base model on a region.

        A new network works at the image's own pixels, and sees the intensities that a bundled model for as many
        channels would see.
        """
        from napari_mouse_seg.pipeline import resolve

        scene, model, project = self._stage.scene, self._bases.model, self._session.project
        if scene is None:
            return None
        grid = scene.image.shape if model is None else None
        if project is not None:
            grid = project.plan.network_shape
        return resolve(scene.image, model or _stand_in(scene.image), scene.plan, region, network_shape=grid)

    def _on_drawn(self, corners: NDArray[np.float64]) -> None:
        scene = self._stage.scene
        box = box_within(corners, scene.image.shape) if scene is not None else None
        if box is not None and box.area:
            self._add(box)


def _stand_in(image: MultiscaleImage) -> Model:
    from napari_mouse_seg.networks import DEFAULT_MODEL, list_models

    models = [model for model in list_models() if model.card.is_trainable]
    usual = next(place for place, model in enumerate(models) if model.card.name == DEFAULT_MODEL)
    return models[fitting(models, usual, coloured=image.is_rgb)]
