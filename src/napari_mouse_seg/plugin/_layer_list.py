"""The image layers of a viewer, followed as they come, go and change their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image, Layer
from psygnal import Signal

from napari_mouse_seg.plugin._layers import AID

if TYPE_CHECKING:
    from napari.components import ViewerModel


class ImageLayerList:
    """Image layers in the order of the viewer, and the one that is chosen.

    Attributes
    ----------
    listed
        The list or a name in it has changed.
    chosen
        Another layer is chosen, or the chosen one was altered; carries the layer or None.
    removed
        Any layer has left the viewer; carries it.
    altered
        An image layer, chosen or not, has other pixels or another pixel size now; carries it.
    """

    listed = Signal()
    chosen = Signal(object)
    removed = Signal(object)
    altered = Signal(object)

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._layers: list[Image] = []
        self._current: Image | None = None
        viewer.layers.events.inserted.connect(self._on_list)
        viewer.layers.events.reordered.connect(self._on_list)
        viewer.layers.events.removed.connect(self._on_removed)

    @property
    def names(self) -> list[str]:
        """Names of the image layers."""
        return [layer.name for layer in self._layers]

    @property
    def current(self) -> Image | None:
        """The chosen layer."""
        return self._current

    @property
    def position(self) -> int:
        """Position of the chosen layer, -1 if there is none."""
        return self._layers.index(self._current) if self._current in self._layers else -1

    def start(self) -> None:
        """List the layers that are there, and choose the active one or the topmost."""
        self._on_list()
        active = self._viewer.layers.selection.active
        if active in self._layers:
            self._set_current(active)
            self.listed.emit()

    def choose(self, position: int) -> None:
        """Choose by position."""
        self._set_current(self._layers[position] if 0 <= position < len(self._layers) else None)

    def close(self) -> None:
        """Stop following."""
        events = self._viewer.layers.events
        events.inserted.disconnect(self._on_list)
        events.reordered.disconnect(self._on_list)
        events.removed.disconnect(self._on_removed)
        for layer in self._layers:
            self._unfollow(layer)
        self._layers, self._current = [], None

    def _on_list(self, _event: Any = None) -> None:  # Any: napari's event
        before, now = self._layers, [layer for layer in self._viewer.layers if _is_users(layer)]
        for layer in before:
            if layer not in now:
                self._unfollow(layer)
        for layer in now:
            if layer not in before:
                self._follow(layer)
        self._layers = now
        if self._current not in now:
            self._set_current(now[-1] if now else None)
        self.listed.emit()

    def _on_removed(self, event: Any) -> None:  # Any: napari's event
        layer: Layer = event.value
        self._on_list()
        self.removed.emit(layer)

    def _set_current(self, layer: Image | None) -> None:
        if layer is not self._current:
            self._current = layer
            self.chosen.emit(layer)
        elif layer is None:
            self.chosen.emit(None)

    def _follow(self, layer: Image) -> None:
        layer.events.name.connect(self._on_name)
        for event in _image_events(layer):
            event.connect(self._on_pixels)

    def _unfollow(self, layer: Image) -> None:
        layer.events.name.disconnect(self._on_name)
        for event in _image_events(layer):
            event.disconnect(self._on_pixels)

    def _on_name(self, _event: Any) -> None:  # Any: napari's event
        self.listed.emit()

    def _on_pixels(self, event: Any) -> None:  # Any: napari's event
        self.altered.emit(event.source)
        if event.source is self._current:
            self.chosen.emit(self._current)


def _is_users(layer: Layer) -> bool:
    return isinstance(layer, Image) and AID not in layer.metadata


def _image_events(layer: Image) -> list[Any]:  # Any: napari's events
    """Events after which an image made of the layer no longer fits; some are of newer versions of napari only."""
    names = ("data", "scale", "affine", "shear", "units", "axis_labels")
    return [getattr(layer.events, name) for name in names if hasattr(layer.events, name)]
