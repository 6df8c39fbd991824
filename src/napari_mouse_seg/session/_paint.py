"""Paint on its way from the viewer to the disk, where it may arrive late or not at all at first."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.events import Event
from napari_mouse_seg.plans import BACKGROUND_LABEL, NOT_PAINTED

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from napari_mouse_seg.projects import Project

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PaintSummary:
    """How much of a patch is painted.

    Attributes
    ----------
    share
        Of its pixels, 0 to 1.
    n_objects
        Labels from 2 on.
    has_background
        Whether background is painted.
    counts
        Label and number of pixels of each that is painted.
    """

    share: float
    n_objects: int
    has_background: bool
    counts: tuple[tuple[int, int], ...] = ()

    @property
    def labels(self) -> frozenset[int]:
        """Those that are painted."""
        return frozenset(label for label, _ in self.counts)

    @classmethod
    def of(cls, paint: NDArray[Any]) -> PaintSummary:
        """Look at (Y, X) paint."""
        labels, sizes = np.unique(paint[paint != NOT_PAINTED], return_counts=True)
        counts = tuple(zip(labels.tolist(), sizes.tolist(), strict=True))
        has_background = bool((labels == BACKGROUND_LABEL).any())
        return cls(float(sizes.sum()) / max(1, paint.size), len(counts) - has_background, has_background, counts)


@dataclass(frozen=True, slots=True)
class PaintSaved(Event):
    """The paint of a patch is on the disk."""

    patch_id: str
    summary: PaintSummary


class UnsavedPaint:
    """The newest paint of each patch that is not on the disk yet; it is forgotten only when it is there.

    Threads write, the main thread puts; whoever writes takes the newest, so an older one never comes last.
    """

    def __init__(self) -> None:
        self._paints: dict[str, NDArray[Any]] = {}
        self._access = threading.Lock()
        self._writing = threading.Lock()

    def __len__(self) -> int:
        """Return how many patches the disk has not."""
        with self._access:
            return len(self._paints)

    def put(self, patch_id: str, paint: NDArray[Any]) -> None:
        """Take (Y, X) paint that does not change any more."""
        with self._access:
            self._paints[patch_id] = paint

    def get(self, patch_id: str) -> NDArray[Any] | None:
        """Return the paint of a patch; None if the disk has it."""
        with self._access:
            return self._paints.get(patch_id)

    def forget(self, patch_id: str) -> None:
        """Let go of the paint of a patch that was deleted."""
        with self._access:
            self._paints.pop(patch_id, None)

    def clear(self) -> None:
        """Let go of all of it."""
        with self._access:
            self._paints.clear()

    def write(self, project: Project) -> Generator[Event, None, None]:
        """Bring everything to the disk.

        Yields
        ------
        Event
            ``PaintSaved`` of each patch.

        Raises
        ------
        ProjectError
            If one could not be written; the others were, and that one is still here.
        """
        problem: MouseSegError | None = None
        with self._access:
            patch_ids = list(self._paints)
        for patch_id in patch_ids:
            try:
                summary = self._write_one(project, patch_id)
            except MouseSegError as error:
                problem = error
                continue
            if summary is not None:
                yield PaintSaved(patch_id, summary)
        if problem is not None:
            raise problem

    def rescue(self, project: Path) -> str:
        """Bring everything to the home folder, as the project's folder does not take it; return where it is, in words.

        What is rescued is still here; what is not goes to the log.
        """
        from napari_mouse_seg.projects import rescue_folder

        with self._access:
            paints = dict(self._paints)
        lost: dict[str, Exception] = {}
        try:
            folder = rescue_folder(project)
            for patch_id, paint in paints.items():
                _rescue_one(folder / f"{patch_id}.paint.tif", paint, lost)
        except (OSError, RuntimeError) as error:  # There is no home.
            lost = dict.fromkeys(paints, error)
        words = []
        if len(lost) < len(paints):
            words.append(
                f"What was not saved is in {folder}. Once {project} can be written again, copy "
                f"{', '.join(f'{patch_id}.paint.tif' for patch_id in paints if patch_id not in lost)} from there over "
                "the same file in its folder “patches”, while the project is closed."
            )
        for patch_id, cause in lost.items():
            logger.error("The paint of %s in %s could not be rescued.", patch_id, project, exc_info=cause)
            words.append(f"What was painted last in {patch_id} could not be put anywhere else and is lost: {cause}")
        return " ".join(words)

    def _write_one(self, project: Project, patch_id: str) -> PaintSummary | None:
        with self._writing:
            paint = self.get(patch_id)
            if paint is None:
                return None
            project.write_paint(patch_id, paint)
            with self._access:
                if self._paints.get(patch_id) is paint:
                    del self._paints[patch_id]
        return PaintSummary.of(paint)


def _rescue_one(file: Path, paint: NDArray[Any], lost: dict[str, Exception]) -> None:
    """Write paint as projects do; why that failed goes to ``lost``."""
    from napari_mouse_seg.projects import write_copy

    try:
        write_copy(file, paint)
    except Exception as error:  # noqa: BLE001 (the next patch must be rescued whatever happens to this one)
        lost[file.name.split(".")[0]] = error
