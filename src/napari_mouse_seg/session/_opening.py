"""A project on its way from the disk: every patch is decoded once, which takes too long for the main thread."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from napari_mouse_seg.events import Event, Finished, Started, TileDone
from napari_mouse_seg.session._paint import PaintSummary

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from napari_mouse_seg.projects import Project


class Opening:
    """Opens one project, and closes it again if nobody wants it any more.

    Parameters
    ----------
    find
        Returns the project's folder; None if there is no project. Called beside the main thread.
    check
        Raises an error in words if the project is not to be taken; called there too.
    present
        Folder of the project that is open already; found again, in whatever spelling, it is not opened a second time.

    Attributes
    ----------
    summaries
        How much of each patch is painted; complete at the end.
    """

    def __init__(
        self, find: Callable[[], Path | None], check: Callable[[Project], None] | None, present: Path | None
    ) -> None:
        self._find = find
        self._present = present
        self.summaries: dict[str, PaintSummary] = {}
        self._check = check
        self._project: Project | None = None
        self._is_abandoned = False
        self._access = threading.Lock()

    def events(self) -> Generator[Event, None, None]:
        """Open, check and read; the last event is ``Finished`` with the project, or there is none.

        Raises
        ------
        ProjectError
            If it cannot be read, or a patch went bad in between: opened again, it is set aside.
        """
        from napari_mouse_seg.projects import Project

        folder = self._find()
        if folder is None or (self._present is not None and _is_same(folder, self._present)):
            return
        project = Project.open(folder)
        try:
            if self._check is not None:
                self._check(project)
            yield from self._summarise(project)
        except BaseException:  # Closed by who waits for it, too.
            project.close()
            raise
        with self._access:
            if self._is_abandoned:
                project.close()
                return
            self._project = project
        yield Finished(project)

    def take(self) -> Project | None:
        """Return the project, which from now on is the caller's to close; None if it is not there."""
        with self._access:
            project, self._project = self._project, None
            return project

    def abandon(self) -> None:
        """Close the project, now or as soon as it is open."""
        with self._access:
            self._is_abandoned = True
            project, self._project = self._project, None
        if project is not None:
            project.close()

    def _summarise(self, project: Project) -> Generator[Event, None, None]:
        patches = [patch for patch in project.plan.patches if patch.id not in project.broken]
        yield Started("patches", len(patches))
        for done, patch in enumerate(patches, 1):
            self.summaries[patch.id] = PaintSummary.of(project.paint(patch.id))
            yield TileDone("patches", done, len(patches))


def _is_same(folder: Path, present: Path) -> bool:
    with suppress(OSError):
        return folder.samefile(present)
    return False
