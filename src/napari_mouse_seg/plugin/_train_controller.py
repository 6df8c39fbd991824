"""Ties a viewer, the panel *Train* and a training session together: who listens to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QObject

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.plugin._base_models import BaseModels
from napari_mouse_seg.plugin._fit import prefill_problem
from napari_mouse_seg.plugin._image_project import ImageProject
from napari_mouse_seg.plugin._layer_list import ImageLayerList
from napari_mouse_seg.plugin._paint_kind import PaintKind
from napari_mouse_seg.plugin._patch_adding import PatchAdding
from napari_mouse_seg.plugin._patch_desk import PatchDesk
from napari_mouse_seg.plugin._patch_rows import PatchRows
from napari_mouse_seg.plugin._preview import Previews
from napari_mouse_seg.plugin._rounds import Rounds
from napari_mouse_seg.plugin._runner import ThreadRunner
from napari_mouse_seg.plugin._saving_again import SavingAgain
from napari_mouse_seg.plugin._stage import Stage
from napari_mouse_seg.plugin._stain_look import StainLook
from napari_mouse_seg.plugin._train_progress import TrainProgress
from napari_mouse_seg.plugin._viewport import view_events
from napari_mouse_seg.plugin._warm_up import keep_triton_out
from napari_mouse_seg.session import TrainSession, TrainState
from napari_mouse_seg.widgets import delay

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_mouse_seg.networks import Model
    from napari_mouse_seg.plans import ClassPlan, PatchPlan, RetrainPlan, RoundPlan
    from napari_mouse_seg.plugin._model_shelf import ModelShelf
    from napari_mouse_seg.session import PaintSaved
    from napari_mouse_seg.widgets import TrainPanel

_FOLLOW_MS = 60
_OPENING = "The project is being opened; wait a moment."


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
        self._runner = ThreadRunner()
        self.session = TrainSession(self._runner)
        self._make_parts()
        self._follow = delay(self, _FOLLOW_MS, self.update_reasons)
        self._connect()
        self._show_all()
        self._layers.start()

    def update_reasons(self) -> None:
        """Say why a patch cannot be added or prefilled, and why training cannot start."""
        if self._closed:
            return
        project = self.session.project
        add = _OPENING if self.session.is_opening else self._stage.add_problem(project) or self.desk.at_work
        prefill = "" if project is None else prefill_problem(project.plan, self._prefill_model())
        other_plane = project is not None and not project.read_only and bool(self._stage.other_plane())
        train = self.session.problem() or self._bases.problem
        self._panel.set_reasons(add, train, prefill or self.desk.at_work, other_plane=other_plane)

    def save_now(self) -> None:
        """Save what is painted; the disk has it when this returns."""
        self.desk.save_now()

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
        self._saving.close()
        for signal, slot in self._to_panel():
            signal.disconnect(slot)
        self.desk.close()
        self._layers.close()
        self._adding.close()
        self._previews.close()
        for event in view_events(self._viewer):
            event.disconnect(self._on_viewer_moved)
        self.session.cancel()
        self._runner.shutdown()
        self.session.close()

    def _make_parts(self) -> None:
        viewer, panel, session, runner, shelf = self._viewer, self._panel, self.session, self._runner, self._shelf
        self._layers = ImageLayerList(viewer, lambda: session.project is None and not session.is_opening)
        self._stage = Stage(viewer, self._layers)
        self._kind = PaintKind(panel, session)
        self._look = StainLook(runner)
        self._bases = BaseModels(panel, shelf, session, self._kind, runner, self._look)
        self._previews = Previews(viewer, runner)
        self._rows = PatchRows(session, runner)
        self._rounds = Rounds(session, shelf, self._stage, self._previews, self._kind, runner)
        self.desk = PatchDesk(viewer, session, runner, self._stage, self._kind)
        self._adding = PatchAdding(viewer, session, self._stage, self._bases, self.desk)
        self._progress = TrainProgress(panel, session)
        self._saving = SavingAgain(panel, session)
        self._place = ImageProject(
            panel, session, self._stage, self._kind, self._bases, self.desk, self._rows, self._rounds
        )

    def _connect(self) -> None:
        self._layers.listed.connect(self._on_listed)
        self._layers.altered.connect(self._place.look_again)
        self._layers.chosen.connect(self._on_chosen)
        for event in view_events(self._viewer):
            event.connect(self._on_viewer_moved)
        self.desk.said.connect(show_info)
        self._connect_panel()
        for signal, slot in self._to_panel():
            signal.connect(slot)

    def _connect_panel(self) -> None:
        panel = self._panel
        panel.imageChosen.connect(self._layers.choose)
        panel.channelChosen.connect(self._place.choose_channel)
        panel.modelChosen.connect(self._on_base)
        panel.kindChosen.connect(self._on_kind)
        panel.classesChanged.connect(self._on_classes)
        panel.classChosen.connect(self._on_class)
        panel.planChanged.connect(self._on_plan)
        panel.projectRequested.connect(self._place.open)
        panel.addPatchRequested.connect(self._adding.add_view)
        panel.addRectangleRequested.connect(self._adding.draw)
        panel.planeRequested.connect(self._stage.go_to_plane)
        panel.prefillRequested.connect(self._on_prefill)
        panel.patchChosen.connect(self.desk.show)
        panel.patchChanged.connect(self._on_patch)
        panel.patchDeleted.connect(self._on_delete_patch)
        panel.trainRequested.connect(self._on_train)
        panel.pauseRequested.connect(self.session.pause)
        panel.stopRequested.connect(self.session.stop)
        panel.cancelRequested.connect(self.session.cancel)
        panel.roundUsed.connect(self._rounds.choose)
        panel.roundsCompared.connect(self._rounds.compare)
        panel.roundRenamed.connect(self._on_rename)
        panel.roundDeleted.connect(self._on_delete_round)

    def _to_panel(self) -> list[tuple[Any, Callable[..., None]]]:  # Any: psygnal's instances
        """Return what the panel shows, and where it comes from; the panel is gone before this object is."""
        session, panel, place = self.session, self._panel, self._place
        failed = (part.failed for part in (self.desk, self._adding, self._rounds, place))
        return [
            *((signal, self._complain) for signal in failed),
            *self._progress.links(),
            (self.desk.shown, panel.set_current_patch),
            (self.desk.at_work_changed, self.update_reasons),
            (self._adding.rectangle_ended, self._on_rectangle_ended),
            (self._previews.failed, self._progress.warn),
            (self._rows.changed, place.show_rows),
            (self._rounds.changed, self._show_all),
            (self._bases.fetched, self._show_all),
            (self._shelf.changed, self._bases.show),
            (self._look.changed, self._bases.show),
            (session.project_changed, self._show_all),
            (session.leaving, place.on_leaving),
            (session.opened, place.on_opened),
            (session.open_failed, place.on_open_failed),
            (session.paint_saved, self._on_saved),
            (session.state_changed, self.update_reasons),
            (session.checkpoint_ready, self._rounds.show_checkpoint),
            (session.run_finished, self._on_finished),
            (session.run_failed, self._on_failed),
            (session.run_cancelled, self._on_idle),
            *self._saving.links(),
        ]

    def _show_all(self) -> None:
        self._place.show()
        self._progress.show_warnings()
        self.update_reasons()

    def _on_listed(self) -> None:
        self._panel.set_images(self._layers.names, self._layers.position)
        self._follow.start()

    def _on_chosen(self, layer: Image | None) -> None:
        self._place.choose_layer(layer)
        self.update_reasons()

    def _on_viewer_moved(self, _event: Any = None) -> None:  # Any: napari's event
        self._follow.start()

    def _on_base(self, position: int) -> None:
        name = self._bases.choose_by_hand(position)
        if self.session.project is not None and name != self.session.project.plan.base:
            self._try(lambda: self.session.update(base=name))

    def _on_kind(self, kind: str) -> None:
        self._kind.choose_kind(kind)
        self._show_all()

    def _on_classes(self, classes: tuple[ClassPlan, ...]) -> None:
        self.desk.save()
        self._try(lambda: self._kind.change_classes(classes))
        self._bases.show()

    def _on_class(self, label: int) -> None:
        self._kind.note_chosen(label)
        self.desk.layers.choose_class(label)

    def _on_plan(self, plan: RetrainPlan) -> None:
        project = self.session.project
        if project is not None and not project.read_only and plan != project.plan.retrain:
            self._try(lambda: self.session.update(retrain=plan))

    def _prefill_model(self) -> Model | None:
        return self._rounds.newest() or self._bases.model

    def _on_prefill(self, _patch_id: str) -> None:
        project, model = self.session.project, self._prefill_model()
        if project is None:
            return
        problem = prefill_problem(project.plan, model)
        if model is None or problem:
            self._complain(problem)
            return
        keep_triton_out()
        self.desk.prefill(model)

    def _on_patch(self, patch: PatchPlan) -> None:
        self._try(lambda: self.session.update_patch(patch))

    def _on_delete_patch(self, patch_id: str) -> None:
        if self.desk.layers.patch_id == patch_id:
            self.desk.show("")
        self._try(lambda: self.session.delete_patch(patch_id))

    def _on_rectangle_ended(self) -> None:
        self._panel.set_drawing(False)

    def _on_saved(self, _event: PaintSaved) -> None:
        self._place.show_rows()
        self.update_reasons()

    def _on_train(self) -> None:
        self._rounds.end_comparison()  # Previews are looked at from now on.
        plan = self._panel.value()
        unsaved = self.desk.unsaved()  # Last, as nobody else saves it then.
        self._try(lambda: self.session.train(plan, unsaved))
        if self.session.state is not TrainState.IDLE:
            self._rounds.expect_training()

    def _on_finished(self, done: RoundPlan) -> None:
        self._rounds.use(done.number)
        self._on_idle()

    def _on_failed(self, reason: str) -> None:
        self._complain(reason)
        self._on_idle()

    def _on_idle(self) -> None:
        """Take up an image that was chosen while a round was at work."""
        self._on_chosen(self._layers.current)

    def _on_rename(self, number: int, name: str) -> None:
        self._try(lambda: self._rounds.rename(number, name))

    def _on_delete_round(self, number: int) -> None:
        self._try(lambda: self._rounds.delete(number))

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except MouseSegError as error:
            self._complain(str(error))
            self._show_all()

    def _complain(self, reason: str) -> None:
        self._panel.show_failure(reason)
        show_error(reason)
