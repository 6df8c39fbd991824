"""Where patches are cut, shown, prefilled and saved; between the viewer's layers and the session's project."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QObject

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.events import Event, Finished
from napari_mouse_seg.plugin._new_project import create_project, cut_first_patch
from napari_mouse_seg.plugin._patch_layers import PatchLayers
from napari_mouse_seg.plugin._preview import look_with
from napari_mouse_seg.plugin._stage import place_of_patch
from napari_mouse_seg.plugin._viewport import fill_view
from napari_mouse_seg.tiling import Box
from napari_mouse_seg.widgets import delay

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from napari.components import ViewerModel
    from numpy.typing import NDArray

    from napari_mouse_seg.networks import Model
    from napari_mouse_seg.pipeline import PatchCut, SegmentJob
    from napari_mouse_seg.plans import PatchPlan
    from napari_mouse_seg.plugin._new_project import FirstPatch
    from napari_mouse_seg.plugin._paint_kind import PaintKind
    from napari_mouse_seg.plugin._runner import ThreadRunner
    from napari_mouse_seg.plugin._scene import Scene
    from napari_mouse_seg.plugin._stage import Stage
    from napari_mouse_seg.projects import Project
    from napari_mouse_seg.session import TrainSession

_LARGEST_PX = 512
_SAVE_MS = 800
_FILL = 0.8


class PatchDesk(QObject):
    """The patches of a session's project in a viewer.

    Parameters
    ----------
    viewer
        Where patches are shown.
    session
        Holds the project.
    runner
        Reads and segments beside the main thread.
    stage
        Holds the image.
    kind
        What is painted.

    Attributes
    ----------
    shown
        Carries the id of the patch that is shown now; empty if none is.
    said, failed
        Carry words.
    at_work
        What it does beside the main thread, in words; nothing else can be begun then. Empty if nothing.
    at_work_changed
        It has changed.
    """

    shown = Signal(str)
    at_work_changed = Signal()
    said = Signal(str)
    failed = Signal(str)

    def __init__(
        self, viewer: ViewerModel, session: TrainSession, runner: ThreadRunner, stage: Stage, kind: PaintKind
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._session = session
        self._runner = runner
        self._stage = stage
        self._kind = kind
        self.at_work = ""
        self._completing = range(0)  # Labels put into the patch that is shown, which made its rest background.
        self._wanted: str | None = None
        self._is_showing = False
        self.layers = PatchLayers(viewer)
        self.layers.painted.connect(self._on_painted)
        self.layers.removed.connect(self._on_removed)
        self.layers.next_wanted.connect(self.show_next)
        self._timer = delay(self, _SAVE_MS, self.save)
        self.layers.class_chosen.connect(kind.note_chosen)
        session.save_failed.connect(self._on_save_failed)
        session.leaving.connect(self._on_leaving)
        session.project_changed.connect(self._on_project_changed)

    def add(self, job: SegmentJob, base: str) -> None:
        """Cut a patch out of the middle of a job's region and show it; makes the project if there is none.

        Parameters
        ----------
        job
            Of the base model on the region.
        base
            Value for ``ProjectPlan.base`` of a new project.
        """
        from napari_mouse_seg.pipeline import cut_patch

        scene, project = self._stage.scene, self._session.project
        if scene is not None:
            is_first = project is None
            events = cut_first_patch(scene, job, _LARGEST_PX) if is_first else cut_patch(job, _LARGEST_PX)
            on_cut = partial(self._on_cut, scene, project, job, base)
            self._begin("A patch is being cut out.", events, on_cut)

    def show(self, patch_id: str) -> None:
        """Go to a patch and let it be painted in; an empty id puts the present one away.

        Asked again while layers come and go, it goes there afterwards.
        """
        self._wanted = patch_id
        if self._is_showing:
            return
        self._is_showing = True
        try:
            while (wanted := self._wanted) is not None:
                self._wanted = None
                self._show(wanted)
        finally:
            self._is_showing = False

    def _show(self, patch_id: str) -> None:
        scene, project = self._stage.scene, self._session.project
        self.save()
        patch, self._completing = self._patch(patch_id), range(0)
        if scene is None or project is None or patch is None or patch.id in project.broken:
            self.layers.hide()
            self.shown.emit("")
            return
        try:
            pixels, paint = project.pixels(patch.id), self._session.paint(patch.id)
        except MouseSegError as error:
            self.failed.emit(str(error))
            return
        self.layers.show(
            scene.layer,
            scene.planes,
            scene.pixel_scale(project),
            patch,
            pixels,
            paint,
            project.plan.limits,
            editable=not project.read_only,
            classes=self._kind.classes,
            label=self._kind.label,
        )
        self._stage.go_to_plane()
        if self.layers.paint_layer is not None:
            fill_view(self._viewer, self.layers.paint_layer, _FILL)
        self.shown.emit(patch.id)

    def place(self) -> None:
        """Lay the present patch where the image lies now."""
        scene, project = self._stage.scene, self._session.project
        if scene is not None and project is not None:
            self.layers.place(scene.planes, scene.pixel_scale(project))

    def show_next(self) -> None:
        """Go to the patch after the present one, and after the last to the first."""
        project = self._session.project
        if project is None or not project.plan.patches:
            return
        ids = [patch.id for patch in project.plan.patches]
        here = ids.index(self.layers.patch_id) if self.layers.patch_id in ids else -1
        self.show(ids[(here + 1) % len(ids)])

    def prefill(self, model: Model) -> None:
        """Put what a model finds into the present patch, where nothing is painted yet; it must fit the project."""
        scene, project = self._stage.scene, self._session.project
        patch_id = self.layers.patch_id
        patch = self._patch(patch_id)
        if scene is None or project is None or patch is None:
            return
        events = look_with(model, place_of_patch(scene, project, patch))
        self._begin("The patch is being filled in.", events, partial(self._on_found, scene, project, patch_id))

    def save(self) -> None:
        """Bring what was painted since the last time to the disk."""
        self._timer.stop()
        paint = self.layers.take_changed()
        if paint is not None:
            self._session.save_paint(self.layers.patch_id, paint)

    def save_now(self) -> None:
        """Like ``save``, but the disk has it when this returns."""
        self.save()
        self._session.save_now()

    def unsaved(self) -> dict[str, NDArray[Any]]:
        """Return what was painted since the last time, by patch."""
        self._timer.stop()
        paint = self.layers.take_changed()
        return {} if paint is None else {self.layers.patch_id: paint}

    def close(self) -> None:
        """Save at once, and take the layers out."""
        self.save_now()
        self.layers.close()

    def _on_painted(self, _patch_id: str) -> None:
        if not self._timer.isActive():  # Not put off by every stroke: two seconds at most are lost.
            self._timer.start()
        if self._completing and not self.layers.has_any(self._completing):
            self._on_unfilled()

    def _on_removed(self, _patch_id: str) -> None:
        self.save()
        self.shown.emit("")

    def _on_project_changed(self) -> None:
        """Let the brush know what the strokes in the present patch mean now."""
        patch = self._patch(self.layers.patch_id)
        if patch is not None:
            self.layers.set_meaning(patch.meaning)

    def _on_leaving(self) -> None:
        """Take up the last strokes; the layers stay for the next project's patch."""
        self._completing = range(0)
        self.save()

    def _on_save_failed(self, reason: str) -> None:
        self.failed.emit(f"{reason} The paint is still in the viewer; it is tried again every few seconds.")

    def _on_cut(self, scene: Scene, project: Project | None, job: SegmentJob, base: str, event: Event) -> None:
        if not isinstance(event, Finished):
            return
        first: FirstPatch | None = event.result if project is None else None
        cut: PatchCut = event.result if first is None else first.cut
        present = self._stage.scene
        if present is None or present.image is not scene.image or project is not self._session.project:
            self.failed.emit("No patch was added: the image or the project was changed while it was being cut out.")
            return
        try:
            if first is not None:
                for words in create_project(self._session, self._kind, scene, job, base, first):
                    self.said.emit(words)
            patch = self._session.add_patch(cut.pixels, cut.box)
        except MouseSegError as error:
            self.failed.emit(str(error))
            return
        self.show(patch.id)
        if cut.box.area < job.box.area:
            rows, columns = cut.box.shape
            self.said.emit(f"The patch is the middle of the view, {columns} x {rows} px; zoom in for a smaller one.")

    def _on_found(self, scene: Scene, project: Project, patch_id: str, event: Event) -> None:
        present, patch = self._stage.scene, self._patch(patch_id)
        is_same = present is not None and present.layer is scene.layer and project is self._session.project
        if not isinstance(event, Finished) or not is_same or patch_id != self.layers.patch_id or patch is None:
            return  # Patches of other projects have the same ids.
        found = event.result
        inner = Box(*patch.box).shift(-found.box.y0, -found.box.x0)
        count = self.layers.fill(found.labels[inner.slices])
        if not count:
            self.said.emit("The model found nothing that is not painted already; nothing was changed. Paint by hand.")
        elif project.plan.kind == "areas":
            self.said.emit(f"{count:,} pixels filled in where nothing was painted; correct them.")
        elif patch.meaning.rest_is_background:
            self.said.emit(f"{count} objects put in; correct them. Everything else counts as background.")
        elif self._set_rest(patch, is_background=True):
            self._completing = self.layers.filled
            self.said.emit(f"{count} objects put in; correct them. Everything else now counts as background.")

    def _on_unfilled(self) -> None:
        """Let what is not painted be unknown again, as it was before the patch was filled in."""
        patch, self._completing = self._patch(self.layers.patch_id), range(0)
        if patch is not None and patch.meaning.rest_is_background and self._set_rest(patch, is_background=False):
            self.said.emit("The objects that were put in are gone; what is not painted does not count any more.")

    def _set_rest(self, patch: PatchPlan, *, is_background: bool) -> bool:
        """Say what the unpainted rest of a patch means, and return whether that could be kept."""
        try:
            self._session.update_patch(patch.replace(meaning=patch.meaning.replace(rest_is_background=is_background)))
        except MouseSegError as error:
            self.failed.emit(str(error))
            return False
        return True

    def _patch(self, patch_id: str) -> PatchPlan | None:
        project = self._session.project
        return next((patch for patch in project.plan.patches if patch.id == patch_id), None) if project else None

    def _begin(self, what: str, events: Generator[Event, None, None], on_event: Callable[[Event], None]) -> None:
        """Do one thing at a time, and say so to whoever wants a second."""
        if self.at_work:
            self.said.emit(f"{self.at_work} Try again in a moment.")
            return
        self._set_at_work(what)
        self._runner.start(events, on_event, self._on_end)

    def _set_at_work(self, what: str) -> None:
        self.at_work = what
        self.at_work_changed.emit()

    def _on_end(self, error: Exception | None) -> None:
        self._set_at_work("")
        if error is not None:
            words = str(error) if isinstance(error, MouseSegError) else f"{type(error).__name__}: {error}"
            self.failed.emit(words)
