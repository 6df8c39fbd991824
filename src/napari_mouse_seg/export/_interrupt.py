"""Writing that can be given up, whatever the format."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_mouse_seg.export._at_size import LabelView

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_mouse_seg.export._source import LabelArray, LabelImage


class WritingStopped(Exception):
    """The one who asked for a file does not want it any more; nothing was written."""


@dataclass(frozen=True, slots=True)
class _Interruptible(LabelView):
    labels: LabelArray
    is_stopped: Callable[[], bool]

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""
        return tuple(self.labels.shape)

    def __getitem__(self, index: tuple[slice, slice]) -> NDArray[np.uint32]:
        if self.is_stopped():
            raise WritingStopped
        return np.asarray(self.labels[index]).astype(np.uint32, copy=False)


def interruptible(image: LabelImage, is_stopped: Callable[[], bool]) -> LabelImage:
    """Return the same labels, which can be read only until ``is_stopped`` returns true.

    Exporters read labels block by block, and take away what is not finished after any exception.

    Parameters
    ----------
    image
        To be written.
    is_stopped
        Called before every block, in the thread that writes.

    Returns
    -------
    LabelImage
        Whose ``read`` raises ``WritingStopped``.
    """
    return replace(image, labels=_Interruptible(image.labels, is_stopped))
