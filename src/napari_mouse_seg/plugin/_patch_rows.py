"""Patches as the panel lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.widgets import PatchRow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_mouse_seg.plans import PatchPlan
    from napari_mouse_seg.session import TrainSession

_THUMBNAIL_PX = 64


class PatchRows:
    """Rows of a session's project; thumbnails are made once."""

    def __init__(self, session: TrainSession) -> None:
        self._session = session
        self._thumbnails: dict[str, NDArray[np.uint8]] = {}

    def forget(self) -> None:
        """Let go of the thumbnails: ids of another project are the same."""
        self._thumbnails.clear()

    def rows(self) -> list[PatchRow]:
        """Return a row for each patch that can be used."""
        project = self._session.project
        if project is None:
            return []
        return [self._row(patch) for patch in project.plan.patches if patch.id not in project.broken]

    def _row(self, patch: PatchPlan) -> PatchRow:
        found = self._session.summary(patch.id)
        if patch.id not in self._thumbnails and self._session.project is not None:
            plan = self._session.project.plan
            self._thumbnails[patch.id] = _thumbnail(self._session.project.pixels(patch.id), plan.limits)
        return PatchRow(patch, self._thumbnails.get(patch.id), found.share, found.n_objects)


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
