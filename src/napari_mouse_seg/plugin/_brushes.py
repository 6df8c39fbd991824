"""What painting in a labels layer means: objects, each with a label of its own, or the classes of areas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from napari.utils.notifications import show_info

from napari_mouse_seg.plans import BACKGROUND_LABEL, NOT_PAINTED
from napari_mouse_seg.plugin._class_colours import class_display
from napari_mouse_seg.plugin._stroke_ends import beyond_ends

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from napari.layers import Labels
    from numpy.typing import NDArray

    from napari_mouse_seg.plans import ClassPlan

_OPACITY = 0.6  # Of classes, whose colours must be told apart.
_FREE_PX = 2  # A stroke that starts this far from the object's paint is another object.
_LARGEST_COVERED = 0.15  # Of a found object, by painted objects; neighbours that touch cover less.
_SMALLEST_LEFT = 0.5  # Of a found object; what is left of smaller ones is no whole object.


class Brush(Protocol):
    """How one layer is painted in."""

    def begin(self) -> None:
        """Take up another patch, which the layer shows now."""

    def fill(self, labels: NDArray[Any]) -> int:
        """Put (Y, X) results of a model where nothing is painted, as one step to undo; return how much."""


class ObjectBrush:
    """Every object gets a fresh label, and painting keeps off other objects.

    Parameters
    ----------
    layer
        Is made ready.

    Attributes
    ----------
    filled
        Labels of the objects that were put in last.
    ends_at_edges
        Whether a stroke goes from edge to edge of an object; the background beyond its ends is then painted too.
    """

    def __init__(self, layer: Labels) -> None:
        self._layer = layer
        self.filled = range(0)
        self.ends_at_edges = False
        layer.preserve_labels = True
        layer.mouse_drag_callbacks.insert(0, self._on_stroke)
        layer.events.mode.connect(self._on_mode)
        layer.bind_key("N", lambda _: self._select_new(), overwrite=True)
        layer.bind_key("B", lambda _: select(layer, BACKGROUND_LABEL), overwrite=True)
        self.begin()

    def begin(self) -> None:
        """Choose a label that is free; the mode is set later, in the viewer, which shows it wrongly otherwise."""
        self._layer.selected_label = self._free_label()

    def fill(self, labels: NDArray[Any]) -> int:
        """Put in the objects that nobody has painted yet, with fresh labels, and return how many.

        An object is left out as a whole where painted objects cover more than 15 % of it, where it holds most of a
        painted object (both are the same one then, and the rest of it would be a ring), and where paint of any kind
        leaves less than half of it. What is painted stays as it is.
        """
        new = _unpainted(labels, paint_of(self._layer))
        kept, numbered = np.unique(labels[new], return_inverse=True)
        first = self._free_label()
        self.filled = range(first, first + len(kept))
        if len(kept):
            _put(self._layer, new, first + numbered)
        self._select_new()
        return len(kept)

    def _select_new(self) -> None:
        select(self._layer, self._free_label())

    def _free_label(self) -> int:
        return max(int(paint_of(self._layer).max()), BACKGROUND_LABEL) + 1

    def _on_mode(self, _event: Any) -> None:  # Any: napari's event
        """Let the eraser take away whatever it meets."""
        self._layer.preserve_labels = self._layer.mode != "erase"

    def _on_stroke(self, layer: Labels, event: Any) -> Generator[None, None, None]:  # Any: napari's event
        """Begin another object where a stroke starts away from the present one's paint; mark what its ends say."""
        is_object = int(layer.selected_label) > BACKGROUND_LABEL
        if layer.mode in ("paint", "polygon") and is_object:
            self._begin_object(np.round(layer.world_to_data(event.position)[-2:]).astype(int))
        path = [np.asarray(layer.world_to_data(event.position)[-2:])]
        yield
        while event.type == "mouse_move":
            path.append(np.asarray(layer.world_to_data(event.position)[-2:]))
            yield
        if self.ends_at_edges and layer.mode == "paint" and is_object:
            paint = paint_of(layer)
            beyond = beyond_ends(path, float(layer.brush_size), paint.shape) & (paint == NOT_PAINTED)
            # napari ends its own stroke after this, so that one undo takes back both.
            _put(layer, beyond, np.full(int(beyond.sum()), BACKGROUND_LABEL))

    def _begin_object(self, at: NDArray[Any]) -> None:
        """Choose a fresh label if the present one's paint lies elsewhere."""
        layer, paint = self._layer, paint_of(self._layer)
        reach = int(layer.brush_size) // 2 + _FREE_PX
        (top, left), (bottom, right) = np.maximum(at - reach, 0), np.maximum(at + reach + 1, 0)
        label = int(layer.selected_label)
        if not (paint[top:bottom, left:right] == label).any() and (paint == label).any():
            self._select_new()


