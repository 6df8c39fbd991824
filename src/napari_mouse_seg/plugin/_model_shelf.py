"""The models that the panels of one viewer offer: the bundled ones, and those that were trained in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QObject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari import Viewer

    from napari_mouse_seg.networks import Model


class ModelShelf:
    """Models in the order in which they are shown.

    Attributes
    ----------
    position
        Of the model that was chosen last; at first of the first one.
    is_wanted
        Whether somebody has chosen it: no other one is to be suggested then.
    used
        The model that *Segment* shows, chosen or suggested; None if it shows none, or was not opened yet.
    changed
        The list has changed.
    chosen
        A model should be used from now on; carries its position.
    used_changed
        *Segment* shows another model.
    """

    changed = Signal()
    chosen = Signal(int)
    used_changed = Signal()

    def __init__(self, models: Iterable[Model]) -> None:
        self._models = list(models)
        self.position = 0 if self._models else -1
        self.is_wanted = False
        self.used: Model | None = None

    @property
    def models(self) -> tuple[Model, ...]:
        """All of them."""
        return tuple(self._models)

    def put(self, model: Model) -> int:
        """Add a model, or replace the one of the same file; return its position."""
        for position, known in enumerate(self._models):
            if known.path == model.path:
                self._models[position] = model
                break
        else:
            position = len(self._models)
            self._models.append(model)
        self.changed.emit()
        return position

    def take_out(self, model: Model) -> None:
        """Remove a model, because its file is gone."""
        place = next((place for place, known in enumerate(self._models) if known.path == model.path), None)
        if place is None:
            return
        del self._models[place]
        self.position = min(self.position - (place < self.position), len(self._models) - 1)
        self.changed.emit()

    def choose(self, position: int) -> None:
        """Let all panels use a model."""
        self.position, self.is_wanted = position, True
        self.chosen.emit(position)
        self.note_used(self._models[position] if 0 <= position < len(self._models) else None)

    def note_used(self, model: Model | None) -> None:
        """Take note of what *Segment* shows."""
        before, self.used = self.used, model
        if (before and before.path) != (model and model.path):
            self.used_changed.emit()


def plain_viewer(viewer: Viewer) -> Viewer:
    """Return the viewer behind the proxy that napari hands to plugins, of which each layer is ever another object."""
    plain: Viewer = getattr(viewer, "__wrapped__", viewer)
    return plain


def shelf_of(viewer: Viewer) -> ModelShelf:
    """Return the viewer's shelf; holds the bundled models at first.

    The main window owns it, as a child that is found by its type: all panels of a window share it, and it ends with it.
    """
    window = plain_viewer(viewer).window._qt_window
    holder: _ShelfHolder | None = window.findChild(_ShelfHolder)
    if holder is None:
        from napari_mouse_seg.networks import list_models

        holder = _ShelfHolder(window, ModelShelf(list_models()))
    return holder.shelf


class _ShelfHolder(QObject):
    """Keeps a shelf for as long as its window lives."""

    def __init__(self, window: QObject, shelf: ModelShelf) -> None:
        super().__init__(window)
        self.shelf = shelf
