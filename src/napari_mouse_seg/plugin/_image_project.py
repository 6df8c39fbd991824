"""The chosen image and the project that goes with it: opened beside the main thread, restored, shown in the panel."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from weakref import ref

from psygnal import Signal

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.plugin._new_project import is_empty
from napari_mouse_seg.plugin._patch_rows import note_on
from napari_mouse_seg.plugin._scene import check_project, how_to_see, reference
from napari_mouse_seg.session import TrainState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari.layers import Image

    from napari_mouse_seg.plans import ImageReference
    from napari_mouse_seg.plugin._base_models import BaseModels
    from napari_mouse_seg.plugin._paint_kind import PaintKind
    from napari_mouse_seg.plugin._patch_desk import PatchDesk
    from napari_mouse_seg.plugin._patch_rows import PatchRows
    from napari_mouse_seg.plugin._rounds import Rounds
    from napari_mouse_seg.plugin._stage import Stage
    from napari_mouse_seg.session import TrainSession
    from napari_mouse_seg.widgets import TrainPanel


class ImageProject:
    """Which image is painted, and in which project.

    Parameters
    ----------
    panel
        Shows both.
    session
        Holds the project.
    stage
        Holds the image.
    kind, bases, desk, rows, rounds
        Each shows its part of the project.

    Attributes
    ----------
    failed
        Carries words.
    """

    failed = Signal(str)

    def __init__(
        self,
        panel: TrainPanel,
        session: TrainSession,
        stage: Stage,
        kind: PaintKind,
        bases: BaseModels,
        desk: PatchDesk,
        rows: PatchRows,
        rounds: Rounds,
    ) -> None:
        self._panel = panel
        self._session = session
        self._stage = stage
        self._kind = kind
        self._bases = bases
        self._desk = desk
        self._rows = rows
        self._rounds = rounds
        self._chosen: ref[Image] | None = None
        self._left: dict[Path, ImageReference] = {}  # Projects that were open, the last one last.

    def choose_layer(self, layer: Image | None) -> None:
        """Make a layer the image that is painted, with the project that lies beside it or in the home folder."""
        if self._stage.scene is not None and layer is self._stage.scene.layer:
            return
        if self._session.state is not TrainState.IDLE:
            self.failed.emit("The image can be changed when the training has ended.")
            return
        before = None if self._chosen is None else self._chosen()
        if layer is not before and not self._session.is_behind:
            self._panel.show_failure("")  # It was about the other image.
        self._chosen = None if layer is None else ref(layer)
        self._desk.show("")
        self._session.close()
        self._forget()
        try:
            self._stage.set_layer(layer)
        except MouseSegError as error:
            self.failed.emit(str(error))
        scene = self._stage.scene
        self._bases.suit(None if scene is None else scene.image)
        self._show_channels()
        self.show()
        if scene is not None:
            self._open_project_of(reference(scene))

    def look_again(self, layer: Image) -> None:
        """Take up what was done to a layer; if it is the painted one and of another size now, it is chosen anew."""
        before = self._stage.scene
        if before is None or layer is not before.layer:
            return
        if not self._stage.look_again():
            if self._session.project is not None and self._session.state is TrainState.IDLE:
                self.failed.emit(f"“{layer.name}” has another size or other axes now, so its project is closed.")
            return
        self._desk.place()
        now = self._stage.scene
        if now is not None and now.image.pixel_size_um != before.image.pixel_size_um:
            self._bases.suit(now.image)
            self._bases.show()

    def choose_channel(self, index: int) -> None:
        """Paint on another channel, if nothing is painted yet."""
        scene = self._stage.scene
        if self._session.project is not None and scene is not None and index != scene.plan.channel:
            self.failed.emit("The project was painted on another channel; its patches stay on that one.")
            self._show_channels()
            return
        self._stage.set_channel(index)

    def open(self, folder: Path) -> None:
        """Open a project for the chosen image, beside the main thread.

        Parameters
        ----------
        folder
            That was chosen by hand, or belongs to the image. One that is open already is opened again only if it
            could not be written to: whoever held it may have closed it. An empty one gets the image's next project.
        """
        from napari_mouse_seg.projects import Layout

        if not Layout(folder.absolute()).is_project:
            self._begin_in(folder.absolute())
            return
        present = self._session.project
        if present is not None and present.folder == folder.absolute() and not present.read_only:
            return
        self._search(lambda: folder)

    def _open_project_of(self, image: ImageReference) -> None:
        """Open the project of an image that was open last, wherever it lies, or else the one at its place."""
        from napari_mouse_seg.projects import FingerprintNeededError, find_project

        left = dict(self._left)
        try:
            folder = find_project(image, left, quick=True)
        except FingerprintNeededError:
            self._search(partial(find_project, image, left))
            return
        if folder is not None:
            self.open(folder)

    def _search(self, find: Callable[[], Path | None]) -> None:
        """Open the project that is found for the chosen image."""
        scene = self._stage.scene
        others = self._stage.channel_layers()
        try:
            check = None if scene is None else partial(check_project, scene=scene, channel_layers=others)
            self._session.search(find, check)
        except MouseSegError as error:
            self.failed.emit(str(error))
            return
        self.show()

    def _begin_in(self, folder: Path) -> None:
        """Leave the present project; the next patch begins one in a folder."""
        problem = self._begin_problem(folder)
        if problem:
            self.failed.emit(problem)
            return
        self._desk.show("")
        self._session.close()
        self._forget()
        self._stage.set_folder(folder)
        self.show()

    def _begin_problem(self, folder: Path) -> str:
        """Return why no project can begin in a folder; empty if one can."""
        if not is_empty(folder):
            return f"There is no project in {folder}; choose the folder of one, or an empty folder for a new one."
        if self._stage.scene is None:
            return f"There is no project in {folder}; open an image first to begin one there."
        if self._session.state is not TrainState.IDLE:
            return "Another project can begin when the training has ended."
        return f"{self._desk.at_work} Try again in a moment." if self._desk.at_work else ""

    def on_leaving(self) -> None:
        """Let go of what was kept of the project that is left; ids and numbers of another one are the same."""
        project = self._session.project
        if project is not None:
            self._left.pop(project.folder, None)
            self._left[project.folder] = project.plan.image
        self._forget()

    def on_opened(self) -> None:
        """Take over settings, models and the last patch of the project that has come."""
        project = self._session.project
        if project is None:
            return
        self._panel.set_plan(project.plan.retrain)
        self._stage.set_reference(project.plan.image)
        self._show_channels()
        self._rounds.read_all()
        self._desk.show(project.plan.patches[-1].id if project.plan.patches else "")

    def on_open_failed(self, reason: str) -> None:
        """Say why; the present project stays."""
        self.failed.emit(reason)
        self.show()

    def show(self) -> None:
        """Let the panel show the project, or that there is none."""
        project, panel = self._session.project, self._panel
        self._kind.show()
        self._bases.show()  # Before asking it for a problem.
        self._desk.layers.set_classes(self._kind.classes)
        if project is None:
            panel.set_project(self._no_project(), "", ())
            panel.set_patches(())
            panel.set_rounds((), None)
            return
        problems = [*(found.message for found in project.damage), self._bases.problem]
        if self._stage.scene is None:
            problems.append(how_to_see(project))
        panel.set_project(str(project.folder), project.read_only_reason, list(filter(None, problems)))
        panel.set_patches(self._rows.rows())
        panel.set_rounds(project.plan.rounds, self._rounds.used)
        panel.set_note(note_on(project.plan.patches))

    def show_rows(self) -> None:
        """Let the panel show the patches anew."""
        self._panel.set_patches(self._rows.rows())

    def _no_project(self) -> str:
        """Say why there is no project, unless the first patch begins one at the usual place."""
        if self._session.is_opening:
            return "The project is being opened…"
        wanted = None if self._stage.scene is None else self._stage.scene.folder
        return "" if wanted is None else f"The first patch starts a project in {wanted}."

    def _forget(self) -> None:
        self._rows.forget()
        self._rounds.forget()

    def _show_channels(self) -> None:
        scene = self._stage.scene
        self._panel.set_channels(scene.channel_names() if scene else [], scene.plan.channel if scene else 0)
