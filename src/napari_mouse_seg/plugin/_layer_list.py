"""The layers of a viewer of one kind, followed as they come, go and change their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from napari.layers import Image, Layer
from psygnal import Signal

from napari_mouse_seg.plugin._layers import AID

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

SomeLayer = TypeVar("SomeLayer", bound=Layer)


class LayerList(Generic[SomeLayer]):
    """Layers of one kind in the order of the viewer, and the one that is chosen.

    Which one that is and when the list is told of is up to each kind.

    Parameters
    ----------
    viewer
        Whose layers are followed.
    is_listed
        Whether a layer is of the kind.
    altering
        Returns napari's events of a layer after which ``altered`` is emitted.

    Attributes
    ----------
    listed
        The list or a name in it has changed.
    altered
        A layer, chosen or not, shows something else now; carries it.
    """

    listed = Signal()
    altered = Signal(object)

    def __init__(
        self,
        viewer: ViewerModel,
        is_listed: Callable[[Layer], bool],
        altering: Callable[[SomeLayer], list[Any]],  # Any: napari's events
    ) -> None:
        self._viewer = viewer
        self._is_listed = is_listed
        self._altering = altering
        self._layers: list[SomeLayer] = []
        self._current: SomeLayer | None = None
        for event, slot in self._list_slots():
            event.connect(slot)

    @property
    def names(self) -> list[str]:
        """Names of the layers."""
        return [layer.name for layer in self._layers]

    @property
    def current(self) -> SomeLayer | None:
        """The chosen layer; None if none is."""
        return self._current

    @property
    def position(self) -> int:
        """Position of the chosen layer, -1 if there is none."""
        return self._layers.index(self._current) if self._current in self._layers else -1

    def start(self) -> None:
        """List the layers that are there."""
        self._on_list()

    def close(self) -> None:
        """Stop following."""
        for event, slot in self._list_slots():
            event.disconnect(slot)
        for layer in self._layers:
            self._unfollow(layer)
        self._layers, self._current = [], None

    def _list_slots(self) -> list[tuple[Any, Callable[[Any], None]]]:  # Any: napari's events
        events = self._viewer.layers.events
        return [(events.inserted, self._on_list), (events.reordered, self._on_list), (events.removed, self._on_removed)]

    def _at(self, position: int) -> SomeLayer | None:
        return self._layers[position] if 0 <= position < len(self._layers) else None

    def _on_list(self, _event: Any = None) -> None:  # Any: napari's event
        """Follow the layers that are there now; each kind sees to what is chosen, and tells of it."""
        before, now = self._layers, [layer for layer in self._viewer.layers if self._is_listed(layer)]
        for layer in before:
            if layer not in now:
                self._unfollow(layer)
        for layer in now:
            if layer not in before:
                self._follow(layer)
        self._layers = now

    def _on_removed(self, _event: Any) -> None:  # Any: napari's event
        self._on_list()

    def _follow(self, layer: SomeLayer) -> None:
        layer.events.name.connect(self._on_name)
        for event in self._altering(layer):
            event.connect(self._on_altered)

    def _unfollow(self, layer: SomeLayer) -> None:
        layer.events.name.disconnect(self._on_name)
        for event in self._altering(layer):
            event.disconnect(self._on_altered)

    def _on_name(self, _event: Any) -> None:  # Any: napari's event
        self.listed.emit()

    def _on_altered(self, event: Any) -> None:  # Any: napari's event
        self.altered.emit(event.source)


class ImageLayerList(LayerList[Image]):
    """Image layers; one is chosen as long as there are any.

    Parameters
    ----------
    viewer
        Whose layers are followed.

    Attributes
    ----------
    chosen
        Another layer is chosen, or the chosen one was altered; carries the layer or None.
    removed
        Any layer has left the viewer; carries it.
    """

    chosen = Signal(object)
    removed = Signal(object)

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__(viewer, _is_users, _image_events)

    def start(self) -> None:
        """List the layers that are there, and choose the active one or the topmost."""
        super().start()
        active = self._viewer.layers.selection.active
        if active in self._layers:
            self._set_current(active)
            self.listed.emit()

    def choose(self, position: int) -> None:
        """Choose by position."""
        self._set_current(self._at(position))

    def _on_list(self, event: Any = None) -> None:  # Any: napari's event
        super()._on_list(event)
        if self._current not in self._layers:
            self._set_current(self._layers[-1] if self._layers else None)
        self.listed.emit()

    def _on_removed(self, event: Any) -> None:  # Any: napari's event
        super()._on_removed(event)
        self.removed.emit(event.value)

    def _set_current(self, layer: Image | None) -> None:
        if layer is not self._current:
            self._current = layer
            self.chosen.emit(layer)
        elif layer is None:
            self.chosen.emit(None)

    def _on_altered(self, event: Any) -> None:  # Any: napari's event
        super()._on_altered(event)
        if event.source is self._current:
            self.chosen.emit(self._current)


def _is_users(layer: Layer) -> bool:
    return isinstance(layer, Image) and AID not in layer.metadata


def _image_events(layer: Image) -> list[Any]:  # Any: napari's events
    """Events after which an image made of the layer no longer fits; some are of newer versions of napari only."""
    names = ("data", "scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
    return [getattr(layer.events, name) for name in names if hasattr(layer.events, name)]
