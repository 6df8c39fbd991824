"""What a model finds in the view, in a layer of its own: previews while it learns, and rounds side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Labels
from psygnal import Signal

from napari_mouse_seg.errors import ModelError, ModelNotFoundError, MouseSegError
from napari_mouse_seg.events import Event, Finished
from napari_mouse_seg.plugin._class_colours import class_display
from napari_mouse_seg.plugin._layer_place import put
from napari_mouse_seg.plugin._layers import AID, OUTLINES, placement

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from typing import Any

    from napari.components import ViewerModel
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_mouse_seg.images import MultiscaleImage
    from napari_mouse_seg.networks import Model
    from napari_mouse_seg.pipeline import SegmentResult
    from napari_mouse_seg.plans import ClassPlan, SegmentPlan
    from napari_mouse_seg.plugin._runner import ThreadRunner
    from napari_mouse_seg.session import RunningTask
    from napari_mouse_seg.tiling import Box

_CLASSES = "mouse-seg classes"
_OPACITY = 0.4  # Areas cover all of the view, and the image must be seen through them.
_OUTLINE_PX = 2
_EMPTY_PX = 64


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look: a region of an image plane, the layer that shows it, and a project's grid if there is one."""

    layer: Image
    image: MultiscaleImage
    planes: tuple[int, ...]
    plan: SegmentPlan
    region: Box
    network_shape: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Looked(Event):
    """What was found at a place, and the labels that show it: outlines of objects, or areas as they are."""

    result: SegmentResult
    labels: NDArray[Any]