class ClassBrush:
    """One label a class, in its colour; painting goes over what is there, as no pixel has two classes.

    Parameters
    ----------
    layer
        Is made ready.
    classes
        What can be painted.
    label
        Of the class to begin with.
    on_chosen
        Called with the label of the class that is painted from now on; 0 where that is none.
    """

    def __init__(
        self, layer: Labels, classes: Sequence[ClassPlan], label: int, on_chosen: Callable[[int], None]
    ) -> None:
        self._layer = layer
        self._classes: tuple[ClassPlan, ...] = ()
        self._label = label
        self._on_chosen = on_chosen
        layer.preserve_labels = False
        layer.opacity = _OPACITY
        self.set_classes(classes)
        layer.events.selected_label.connect(self._on_selected)
        layer.bind_key("N", lambda _: self._select_next(), overwrite=True)
        layer.bind_key("B", lambda _: self.choose(BACKGROUND_LABEL), overwrite=True)

    def begin(self) -> None:
        """Go on with the class that was painted last."""
        self._layer.selected_label = self._label

    def set_classes(self, classes: Sequence[ClassPlan]) -> None:
        """Give the classes their colours, and their names in the status bar."""
        if tuple(classes) != self._classes:
            self._classes = tuple(classes)
            self._layer.colormap = class_display(classes)["colormap"]
            names = {entry.label: entry.name for entry in classes}
            self._layer.features = {"index": [NOT_PAINTED, *names], "class": ["not annotated", *names.values()]}
        if self._label not in self._labels():
            self._label = self._labels()[-1]
        self._layer.selected_label = self._label

    def choose(self, label: int) -> None:
        """Paint a class from now on."""
        if label in self._labels():
            select(self._layer, label)

    def fill(self, labels: NDArray[Any]) -> int:
        """Put in classes and return how many pixels."""
        free = (paint_of(self._layer) == NOT_PAINTED) & np.isin(labels, self._labels())
        _put(self._layer, free, labels[free])
        return int(free.sum())

    def _labels(self) -> list[int]:
        return [entry.label for entry in self._classes]

    def _select_next(self) -> None:
        labels = self._labels()
        here = labels.index(self._label)
        select(self._layer, labels[(here + 1) % len(labels)])

    def _on_selected(self, _event: Any) -> None:  # Any: napari's event
        """Follow napari's own ways to choose a label; one that is no class is not painted."""
        label = int(self._layer.selected_label)
        if label != NOT_PAINTED and label not in self._labels():
            show_info(f"Label {label} is no class of this project; add a class in the panel to paint it.")
            self._layer.selected_label = self._label
            return
        if label != NOT_PAINTED:
            self._label = label
        self._on_chosen(label)


def paint_of(layer: Labels) -> NDArray[np.uint32]:
    """Return the (Y, X) paint of a layer itself, not a copy."""
    data: NDArray[np.uint32] = layer.data
    return data.reshape(data.shape[-2:])


def select(layer: Labels, label: int) -> None:
    """Paint a label from now on."""
    layer.selected_label = label
    if layer.mode not in ("paint", "fill", "polygon"):
        layer.mode = "paint"


def erase(layer: Labels) -> None:
    """Erase from now on, or paint again."""
    layer.mode = "paint" if layer.mode == "erase" else "erase"


def _put(layer: Labels, where: NDArray[np.bool_], labels: NDArray[Any]) -> None:
    if not layer.visible:
        layer.set_view_slice()  # Of a hidden layer, napari still holds the view of what it showed before.
    lead = tuple(np.zeros(int(where.sum()), int) for _ in range(layer.ndim - 2))
    layer.data_setitem((*lead, *np.nonzero(where)), labels.astype(layer.data.dtype))


def _unpainted(found: NDArray[Any], paint: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Return the pixels of found objects that are no painted ones, less what is painted; see ``ObjectBrush.fill``."""
    ids, place = np.unique(found, return_inverse=True)
    place = place.reshape(found.shape)
    painted, size = paint > BACKGROUND_LABEL, np.bincount(place.ravel())
    covered = np.bincount(place[painted], minlength=len(ids))
    left = np.bincount(place[paint == NOT_PAINTED], minlength=len(ids))
    keep = (ids > 0) & (covered <= _LARGEST_COVERED * size) & (left >= _SMALLEST_LEFT * size)
    labels, owner = np.unique(paint[painted], return_inverse=True)
    pairs, shared = np.unique(owner.ravel() * len(ids) + place[painted], return_counts=True)
    of, within = np.divmod(pairs, len(ids))
    whole = np.bincount(of, weights=shared, minlength=len(labels))
    keep[within[2 * shared > whole[of]]] = False
    kept: NDArray[np.bool_] = keep[place] & (paint == NOT_PAINTED)
    return kept
