"""Lets the user draw one rectangle or line on an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from napari.layers import Shapes
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_mouse_seg.plugin._layers import AID
from napari_mouse_seg.plugin._units import unit_factors
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image
    from numpy.typing import NDArray

_COLOUR = "#f2cc60"


class DrawTool:
    """A shapes layer that is shown until one shape is drawn.

    It is hidden then and used again, not removed: with Mesa's software OpenGL, layers that are added after a shapes
    layer was removed end the process with a segmentation fault (napari 0.9.2, vispy 0.17).

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
        Drawing is over, with or without a shape.
    """

    drawn = Signal(object)
    ended = Signal()

    def __init__(self, viewer: ViewerModel, shape: Literal["rectangle", "line"]) -> None:
        self._viewer = viewer
        self._shape = shape
        self._shapes: Shapes | None = None
        self._is_drawing = False
        self._image: Image | None = None
        viewer.layers.events.removed.connect(self._on_removed)

    @property
    def is_drawing(self) -> bool:
        """Whether a shape is awaited."""
        return self._is_drawing

    def begin(self, layer: Image) -> None:
        """Wait for a shape over an image layer."""
        self.end()
        self._image = layer
        if self._shapes is None:
            self._shapes = self._add_layer(layer)
        self._is_drawing = True
        self._shapes.visible = True
        self._viewer.layers.selection.active = self._shapes
        self._shapes.mode = f"add_{self._shape}"

    def end(self) -> None:
        """Put the layer away."""
        if not self._is_drawing:
            return
        self._is_drawing = False
        if self._shapes is not None:
            self._shapes.mode = "pan_zoom"
            self._shapes.visible = False
            self._shapes.data = []
        self.ended.emit()

    def close(self) -> None:
        """Stop following the viewer."""
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self.end()
        if self._shapes is not None and self._shapes in self._viewer.layers:
            self._viewer.layers.remove(self._shapes)
        self._shapes = self._image = None

    def _add_layer(self, image: Image) -> Shapes:
        ndim = max(2, self._viewer.dims.ndim)
        alike = {"units": image.units, "axis_labels": image.axis_labels} if ndim == image.ndim else {}
        shapes = Shapes(ndim=ndim, name=f"Draw a {self._shape}", edge_color=_COLOUR, face_color="transparent", **alike)
        shapes.metadata[AID] = self._shape
        self._viewer.add_layer(shapes)
        shapes.events.data.connect(self._on_data)
        return shapes

    def _on_data(self, event: Any) -> None:  # Any: napari's event
        if not self._is_drawing or str(getattr(event, "action", "")) != "added":
            return
        QTimer.singleShot(0, self._finish)  # napari is not done with the layer yet.

    def _finish(self) -> None:
        """Take up what was drawn."""
        if not self._is_drawing or self._shapes is None or self._image is None or not len(self._shapes.data):
            return
        # The layer was made for the image that was drawn on first, which may have had other units.
        shapes, image = self._shapes, self._image
        factors = unit_factors(getattr(shapes, "units", None), getattr(image, "units", None), shapes.ndim)
        world = [factors * shapes.data_to_world(corner) for corner in np.asarray(shapes.data[-1])]
        corners = np.array([image.world_to_data(position)[-2:] for position in world])
        self.end()
        self.drawn.emit(corners)

    def _on_removed(self, event: Any) -> None:  # Any: napari's event
        if event.value is self._shapes:
            self._shapes = None
            self.end()


def box_within(corners: NDArray[np.float64], shape: tuple[int, int]) -> Box:
    """Return the pixels within corners, inside of an image of that shape."""
    rows, columns = shape
    low, high = np.round(corners.min(0)).astype(int), np.round(corners.max(0)).astype(int)
    return Box(int(low[0]), int(low[1]), int(high[0]), int(high[1])).intersect(Box(0, 0, rows, columns))
