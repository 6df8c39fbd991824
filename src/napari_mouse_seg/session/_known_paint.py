"""How much of each patch is painted, known without reading a file again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_mouse_seg.session._paint import PaintSummary

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

    from napari_mouse_seg.projects import Project
    from napari_mouse_seg.session._paint import UnsavedPaint


class KnownPaint:
    """The newest paint of a project's patches, on the disk or not yet, and what is known of it.

    Parameters
    ----------
    unsaved
        Paint that is not on the disk yet.
    """

    def __init__(self, unsaved: UnsavedPaint) -> None:
        self._unsaved = unsaved
        self._summaries: dict[str, PaintSummary] = {}
        self._painted: set[str] = set()  # Since the project was opened; their summaries come late.

    def begin(self, summaries: Mapping[str, PaintSummary]) -> None:
        """Take over what was found in the patches of a project that was opened; empty to forget another one's."""
        self._summaries = dict(summaries)
        self._painted.clear()

    def put(self, patch_id: str, paint: NDArray[Any]) -> None:
        """Take (Y, X) paint that does not change any more, to be saved."""
        self._painted.add(patch_id)
        self._unsaved.put(patch_id, paint)

    def note(self, patch_id: str, summary: PaintSummary) -> None:
        """Keep what was found in a patch."""
        self._summaries[patch_id] = summary

    def forget(self, patch_id: str) -> None:
        """Let go of a patch that was deleted."""
        self._summaries.pop(patch_id, None)

    def paint(self, project: Project, patch_id: str) -> NDArray[Any]:
        """Return the newest (Y, X) paint of a patch; not to be changed."""
        unsaved = self._unsaved.get(patch_id)
        return project.paint(patch_id) if unsaved is None else unsaved

    def summary(self, project: Project, patch_id: str) -> PaintSummary:
        """Return how much of a patch is painted; of paint on its way to the disk that is not known yet."""
        if patch_id not in self._summaries:
            self._summaries[patch_id] = PaintSummary.of(self.paint(project, patch_id))
        return self._summaries[patch_id]

    def labels(self, project: Project, patch_id: str) -> frozenset[int]:
        """Return the labels in a patch's newest paint, which is not read again if it is as it was opened."""
        if patch_id in self._painted:
            return PaintSummary.of(self.paint(project, patch_id)).labels
        return self.summary(project, patch_id).labels