class Previews:
    """Labels layers by key; one model at a time is at work, and of those that wait the last of each key counts.

    Parameters
    ----------
    viewer
        Where the layers go.
    runner
        Does the work.

    Attributes
    ----------
    shown
        Carries key, and what was found, in words.
    failed
        Carries the reason in words.
    """

    shown = Signal(str, str)
    failed = Signal(str)

    def __init__(self, viewer: ViewerModel, runner: ThreadRunner) -> None:
        self._viewer = viewer
        self._runner = runner
        self._layers: dict[str, Labels] = {}
        self._held: dict[str, bool] = {}  # Whether it is to be visible again.
        self._waiting: dict[str, tuple[Model | Path, Place, tuple[ClassPlan, ...], str]] = {}
        self._task: RunningTask | None = None
        self._key = ""  # Of what is at work and has not been shown yet.
        self._empty: set[str] = set()  # Keys of layers that wait for their first result.

    @property
    def is_at_work(self) -> bool:
        """Whether a model is looking, or one waits for its turn."""
        return self._task is not None or bool(self._waiting)

    def show(
        self, key: str, model: Model | Path, place: Place, classes: tuple[ClassPlan, ...] = (), *, name: str = ""
    ) -> None:
        """Segment a place with a model and show the result, in place of what was there under the same key.

        Parameters
        ----------
        key
            Tells layers apart.
        model, place
            What looks, and where; the file of a model still in training is read beside the main thread, and passed
            over if the next one has taken its place.
        classes
            Of areas, with the names and colours that they have now; the model may know earlier ones.
        name
            Of the layer, which others may have too; the key if empty.
        """
        self._waiting[key] = (model, place, classes, name or key)
        self._next()

    def prepare(self, key: str, place: Place, classes: tuple[ClassPlan, ...] = ()) -> None:
        """Add the layer of what is still to come, empty: napari takes its time for that, which is felt least now."""
        layer = self._layers.get(key)
        if layer is None or layer not in self._viewer.layers:
            labels = np.zeros((*(1 for _ in place.planes), _EMPTY_PX, _EMPTY_PX), np.uint32)
            where = placement(place.layer, (place.region.y0, place.region.x0), (1.0, 1.0), place.planes)
            display = class_display(classes, hide_background=True) if classes else {}
            self._add(key, Labels(labels, name=key, **where, **display), bool(classes))
            self._empty.add(key)

    def drop_empty(self) -> None:
        """Take away layers in which nothing has been shown."""
        for key in list(self._empty):
            self.remove(key)

    def remove(self, key: str) -> None:
        """Take a layer away, also one that is still to come."""
        self._waiting.pop(key, None)
        if self._task is not None and key == self._key:
            self._key = ""
            self._task.cancel()
        self._take_out(key)

    def hold(self, key: str) -> None:
        """Hide a layer, also one that is still to come, until ``release``."""
        layer = self._layers.get(key)
        if key not in self._held:
            self._held[key] = layer is None or layer.visible
        if layer is not None:
            layer.visible = False

    def release(self, key: str) -> None:
        """Show a layer that is held, unless the user had hidden it before."""
        visible = self._held.pop(key, None)
        layer = self._layers.get(key)
        if visible and layer is not None:
            layer.visible = True

    def is_seen(self, key: str) -> bool:
        """Return whether a layer is in sight, or will be soon."""
        layer = self._layers.get(key)
        is_coming = key in self._waiting or key == self._key
        return is_coming or (layer is not None and layer in self._viewer.layers and layer.visible)

    def close(self) -> None:
        """Stop; layers stay in the viewer."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
        self._layers.clear()

    def _next(self) -> None:
        if self._task is not None or not self._waiting:
            return
        key = next(iter(self._waiting))
        model, place, classes, name = self._waiting.pop(key)
        self._key = key
        listen = partial(self._on_event, key, name, place, classes)
        events = _look_with_file(model, place) if isinstance(model, Path) else look_with(model, place)
        self._task = self._runner.start(_with_labels(events), listen, self._on_end)

    def _on_event(self, key: str, name: str, place: Place, classes: tuple[ClassPlan, ...], event: Event) -> None:
        if isinstance(event, Looked) and key == self._key:
            self._key = ""
            mine = _as_painted(event.result.job.model.card.classes, classes)
            self._show(key, name, place, mine, event)

    def _on_end(self, error: Exception | None) -> None:
        self._task, self._key = None, ""
        if error is not None and not isinstance(error, ModelNotFoundError):  # A later preview has replaced its model.
            words = str(error) if isinstance(error, MouseSegError) else f"The preview failed ({error})."
            self.failed.emit(words)
        self._next()

    def _show(self, key: str, name: str, place: Place, classes: tuple[ClassPlan, ...], looked: Looked) -> None:
        self._empty.discard(key)
        result, labels = looked.result, looked.labels[(np.newaxis,) * len(place.planes)]
        where = placement(place.layer, (result.box.y0, result.box.x0), result.pixel_scale, place.planes)
        display = class_display(classes, hide_background=True) if classes else {}
        layer = self._layers.get(key)
        if layer is None or layer not in self._viewer.layers:
            self._add(key, Labels(labels, name=name, **where, **display), bool(classes))
        elif (_CLASSES in layer.metadata) is not bool(classes) or layer.ndim != labels.ndim:
            self._take_out(key)  # Colours of classes do not turn back into those of objects.
            self._add(key, Labels(labels, name=name, visible=layer.visible, **where, **display), bool(classes))
        else:
            layer.data = labels
            put(layer, where)
            for option, value in display.items():
                setattr(layer, option, value)
        self.shown.emit(key, result.found)

    def _take_out(self, key: str) -> None:
        self._empty.discard(key)
        layer = self._layers.pop(key, None)
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _add(self, key: str, layer: Labels, is_areas: bool) -> None:
        if is_areas:
            layer.metadata[_CLASSES] = True
            layer.opacity = _OPACITY
        else:
            layer.metadata[OUTLINES] = True
        layer.visible = layer.visible and key not in self._held
        layers = self._viewer.layers
        active = layers.selection.active
        self._layers[key] = layer
        paint = next((one for one in layers if isinstance(one, Labels) and AID in one.metadata), None)
        layers.insert(len(layers) if paint is None else layers.index(paint), layer)  # What is painted stays in sight.
        if active is not None:
            layers.selection.active = active


def look_with(model: Model, place: Place) -> Generator[Event, None, None]:
    """Segment a place with a model, without keeping its scores."""
    from napari_mouse_seg.pipeline import ScoreCache, resolve, segment

    job = resolve(place.image, model, place.plan, place.region, network_shape=place.network_shape)
    cache = ScoreCache(job)
    try:
        yield from segment(job, cache)
    finally:
        cache.close()


def _with_labels(events: Iterable[Event]) -> Generator[Event, None, None]:
    """Pass events on, and say at the end how the result is shown."""
    for event in events:
        yield event
        if isinstance(event, Finished):
            is_areas = bool(event.result.job.model.card.classes)
            yield Looked(event.result, event.result.labels if is_areas else _outlines(event.result.labels))


def _outlines(labels: NDArray[Any]) -> NDArray[Any]:
    """Keep the outermost pixels of (Y, X) objects; napari's own ``contour`` finds them again and again."""
    from scipy import ndimage

    size = 2 * _OUTLINE_PX + 1
    is_edge = ndimage.maximum_filter(labels, size) != ndimage.minimum_filter(labels, size)
    return np.where(is_edge, labels, 0)


def _look_with_file(file: Path, place: Place) -> Generator[Event, None, None]:
    """Segment a place with a model that is still in training."""
    from napari_mouse_seg.networks import load_model

    try:
        model = load_model(file)
    except (ModelError, OSError):
        return  # The next one has taken its place already.
    yield from look_with(model, place)


def _as_painted(mine: tuple[ClassPlan, ...], painted: tuple[ClassPlan, ...]) -> tuple[ClassPlan, ...]:
    """Return a model's classes with the names and colours that they have now."""
    now = {entry.label: entry for entry in painted}
    return tuple(now.get(entry.label, entry) for entry in mine)
