"""What of a project is not on the disk yet, paint and finished rounds, and how it gets there."""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.plans import RoundPlan
from napari_mouse_seg.session._messages import in_words
from napari_mouse_seg.session._paint import PaintSaved, UnsavedPaint

if TYPE_CHECKING:
    from napari_mouse_seg.events import Event
    from napari_mouse_seg.projects import Project
    from napari_mouse_seg.session._runner import Runner

logger = logging.getLogger(__name__)

_SAVING = "Saving the paint"


class ProjectSaving:
    """Brings paint and rounds of one project at a time to the disk, again and again if need be.

    All methods are called on the main thread, and all signals are emitted there.

    Parameters
    ----------
    runner
        Writes elsewhere.

    Attributes
    ----------
    unsaved
        Paint that is not on the disk yet.
    is_behind
        Whether something could not be saved and waits for another try.
    saved
        Carries a ``PaintSaved``.
    listed
        Carries the ``RoundPlan`` that the project has now.
    failed, not_listed
        Paint, or a round, could not be saved; carry the reason in words.
    caught_up
        What could not be saved before is on the disk now.
    rescued
        The project was left, and its folder did not take everything; carries in words where that is now.
    """

    saved = Signal(PaintSaved)
    listed = Signal(RoundPlan)
    failed = Signal(str)
    not_listed = Signal(str)
    caught_up = Signal()
    rescued = Signal(str)

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._project: Project | None = None
        self._unlisted: list[RoundPlan] = []
        self.unsaved = UnsavedPaint()
        self.is_behind = False

    def follow(self, project: Project) -> None:
        """Save into this project from now on; the one before was left."""
        self._project = project

    def leave(self) -> None:
        """Save, rescue what the project's folder does not take, and forget the project."""
        if self._project is not None:
            self._save_last(self._project)
        self.unsaved.clear()
        self._unlisted.clear()
        self.is_behind, self._project = False, None

    def save(self, is_retry: bool = False) -> None:
        """Bring paint to the disk beside the main thread; that a retry fails is not told."""
        project = self._project
        if project is not None and self.unsaved:
            on_end = partial(self._on_end, project, is_retry)
            self._runner.start(self.unsaved.write(project), partial(self._on_event, project), on_end)

    def save_now(self) -> None:
        """Bring paint to the disk before this returns."""
        if self._project is None:
            return
        try:
            for event in self.unsaved.write(self._project):
                self._on_event(self._project, event)
        except MouseSegError as error:
            self.is_behind = True
            self.failed.emit(str(error))

    def retry(self) -> None:
        """Try again to save what could not be saved."""
        with suppress(MouseSegError):
            self._list_rounds()
        self.save(is_retry=True)

    def forget(self, patch_id: str) -> None:
        """Let go of the paint of a patch that was deleted."""
        self.unsaved.forget(patch_id)
        self._settle()

    def note_failure(self) -> None:
        """Paint was to be saved elsewhere, and may not have been."""
        self.is_behind = self.is_behind or bool(self.unsaved)

    def note_saved(self, event: PaintSaved) -> None:
        """Paint was saved elsewhere."""
        self.saved.emit(event)
        self._settle()

    def keep(self, done: RoundPlan) -> None:
        """Put a finished round into the project's list, later if that cannot be written now."""
        self._unlisted.append(done)
        try:
            self._list_rounds()
        except MouseSegError as error:
            self.is_behind = True
            if done not in self._unlisted:
                return  # An earlier one is still missing, which has been told.
            where = "" if self._project is None else f" {_where(self._project, done)}"
            self.not_listed.emit(f"{error}{where} It comes into the list once that is possible.")

    def _save_last(self, project: Project) -> None:
        words = []
        try:
            for _event in self.unsaved.write(project):
                pass
        except Exception as error:  # noqa: BLE001 (whatever it is, it must not cost the paint)
            words += [in_words(error, _SAVING), self.unsaved.rescue(project.folder)]
        for done in self._unlisted:
            try:
                project.add_round(done)
            except MouseSegError as error:
                words.append(f"{error} {_where(project, done)}")
        if words:
            logger.error(" ".join(words))
            self.rescued.emit(" ".join(words))
        elif self.is_behind:
            self.caught_up.emit()

    def _on_event(self, project: Project, event: Event) -> None:
        if isinstance(event, PaintSaved) and project is self._project:
            self.note_saved(event)

    def _on_end(self, project: Project, is_retry: bool, error: Exception | None) -> None:
        if error is None or project is not self._project or not self.unsaved:
            return  # Another save was faster; or the project was left, and more was told then.
        self.is_behind = True
        if not is_retry:
            self.failed.emit(in_words(error, _SAVING))

    def _list_rounds(self) -> None:
        """Put rounds into the project's list.

        Raises
        ------
        MouseSegError
            If one of them cannot be; the others are in the list.
        """
        lasting: MouseSegError | None = None
        for done in tuple(self._unlisted):
            if self._project is None:
                break
            try:
                self._project.add_round(done)
            except MouseSegError as error:
                lasting = error
            else:
                self._unlisted.remove(done)
                self.listed.emit(done)
        if lasting is not None:
            raise lasting
        self._settle()

    def _settle(self) -> None:
        """Tell that everything is on the disk, if something was not."""
        if self.is_behind and not self.unsaved and not self._unlisted:
            self.is_behind = False
            self.caught_up.emit()


def _where(project: Project, done: RoundPlan) -> str:
    return f"The list of rounds could not take {done.name}. Its model is safe in {project.round_file(done.number)}."
