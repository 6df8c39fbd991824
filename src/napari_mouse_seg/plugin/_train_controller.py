"""Ties a viewer, the panel *Train* and a training session together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QObject, QTimer

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.plugin._base_models import BaseModels
from napari_mouse_seg.plugin._draw_tool import DrawTool, box_within
from napari_mouse_seg.plugin._layer_list import ImageLayerList
from napari_mouse_seg.plugin._patch_desk import PatchDesk
from napari_mouse_seg.plugin._patch_rows import PatchRows, note_on
from napari_mouse_seg.plugin._preview import Place, Previews
from napari_mouse_seg.plugin._runner import ThreadRunner
from napari_mouse_seg.plugin._scene import Scene, check_project, project_folder
from napari_mouse_seg.plugin._viewport import look, view_events
from napari_mouse_seg.plugin._warm_up import keep_triton_out
from napari_mouse_seg.session import TrainSession, TrainState

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from napari.components import ViewerModel
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_mouse_seg.events import CheckpointReady, StepsDone, Validated
    from napari_mouse_seg.networks import Model
    from napari_mouse_seg.pipeline import SegmentJob
    from napari_mouse_seg.plans import PatchPlan, RetrainPlan, RoundPlan
    from napari_mouse_seg.plugin._model_shelf import ModelShelf
    from napari_mouse_seg.session import PaintSaved
    from napari_mouse_seg.tiling import Box
    from napari_mouse_seg.widgets import TrainPanel

_FOLLOW_MS = 60
_PREVIEW = "Preview of training"


class TrainController(QObject):
    """Runs the panel *Train* of one viewer until ``close``.

    Parameters
    ----------
    viewer
        Whose images are painted.
    panel
        Shows and asks.
    shelf
        Models to start from; trained ones are put there.
    """

    def __init__(self, viewer: ViewerModel, panel: TrainPanel, shelf: ModelShelf) -> None:
        super().__init__()
        self._viewer = viewer
        self._panel = panel
        self._shelf = shelf
        self._closed = False
        self._scene: Scene | None = None
        self._loss = 0.0
        self._training = False
        self._used: int | None = None
        self._runner = ThreadRunner()
        self.session = TrainSession(self._runner)
        self._rows = PatchRows(self.session)
        self._bases = BaseModels(panel, shelf, self.session)
        self._layers = ImageLayerList(viewer)
        self.desk = PatchDesk(viewer, self.session, self._runner, lambda: self._scene)
        self._rectangle = DrawTool(viewer, "rectangle")
        self._previews = Previews(viewer, self._runner)
        self._follow = QTimer(self)
        self._follow.setSingleShot(True)
        self._follow.setInterval(_FOLLOW_MS)
        self._follow.timeout.connect(self.update_reasons)
        self._connect()
        self._bases.show()
        self._layers.start()

    def update_reasons(self) -> None:
        """Say why a patch cannot be added, and why training cannot start."""
        if self._closed:
            return
        add = ""
        if self._scene is None:
            add = "There is no image to paint."
        elif self.session.project is not None and self.session.project.read_only:
            add = self.session.project.read_only_reason
        else:
            add = look(self._viewer, self._scene.layer).box_reason
        self._panel.set_reasons(add, self.session.problem())

    def stop(self) -> None:
        """Save what is painted, cancel the training and wait for it; the panel stays usable."""
        self.desk.save_now()
        self.session.cancel()
        self._runner.wait()

    def close(self) -> None:
        """Let go of everything; what is painted is saved first."""
        if self._closed:
            return
        self._closed = True
        self._follow.stop()
        self.desk.close()
        for signal, slot in self._to_panel():
            signal.disconnect(slot)
        self._layers.close()
        self._rectangle.close()
        self._previews.close()
        for event in view_events(self._viewer):
            event.disconnect(self._on_viewer_moved)
        self._shelf.changed.disconnect(self._bases.show)
        self.session.cancel()
        self._runner.shutdown()
        self.session.close()

    def _connect(self) -> None:
        self._layers.listed.connect(self._on_listed)
        self._layers.chosen.connect(self._on_layer)
        for event in view_events(self._viewer):
            event.connect(self._on_viewer_moved)
        self._shelf.changed.connect(self._bases.show)
        self._rectangle.drawn.connect(self._on_drawn)
        self._connect_panel()
        for signal, slot in self._to_panel():
            signal.connect(slot)
        self.desk.said.connect(show_info)

    def _connect_panel(self) -> None:
        panel = self._panel
        panel.imageChosen.connect(self._layers.choose)
        panel.channelChosen.connect(self._on_channel)
        panel.modelChosen.connect(self._on_base)
        panel.planChanged.connect(self._on_plan)
        panel.projectRequested.connect(self.open_project)
        panel.addPatchRequested.connect(self._on_add)
        panel.addRectangleRequested.connect(self._on_rectangle)
        panel.prefillRequested.connect(self._on_prefill)
        panel.patchChosen.connect(self.desk.show)
        panel.patchChanged.connect(self._on_patch)
        panel.patchDeleted.connect(self._on_delete_patch)
        panel.trainRequested.connect(self._on_train)
        panel.pauseRequested.connect(self.session.pause)
        panel.stopRequested.connect(self.session.stop)
        panel.cancelRequested.connect(self.session.cancel)
        panel.roundUsed.connect(self._on_use)
        panel.roundsCompared.connect(self._on_compare)
        panel.roundRenamed.connect(self._on_rename)
        panel.roundDeleted.connect(self._on_delete_round)

    def _to_panel(self) -> list[tuple[Any, Callable[..., None]]]:  # Any: psygnal's instances
        """Return what the panel shows, and where it comes from; the panel is gone before this object is."""
        session, panel = self.session, self._panel
        return [
            (self.desk.shown, panel.set_current_patch),
            (self.desk.failed, self._complain),
            (self._rectangle.ended, self._on_rectangle_ended),
            (self._previews.failed, panel.set_note),
            (session.project_changed, self._show_project),
            (session.paint_saved, self._on_saved),
            (session.state_changed, self._on_state),
            (session.stepped, self._on_step),
            (session.validated, self._on_validated),
            (session.checkpoint_ready, self._on_checkpoint),
            (session.warned, panel.set_note),
            (session.run_finished, self._on_finished),
            (session.run_failed, self._on_failed),
            (session.run_cancelled, self._on_cancelled),
        ]

    # The image and its project

    def open_project(self, folder: Path) -> None:
        """Open a project for the chosen image.

        Parameters
        ----------
        folder
            That was chosen by hand, or lies beside the image.
        """
        scene, used = self._scene, self._used
        if self.session.project is not None and self.session.project.folder == folder.absolute():
            return
        self.desk.save()
        self._forget_project()
        try:
            self.session.open(folder, None if scene is None else lambda project: check_project(project, scene))
        except MouseSegError as error:
            self._used = used
            self._complain(str(error))
            self._show_project()
            return
        self._restore()

    def _forget_project(self) -> None:
        """Let go of what was kept of the project that is left; ids and numbers of another one are the same."""
        self._rows.forget()
        self._used = None

    def _restore(self) -> None:
        """Take over settings, models of rounds, and the last patch."""
        project, scene = self.session.project, self._scene
        if project is None:
            return
        self._panel.set_plan(project.plan.retrain)
        if scene is not None:
            image = project.plan.image
            self._scene = scene.at(image.channel, image.plane_t, image.plane_z)
        for entry in project.plan.rounds:
            self._round_model(entry.number)
        self._bases.show()
        self.desk.show(project.plan.patches[-1].id if project.plan.patches else "")

    def _on_listed(self) -> None:
        self._panel.set_images(self._layers.names, self._layers.position)
        self._follow.start()

    def _on_layer(self, layer: Image | None) -> None:
        """Make a layer the image that is painted, with the project that lies beside it."""
        if self._scene is not None and layer is self._scene.layer:
            return
        if self.session.state is not TrainState.IDLE:
            self._complain("The image can be changed when the training has ended.")
            return
        self.desk.show("")
        self._forget_project()
        self.session.close()
        self._scene = None
        if layer is not None:
            try:
                self._scene = Scene.of(layer, look(self._viewer, layer).planes)
            except MouseSegError as error:
                self._complain(str(error))
        self._show_channels()
        self._show_project()
        if layer is not None and self._scene is not None:
            folder = project_folder(layer)
            if (folder / "project.json").exists():
                self.open_project(folder)

    def _show_channels(self) -> None:
        scene = self._scene
        self._panel.set_channels(scene.channel_names() if scene else [], scene.plan.channel if scene else 0)

    def _on_channel(self, index: int) -> None:
        if self._scene is None:
            return
        if self.session.project is not None and index != self.session.project.plan.image.channel:
            self._complain("The project was painted on another channel; its patches stay on that one.")
            self._show_channels()
            return
        self._scene = self._scene.at(index, self._scene.plan.plane_t, self._scene.plan.plane_z)

    def _show_project(self) -> None:
        project = self.session.project
        panel = self._panel
        if project is None:
            panel.set_project("", "", ())
            panel.set_patches(())
            panel.set_rounds((), None)
            panel.set_kind("objects", (), locked=True)
        else:
            panel.set_project(str(project.folder), project.read_only_reason, [d.message for d in project.damage])
            panel.set_patches(self._rows.rows())
            panel.set_rounds(project.plan.rounds, self._used)
            panel.set_kind(project.plan.kind, project.plan.classes, locked=True)
            panel.set_note(note_on(project.plan.patches))
        self.update_reasons()

    # Models to start from

    def _on_base(self, position: int) -> None:
        name = self._bases.choose(position)
        if self.session.project is not None and name != self.session.project.plan.base:
            self._try(lambda: self.session.update(base=name))

    def _round_model(self, number: int) -> Model | None:
        """Return the model of a round, and put it on the shelf."""
        project = self.session.project
        if project is None:
            return None
        try:
            return self._bases.put_round(project, number)
        except MouseSegError as error:
            self._complain(str(error))
            return None

    # Patches

    def _job(self, region: Box) -> SegmentJob | None:
        """Return the job of the base model on a region; a new network works at the image's own pixels."""
        from napari_mouse_seg.networks import DEFAULT_MODEL, find_model
        from napari_mouse_seg.pipeline import resolve

        scene = self._scene
        if scene is None:
            return None
        model = self._bases.model
        project = self.session.project
        scale = None
        if project is not None:
            scale = project.plan.network_shape[0] / scene.image.shape[0]
        elif model is None:
            scale = 1.0
        try:
            return resolve(scene.image, model or find_model(DEFAULT_MODEL), scene.plan.replace(scale=scale), region)
        except MouseSegError as error:
            self._complain(str(error))
            return None

    def _on_add(self) -> None:
        view = look(self._viewer, self._scene.layer) if self._scene is not None else None
        if view is not None and view.box is not None:
            self._add_patch(view.box)

    def _add_patch(self, region: Box) -> None:
        scene = self._scene
        if self.session.project is None and scene is not None and (planes := look(self._viewer, scene.layer).planes):
            self._scene = scene.at_planes(planes)
        job = self._job(region)
        if job is not None:
            self.desk.add(job, self._bases.name)

    def _on_rectangle(self, wanted: bool) -> None:
        if wanted and self._scene is not None:
            self._rectangle.begin(self._scene.layer)
        else:
            self._rectangle.end()

    def _on_drawn(self, corners: NDArray[np.float64]) -> None:
        box = box_within(corners, self._scene.image.shape) if self._scene is not None else None
        if box is not None and box.area:
            self._add_patch(box)

    def _on_rectangle_ended(self) -> None:
        self._panel.set_drawing(False)

    def _on_prefill(self, _patch_id: str) -> None:
        model = self._round_model(self._used) if self._used else self._bases.model
        if model is None:
            self._complain("There is no model to prefill with yet; choose a trained one, or train a round first.")
            return
        keep_triton_out()
        self.desk.prefill(model)

    def _on_patch(self, patch: PatchPlan) -> None:
        self._try(lambda: self.session.update_patch(patch))

    def _on_delete_patch(self, patch_id: str) -> None:
        if self.desk.layers.patch_id == patch_id:
            self.desk.show("")
        self._try(lambda: self.session.delete_patch(patch_id))

    def _on_saved(self, _event: PaintSaved) -> None:
        self._panel.set_patches(self._rows.rows())
        self.update_reasons()

    # Training

    def _on_plan(self, plan: RetrainPlan) -> None:
        project = self.session.project
        if project is not None and not project.read_only and plan != project.plan.retrain:
            self._try(lambda: self.session.update(retrain=plan))

    def _on_train(self) -> None:
        unsaved = self.desk.unsaved()
        self._try(lambda: self.session.train(self._panel.value(), unsaved))

    def _on_state(self, state: TrainState) -> None:
        panel = self._panel
        if state is TrainState.IDLE:
            self._training = False
            panel.end_training()
        elif state is TrainState.RUNNING:
            if not self._training:
                panel.begin_training()
            self._training = True
        elif state is TrainState.CANCELLING:
            panel.show_stage("Cancelling…")
        elif state is TrainState.STOPPING:
            panel.show_stage("Stopping; the best is kept…")
        panel.set_paused(state is TrainState.PAUSED)
        self.update_reasons()

    def _on_step(self, event: StepsDone) -> None:
        self._panel.show_progress(event.steps, event.total, event.left_s)
        self._loss = event.loss
        self._panel.add_point(event.steps, event.loss, None)

    def _on_validated(self, event: Validated) -> None:
        if event.score is not None:
            self._panel.add_point(event.steps, self._loss, event.score)
            if event.best:
                self._panel.mark_best(event.steps)

    def _on_checkpoint(self, event: CheckpointReady) -> None:
        from napari_mouse_seg.networks import load_model

        try:
            self._preview(_PREVIEW, load_model(Path(event.path)))
        except MouseSegError:
            return  # The next one has taken its place already.

    def _on_finished(self, done: RoundPlan) -> None:
        score = "not validated" if done.score is None else f"validation {done.score:.2f}"
        self._panel.show_message(f"{done.name} is ready ({score}) and can be used in Segment.")
        show_info(f"Training has ended: {done.name} is ready.")
        self._on_use(done.number)
        self._on_layer(self._layers.current)

    def _on_failed(self, reason: str) -> None:
        self._complain(reason)
        self._on_layer(self._layers.current)

    def _on_cancelled(self) -> None:
        self._panel.show_message("Cancelled; the project is as it was.")
        self._on_layer(self._layers.current)

    # Rounds

    def _on_use(self, number: int) -> None:
        model = self._round_model(number)
        if model is None:
            return
        self._used = number
        self._shelf.choose(self._shelf.models.index(model))
        self._preview(_PREVIEW, model)
        self._show_project()

    def _on_compare(self, first: int, second: int) -> None:
        for number in (first, second):
            model = self._round_model(number)
            if model is not None:
                self._preview(model.card.name, model)

    def _on_rename(self, number: int, name: str) -> None:
        self._try(lambda: self.session.rename_round(number, name))
        self._round_model(number)  # Its name on the shelf.

    def _on_delete_round(self, number: int) -> None:
        project = self.session.project
        self._try(lambda: self.session.delete_round(number))
        if project is None or any(entry.number == number for entry in project.plan.rounds):
            return
        for model in self._shelf.models:
            if model.path == project.round_file(number):
                self._shelf.take_out(model)
        if self._used == number:
            self._used = None
            self._show_project()

    def _preview(self, title: str, model: Model) -> None:
        """Show what a model finds in the view."""
        scene = self._scene
        view = look(self._viewer, scene.layer) if scene is not None else None
        if scene is not None and view is not None and view.box is not None:
            keep_triton_out()
            self._previews.show(title, model, Place(scene.layer, scene.image, scene.planes, scene.plan, view.box))

    # Helpers

    def _on_viewer_moved(self, _event: Any = None) -> None:  # Any: napari's event
        self._follow.start()

    def _try(self, action: Any) -> None:  # Any: a function without arguments
        try:
            action()
        except MouseSegError as error:
            self._complain(str(error))
            self._show_project()

    def _complain(self, reason: str) -> None:
        self._panel.show_failure(reason)
        show_error(reason)
