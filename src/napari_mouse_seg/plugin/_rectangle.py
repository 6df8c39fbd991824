"""Lets the user draw one rectangle on an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Shapes
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_mouse_seg.plugin._layers import AID
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

_NAME = "Draw a rectangle"


class RectangleTool:
    """A shapes layer that lives until one rectangle is drawn.

    Attributes
    ----------
    drawn
        Carries the ``Box`` in image pixels.
    ended
        It is gone, with or without a rectangle.
    """

    drawn = Signal(Box)
    ended = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._shapes: Shapes | None = None
        self._image: Image | None = None
        viewer.layers.events.removed.connect(self._on_removed)

    def begin(self, layer: Image) -> None:
        """Wait for a rectangle over an image layer."""
        self.end()
        self._image = layer
        self._shapes = Shapes(
            ndim=max(2, self._viewer.dims.ndim), name=_NAME, edge_color="#f2cc60", face_color="transparent"
        )
        self._shapes.metadata[AID] = "rectangle"
        self._viewer.add_layer(self._shapes)
        self._viewer.layers.selection.active = self._shapes
        self._shapes.mode = "add_rectangle"
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
        corners = np.asarray(self._shapes.data[-1])
        box = _box_of(self._image, np.array([self._shapes.data_to_world(corner) for corner in corners]))
        self.end()
        if box.area:
            self.drawn.emit(box)

    def _on_removed(self, event: Any) -> None:  # Any: napari's event
        if event.value is self._shapes:
            self._shapes = None
            self.ended.emit()


def _box_of(layer: Image, world: Any) -> Box:  # Any: an array of world positions
    """Return the pixels of level 0 within the corners, inside of the image."""
    rows, columns = (int(size) for size in layer.level_shapes[0][-2:])
    pixels = np.array([layer.world_to_data(position)[-2:] for position in world])
    low, high = np.round(pixels.min(0)).astype(int), np.round(pixels.max(0)).astype(int)
    return Box(int(low[0]), int(low[1]), int(high[0]), int(high[1])).intersect(Box(0, 0, rows, columns))
