"""Labels of one image as they grow from view to view: what all kinds of labels have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from napari_mouse_seg.inference import sparse_zeros

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_mouse_seg.pipeline._segment import SegmentResult
    from napari_mouse_seg.tiling import Box

EDITABLE_PX = 2048**2
"""Canvases up to this size can be painted in; larger ones are shown as pyramids."""

_COARSEST_PX = 1024
_BAND_PX = 4_000_000

_Change = TypeVar("_Change")


class Canvas(ABC, Generic[_Change]):
    """A label image over the whole network grid.

    A result is merged in two steps: ``compare`` may take its time beside the main thread and writes nothing,
    ``apply`` is quick and is called where the user paints.

    Parameters
    ----------
    shape
        Rows and columns of the network's grid.

    Attributes
    ----------
    array
        (Y, X) uint32; takes memory (or, when large, disk) only where labels are.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.array: NDArray[np.uint32] = sparse_zeros(shape, np.uint32)

    def levels(self) -> list[NDArray[np.uint32]]:
        """Return the array and coarser strided views of it; they share its memory, so they are always current."""
        levels = [self.array]
        while max(levels[-1].shape) > _COARSEST_PX and min(levels[-1].shape) > 1:
            levels.append(levels[-1][::2, ::2])
        return levels

    @property
    def is_editable(self) -> bool:
        """Whether it is small enough to be shown as one plain array that a user can paint in."""
        return self.array.size <= EDITABLE_PX

    @property
    @abstractmethod
    def paint_label(self) -> int:
        """The label that a user would paint with first."""

    @abstractmethod
    def claim(self, labels: set[int]) -> None:
        """Note the labels that the user has painted with."""

    def add(self, result: SegmentResult) -> Box | None:
        """Merge a result in: ``apply`` of ``compare``; returns what changed."""
        return self.apply(self.compare(result))

    @abstractmethod
    def compare(self, result: SegmentResult) -> _Change:
        """Work out what a result on the same grid changes; nothing is written.

        Raises
        ------
        ExportError
            If the canvas is on a disk that has no room for the result.
        """

    @abstractmethod
    def apply(self, change: _Change) -> Box | None:
        """Write what ``compare`` worked out, before anything else is merged.

        What was painted since then stays. Quick enough for the main thread while ``is_editable``.

        Returns
        -------
        Box or None
            What changed.
        """


def bands(array: NDArray[np.uint32]) -> Iterator[slice]:
    """Rows in bands, so that temporary arrays stay small on large images."""
    height = max(1, _BAND_PX // max(1, array.shape[1]))
    return (slice(start, start + height) for start in range(0, array.shape[0], height))
