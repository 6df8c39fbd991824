"""Lets the user draw one rectangle or line on an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from napari.layers import Shapes
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_mouse_seg.plugin._layers import AID
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image
    from numpy.typing import NDArray

_COLOUR = "#f2cc60"


class DrawTool:
    """A shapes layer that lives until one shape is drawn.

    Parameters
    ----------
    viewer
        Where it is drawn.
    shape
        What is drawn.

    Attributes
    ----------
    drawn
        Carries the shape's corners in image pixels, (n, 2).
    ended
        The layer is gone, with or without a shape.
    """

    drawn = Signal(object)
    ended = Signal()

    def __init__(self, viewer: ViewerModel, shape: Literal["rectangle", "line"]) -> None:
        self._viewer = viewer
        self._shape = shape
        self._shapes: Shapes | None = None
        self._image: Image | None = None
        viewer.layers.events.removed.connect(self._on_removed)

    def begin(self, layer: Image) -> None:
        """Wait for a shape over an image layer."""
        self.end()
        self._image = layer
        self._shapes = Shapes(
            ndim=max(2, self._viewer.dims.ndim),
            name=f"Draw a {self._shape}",
            edge_color="#f2cc60",
            face_color="transparent",
        )
        self._shapes.metadata[AID] = self._shape
        self._viewer.add_layer(self._shapes)
        self._viewer.layers.selection.active = self._shapes
        self._shapes.mode = f"add_{self._shape}"
        self._shapes.events.data.connect(self._on_data)

    def end(self) -> None:
        """Take the layer away."""
        shapes, self._shapes = self._shapes, None
        if shapes is not None:
            if shapes in self._viewer.layers:
                self._viewer.layers.remove(shapes)
            self.ended.emit()

    def close(self) -> None:
        """Stop following the viewer."""
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self.end()

    def _on_data(self, event: Any) -> None:  # Any: napari's event
        if self._shapes is None or self._image is None or str(getattr(event, "action", "")) != "added":
            return
        QTimer.singleShot(0, self._finish)  # napari is not done with the layer yet.

    def _finish(self) -> None:
        """Take up what was drawn."""
        if self._shapes is None or self._image is None or not len(self._shapes.data):
            return
        world = [self._shapes.data_to_world(corner) for corner in np.asarray(self._shapes.data[-1])]
        corners = np.array([self._image.world_to_data(position)[-2:] for position in world])
        self.end()
        self.drawn.emit(corners)

    def _on_removed(self, event: Any) -> None:  # Any: napari's event
        if event.value is self._shapes:
            self._shapes = None
            self.ended.emit()


def box_within(corners: NDArray[np.float64], shape: tuple[int, int]) -> Box:
    """Return the pixels within corners, inside of an image of that shape."""
    rows, columns = shape
    low, high = np.round(corners.min(0)).astype(int), np.round(corners.max(0)).astype(int)
    return Box(int(low[0]), int(low[1]), int(high[0]), int(high[1])).intersect(Box(0, 0, rows, columns))
