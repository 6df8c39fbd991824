"""Patches as the panel lists them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.events import Event
from napari_mouse_seg.widgets import PatchRow

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from numpy.typing import NDArray

    from napari_mouse_seg.plans import ClassPlan, PatchPlan, ProjectPlan
    from napari_mouse_seg.plugin._runner import ThreadRunner
    from napari_mouse_seg.projects import Project
    from napari_mouse_seg.session import PaintSummary, TrainSession

_THUMBNAIL_PX = 64


@dataclass(frozen=True, slots=True, eq=False)
class ThumbnailMade(Event):
    """A patch as a small picture, (Y, X, 3) uint8."""

    patch_id: str
    picture: NDArray[np.uint8]


class PatchRows:
    """Rows of a session's project; thumbnails are made once, beside the main thread.

    Parameters
    ----------
    session
        Whose patches are listed.
    runner
        Reads pixels.

    Attributes
    ----------
    changed
        A thumbnail has come.
    """

    changed = Signal()

    def __init__(self, session: TrainSession, runner: ThreadRunner) -> None:
        self._session = session
        self._runner = runner
        self._thumbnails: dict[str, NDArray[np.uint8]] = {}
        self._asked: set[str] = set()

    def forget(self) -> None:
        """Let go of the thumbnails: ids of another project are the same."""
        self._thumbnails.clear()
        self._asked.clear()

    def rows(self) -> list[PatchRow]:
        """Return a row for each patch that can be used."""
        project = self._session.project
        if project is None:
            return []
        ids = [patch.id for patch in project.plan.patches if patch.id not in project.broken]
        missing = [patch_id for patch_id in ids if patch_id not in self._asked]
        if missing:
            self._asked.update(missing)
            self._runner.start(_read_thumbnails(project, missing), partial(self._on_event, project), _ignore)
        return [self._row(patch, project.plan) for patch in project.plan.patches if patch.id in ids]

    def _row(self, patch: PatchPlan, plan: ProjectPlan) -> PatchRow:
        found = self._session.summary(patch.id)
        thumbnail = self._thumbnails.get(patch.id)
        if plan.kind == "objects":
            return PatchRow(patch, thumbnail, found.share, found.n_objects)
        return PatchRow(patch, thumbnail, found.share, len(found.counts), _in_words(found, plan.classes))

    def _on_event(self, project: Project, event: Event) -> None:
        if isinstance(event, ThumbnailMade) and project is self._session.project:
            self._thumbnails[event.patch_id] = event.picture
            self.changed.emit()


def _in_words(found: PaintSummary, classes: Sequence[ClassPlan]) -> str:
    """Return which classes are painted and how much of each."""
    names = {entry.label: entry.name for entry in classes}
    counts = [f"{names.get(label, f'Label {label}')} {count:,} px" for label, count in found.counts]
    return f"Painted: {', '.join(counts)}." if counts else ""


def _read_thumbnails(project: Project, patch_ids: list[str]) -> Generator[Event, None, None]:
    for patch_id in patch_ids:
        try:
            pixels = project.pixels(patch_id)
        except MouseSegError:  # Going to the patch says why.
            continue
        yield ThumbnailMade(patch_id, _thumbnail(pixels, project.plan.limits))


def _ignore(_error: Exception | None) -> None:
    """Go on: a patch without a picture can be painted all the same."""


def note_on(patches: tuple[PatchPlan, ...]) -> str:
    """Return what should be known of the patches before training; empty if nothing."""
    used = [patch for patch in patches if patch.included]
    if used and not any(patch.role == "validate" for patch in used):
        return "No patch is used for validation, so training ends when its time is over."
    return ""


def _thumbnail(pixels: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.uint8]:
    """Return (Y, X, 3) uint8 of a (C, Y, X) patch, small."""
    step = max(1, min(pixels.shape[1:]) // _THUMBNAIL_PX)
    small = pixels[:3, ::step, ::step].astype(np.float32)
    if len(small) != 3:
        small = np.repeat(small[:1], 3, axis=0)
    scaled = np.clip((small - limits[0]) / max(limits[1] - limits[0], 1e-9), 0, 1)
    return np.ascontiguousarray(np.moveaxis(np.round(scaled * 255).astype(np.uint8), 0, -1))
