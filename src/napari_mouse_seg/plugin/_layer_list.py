"""The layers of a viewer of one kind, followed as they come, go and change their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from napari.layers import Image, Layer
from psygnal import Signal

from napari_mouse_seg.plugin._layers import AID
from napari_mouse_seg.plugin._reader import SERIES
from napari_mouse_seg.plugin._scene import file_channel, image_path

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

    Of a file's channels it is the first, as on the command line; napari selects the last of them by itself.

    Parameters
    ----------
    viewer
        Whose layers are followed.
    may_move_on
        Whether an image that is opened from a file, and seen, is chosen in place of the one that is.

    Attributes
    ----------
    chosen
        Another layer is chosen, or the chosen one was altered; carries the layer or None.
    removed
        Any layer has left the viewer; carries it.
    """

    chosen = Signal(object)
    removed = Signal(object)

    def __init__(self, viewer: ViewerModel, may_move_on: Callable[[], bool] = lambda: False) -> None:
        super().__init__(viewer, _is_users, _image_events)
        self._may_move_on = may_move_on

    def start(self) -> None:
        """List the layers that are there, and choose the active one or the topmost."""
        super().start()
        active = self._viewer.layers.selection.active
        if active in self._layers:
            self._set_current(self._first_channel(active))
            self.listed.emit()

    def choose(self, position: int) -> None:
        """Choose by position."""
        self._set_current(self._at(position))

    def _on_list(self, event: Any = None) -> None:  # Any: napari's event
        before = self._layers
        super()._on_list(event)
        if self._current not in self._layers:
            self._set_current(self._first_channel(self._layers[-1]) if self._layers else None)
        elif opened := [layer for layer in self._layers if layer not in before and self._is_next(layer)]:
            self._set_current(opened[0])
        self.listed.emit()

    def _is_next(self, layer: Image) -> bool:
        """Return whether a new layer is another image that the user has opened to go on with."""
        path = image_path(layer)
        if path is None or not layer.visible or not self._may_move_on():
            return False
        current = self._current
        return (
            current is None or path != image_path(current) or layer.metadata.get(SERIES) != current.metadata.get(SERIES)
        )

    def _first_channel(self, layer: Image) -> Image:
        """Return the layer of the first channel of a file for that of the last, and any other for itself."""
        channels = [known for known in self._layers if _is_same_file(known, layer)]
        channels.sort(key=lambda known: file_channel(known) or 0)
        return channels[0] if channels and channels[-1] is layer else layer

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


def _is_same_file(one: Image, other: Image | None) -> bool:
    """Return whether two layers hold channels of the same image of a file."""
    if other is None or image_path(one) is None or file_channel(one) is None or file_channel(other) is None:
        return False
    return image_path(one) == image_path(other) and one.metadata.get(SERIES) == other.metadata.get(SERIES)


def _image_events(layer: Image) -> list[Any]:  # Any: napari's events
    """Events after which an image made of the layer no longer fits; some are of newer versions of napari only."""
    names = ("data", "scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
    return [getattr(layer.events, name) for name in names if hasattr(layer.events, name)]
