"""Ties a viewer, the panel *Train* and a training session together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QObject, QTimer

from napari_mouse_seg.errors import MouseSegError, ProjectError
from napari_mouse_seg.plans import InstancesPlan, SegmentPlan
from napari_mouse_seg.plugin._draw_tool import DrawTool, box_within
from napari_mouse_seg.plugin._layer_list import ImageLayerList
from napari_mouse_seg.plugin._layers import image_of_layer, plane_indices
from napari_mouse_seg.plugin._model_choice import choice_of
from napari_mouse_seg.plugin._patch_desk import PatchDesk, Scene, image_path, project_folder
from napari_mouse_seg.plugin._preview import Place, Previews
from napari_mouse_seg.plugin._runner import ThreadRunner
from napari_mouse_seg.plugin._viewport import look, view_events
from napari_mouse_seg.plugin._warm_up import keep_triton_out
from napari_mouse_seg.session import TrainSession, TrainState
from napari_mouse_seg.widgets import ModelChoice, PatchRow

if TYPE_CHECKING:
    from collections.abc import Callable

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
_THUMBNAIL_PX = 64
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
        self._bases: list[tuple[str, Model | None]] = []
        self._base: tuple[str, Model | None] = ("", None)
        self._loss = 0.0
        self._training = False
        self._thumbnails: dict[str, NDArray[np.uint8]] = {}
        self._used: int | None = None
        self._runner = ThreadRunner()
        self.session = TrainSession(self._runner)
        self._layers = ImageLayerList(viewer)
        self.desk = PatchDesk(viewer, self.session, self._runner, lambda: self._scene)
        self._rectangle = DrawTool(viewer, "rectangle")
        self._previews = Previews(viewer, self._runner)
        self._follow = QTimer(self)
        self._follow.setSingleShot(True)
        self._follow.setInterval(_FOLLOW_MS)
        self._follow.timeout.connect(self.update_reasons)
        self._connect()
        self._list_models()
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
        self._shelf.changed.disconnect(self._list_models)
        self.session.cancel()
        self._runner.shutdown()
        self.session.close()

    def _connect(self) -> None:
        self._layers.listed.connect(self._on_listed)
        self._layers.chosen.connect(self._on_layer)
        for event in view_events(self._viewer):
            event.connect(self._on_viewer_moved)
        self._shelf.changed.connect(self._list_models)
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
        self._forget_project()
        try:
            self.session.open(folder)
            self._check_image()
            self._relink()
        except MouseSegError as error:
            self._complain(str(error))
            self.session.close()
            self._show_project()
            return
        self._restore()

    def _forget_project(self) -> None:
        """Let go of what was kept of the project that is left; ids and numbers of another one are the same."""
        self._thumbnails.clear()
        self._used = None

    def _check_image(self) -> None:
        """Refuse a project whose patches would lie elsewhere on this image."""
        project, scene = self.session.project, self._scene
        if project is None or scene is None or scene.image.shape == project.plan.image.shape:
            return
        painted = project.plan.image
        raise ProjectError(
            f"{project.folder.name} was painted on an image of {painted.shape[0]} x {painted.shape[1]} px, but "
            f"{scene.layer.name!r} has {scene.image.shape[0]} x {scene.image.shape[1]}; open "
            f"{painted.path or painted.name} first."
        )

    def _relink(self) -> None:
        """Remember where the image lies now, if it is the same one."""
        project, scene = self.session.project, self._scene
        if project is None or project.read_only or scene is None:
            return
        path = image_path(scene.layer)
        if path is not None and str(path) != project.plan.image.path:
            project.relink(path)

    def _restore(self) -> None:
        """Take over settings, models of rounds, and the last patch."""
        project, scene = self.session.project, self._scene
        if project is None:
            return
        self._panel.set_plan(project.plan.retrain)
        if scene is not None:
            image = project.plan.image
            self._set_plane(scene, image.channel, image.plane_t, image.plane_z)
        for entry in project.plan.rounds:
            self._put_on_shelf(entry)
        self._list_models()
        if project.plan.patches:
            self.desk.show(project.plan.patches[-1].id)

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
                image = image_of_layer(layer)
                view = look(self._viewer, layer)
                chosen = dict(zip(image.axes, view.planes, strict=False))
                plan = SegmentPlan(channel=chosen.get("C", 0), plane_t=chosen.get("T", 0), plane_z=chosen.get("Z", 0))
                self._scene = Scene(layer, image, plane_indices(image, plan), plan)
            except MouseSegError as error:
                self._complain(str(error))
        self._show_channels()
        self._show_project()
        if layer is not None and self._scene is not None:
            folder = project_folder(layer)
            if (folder / "project.json").exists():
                self.open_project(folder)

    def _show_channels(self) -> None:
        image = self._scene.image if self._scene else None
        names = [] if image is None else image.channel_names or [f"Channel {i}" for i in range(image.n_channels)]
        self._panel.set_channels(names, self._scene.plan.channel if self._scene else 0)

    def _on_channel(self, index: int) -> None:
        if self._scene is None:
            return
        if self.session.project is not None and index != self.session.project.plan.image.channel:
            self._complain("The project was painted on another channel; its patches stay on that one.")
            self._show_channels()
            return
        self._set_plane(self._scene, index, self._scene.plan.plane_t, self._scene.plan.plane_z)

    def _follow_plane(self) -> None:
        """Take over the time point and plane that the viewer shows."""
        scene = self._scene
        if scene is not None and (shown := look(self._viewer, scene.layer).planes):
            chosen = dict(zip(scene.image.axes, shown, strict=False))
            self._set_plane(scene, scene.plan.channel, chosen.get("T", 0), chosen.get("Z", 0))

    def _set_plane(self, scene: Scene, channel: int, time: int, depth: int) -> None:
        plan = scene.plan.replace(channel=channel, plane_t=time, plane_z=depth)
        self._scene = Scene(scene.layer, scene.image, plane_indices(scene.image, plan), plan)

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
            panel.set_patches([self._row(patch) for patch in project.plan.patches if patch.id not in project.broken])
            panel.set_rounds(project.plan.rounds, self._used)
            panel.set_kind(project.plan.kind, project.plan.classes, locked=True)
            panel.set_note(_note(project.plan.patches))
        self.update_reasons()

    def _row(self, patch: PatchPlan) -> PatchRow:
        found = self.session.summary(patch.id)
        if patch.id not in self._thumbnails and self.session.project is not None:
            plan = self.session.project.plan
            self._thumbnails[patch.id] = _thumbnail(self.session.project.pixels(patch.id), plan.limits)
        return PatchRow(patch, self._thumbnails.get(patch.id), found.share, found.n_objects)

    # Models to start from

    def _list_models(self) -> None:
        from napari_mouse_seg.pipeline import new_networks

        self._bases = [(_base_of(model), model) for model in self._shelf.models]
        choices = [choice_of(model) for model in self._shelf.models]
        for name, text in new_networks().items():
            self._bases.append((name, None))
            choices.append(ModelChoice(text, "Knows nothing yet; needs more paint and time.", text, InstancesPlan()))
        names = [name for name, _ in self._bases]
        wanted = self.session.project.plan.base if self.session.project else self._base[0]
        position = names.index(wanted) if wanted in names else 0
        self._base = self._bases[position]
        self._panel.set_models(choices, position)

    def _on_base(self, position: int) -> None:
        self._base = self._bases[position] if 0 <= position < len(self._bases) else ("", None)
        name = self._base[0]
        if self.session.project is not None and name != self.session.project.plan.base:
            self._try(lambda: self.session.update(base=name))

    def _put_on_shelf(self, entry: RoundPlan) -> Model | None:
        from napari_mouse_seg.networks import load_model

        project = self.session.project
        if project is None:
            return None
        try:
            model = load_model(project.round_file(entry.number))
        except MouseSegError as error:
            self._complain(str(error))
            return None
        model = replace(model, card=model.card.replace(name=entry.name))  # It may have been renamed since.
        self._shelf.put(model)
        return model

    def _round_model(self, number: int) -> Model | None:
        project = self.session.project
        entries = project.plan.rounds if project else ()
        entry = next((entry for entry in entries if entry.number == number), None)
        return None if entry is None else self._put_on_shelf(entry)

    # Patches

    def _job(self, region: Box) -> SegmentJob | None:
        """Return the job of the base model on a region; a new network works at the image's own pixels."""
        from napari_mouse_seg.networks import find_model
        from napari_mouse_seg.pipeline import resolve

        scene = self._scene
        if scene is None:
            return None
        model = self._base[1]
        project = self.session.project
        scale = None
        if project is not None:
            scale = project.plan.network_shape[0] / scene.image.shape[0]
        elif model is None:
            scale = 1.0
        try:
            return resolve(
                scene.image, model or find_model("nuclei-fluorescence"), scene.plan.replace(scale=scale), region
            )
        except MouseSegError as error:
            self._complain(str(error))
            return None

    def _on_add(self) -> None:
        view = look(self._viewer, self._scene.layer) if self._scene is not None else None
        if view is not None and view.box is not None:
            self._add_patch(view.box)

    def _add_patch(self, region: Box) -> None:
        if self.session.project is None:
            self._follow_plane()
        job = self._job(region)
        if job is not None:
            self.desk.add(job, self._base[0])

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
        model = self._round_model(self._used) if self._used else self._base[1]
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

    def _on_saved(self, event: PaintSaved) -> None:
        project = self.session.project
        if project is not None:
            shown = [patch for patch in project.plan.patches if patch.id not in project.broken]
            self._panel.set_patches([self._row(patch) for patch in shown])
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


def _note(patches: tuple[PatchPlan, ...]) -> str:
    used = [patch for patch in patches if patch.included]
    if used and not any(patch.role == "validate" for patch in used):
        return "No patch is used for validation, so training ends when its time is over."
    return ""


def _base_of(model: Model) -> str:
    """Return what a project calls a model: bundled ones by name, others by file."""
    from napari_mouse_seg.networks import list_models

    return model.card.name if any(model.path == known.path for known in list_models()) else str(model.path)


def _thumbnail(pixels: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.uint8]:
    """Return (Y, X, 3) uint8 of a (C, Y, X) patch, small."""
    step = max(1, min(pixels.shape[1:]) // _THUMBNAIL_PX)
    small = pixels[:3, ::step, ::step].astype(np.float32)
    if len(small) != 3:
        small = np.repeat(small[:1], 3, axis=0)
    scaled = np.clip((small - limits[0]) / max(limits[1] - limits[0], 1e-9), 0, 1)
    return np.ascontiguousarray(np.moveaxis(np.round(scaled * 255).astype(np.uint8), 0, -1))
