"""The two layers of the patch that is being painted: its pixels and its paint, in place over the big image."""

from __future__ import annotations

import zlib
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_mouse_seg.plugin._brushes import ClassBrush, ObjectBrush, erase, paint_of
from napari_mouse_seg.plugin._layer_place import put
from napari_mouse_seg.plugin._layers import AID, placement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import ViewerModel
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_mouse_seg.plans import ClassPlan, PaintPlan, PatchPlan

_BRUSH_PX = 6
_FRAME_COLOUR = "#f59e0b"  # Seen on black, on white, and on stained tissue.
_FRAME_PX = 2


class PatchLayers:
    """Shows one patch at a time and tells when it was painted in.

    Parameters
    ----------
    viewer
        Where the layers go.

    Attributes
    ----------
    painted
        Paint may have changed; carries the id of the patch.
    next_wanted
        The user asks for the next patch by its key.
    removed
        The user has removed the layers of a patch, whose id it carries; its paint was taken up before.
    class_chosen
        Carries the label of the class that is painted now; 0 where that is none.
    """

    painted = Signal(str)
    next_wanted = Signal()
    removed = Signal(str)
    class_chosen = Signal(int)

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._patch: PatchPlan | None = None
        self._pixels: Image | None = None
        self._paint: Labels | None = None
        self._over: Image | None = None
        self._brush: ObjectBrush | ClassBrush | None = None
        self._saved = 0
        self._leaving = self._is_removing = False
        viewer.layers.events.removing.connect(self._on_removing)
        viewer.layers.events.removed.connect(self._on_removed)

    @property
    def patch_id(self) -> str:
        """Of the patch that is shown; empty if none is."""
        return "" if self._patch is None else self._patch.id

    @property
    def paint_layer(self) -> Labels | None:
        """The layer to paint in."""
        return self._paint

    def show(
        self,
        layer: Image,
        planes: tuple[int, ...],
        pixel_scale: tuple[float, float],
        patch: PatchPlan,
        pixels: NDArray[Any],
        paint: NDArray[np.uint32],
        limits: tuple[float, float],
        editable: bool,
        classes: Sequence[ClassPlan] = (),
        label: int = 0,
    ) -> None:
        """Show a patch in place of the present one, whose paint must have been taken up.

        Parameters
        ----------
        layer, planes, pixel_scale
            The big image's layer, the plane of it, and image pixels per patch pixel.
        patch
            What is shown.
        pixels
            (C, Y, X) raw intensities.
        paint
            (Y, X) labels.
        limits
            Raw values shown as black and white.
        editable
            Whether it may be painted in.
        classes, label
            Of areas, and the class to paint first; empty for objects.
        """
        place = placement(layer, (patch.box[0], patch.box[1]), pixel_scale, planes)
        lead = (np.newaxis,) * len(planes)
        is_rgb = len(pixels) == 3
        shown = as_seen(np.moveaxis(pixels, 0, -1), np.dtype(layer.dtype)) if is_rgb else pixels[0]
        options: dict[str, Any] = {} if is_rgb else {"contrast_limits": limits, "colormap": layer.colormap}
        fits = layer is self._over and isinstance(self._brush, ClassBrush) is bool(classes)
        if self._pixels is not None and self._paint is not None and fits and self._paint.ndim == layer.ndim:
            self._patch = patch
            self.set_classes(classes)
            self._exchange(self._pixels, self._paint, shown[lead], paint.copy()[lead], place)
        else:
            self.hide()
            self._patch, self._over = patch, layer
            self._pixels = Image(shown[lead], rgb=is_rgb, **options, **place)
            self._paint = Labels(paint.copy()[lead], **place)
            self._prepare_painting(self._paint)
            self._frame(self._paint)
            self._brush = (
                ClassBrush(self._paint, classes, label, self.class_chosen.emit) if classes else ObjectBrush(self._paint)
            )
            for made in (self._pixels, self._paint):
                made.metadata[AID] = patch.id
                self._viewer.add_layer(made)
            self._follow(self._paint)
        self.set_meaning(patch.meaning)
        self._saved = self._checksum()
        self._present(self._pixels, self._paint, patch.name or patch.id, editable)

    def place(self, planes: tuple[int, ...], pixel_scale: tuple[float, float]) -> None:
        """Lay the patch where its image lies now; for the arguments see ``show``."""
        if self._patch is None or self._over is None:
            return
        place = placement(self._over, (self._patch.box[0], self._patch.box[1]), pixel_scale, planes)
        for layer in (self._pixels, self._paint):
            if layer is not None:
                put(layer, place)

    def _exchange(
        self, pixels: Image, paint: Labels, shown: NDArray[Any], labels: NDArray[np.uint32], place: dict[str, Any]
    ) -> None:
        """Let the layers show another patch; taking layers out and putting others in costs napari a second."""
        for layer, data in ((pixels, shown), (paint, labels)):
            layer.data = data
            put(layer, place)
        paint._reset_history()
        if self._brush is not None:
            self._brush.begin()

    def _frame(self, paint: Labels) -> None:
        """Show where painting is possible; this is napari's own, so it is no layer and in no file that is saved."""
        frame = paint.bounding_box
        frame.line_color, frame.line_thickness, frame.points = _FRAME_COLOUR, _FRAME_PX, False
        frame.visible = True

    def _present(self, pixels: Image, paint: Labels, name: str, editable: bool) -> None:
        pixels.name, paint.name = f"{name} (pixels)", f"{name} (paint)"
        paint.editable = editable
        paint.visible = True
        layers = self._viewer.layers
        if layers[-1] is not paint:  # Results that were put over it since then would hide what is painted.
            layers.move(layers.index(paint), len(layers))
        layers.selection.active = paint
        if editable:
            paint.mode = "paint"

    def _follow(self, paint: Labels) -> None:
        events = paint.events
        for event in (events.paint, events.labels_update, events.data, events.set_data):  # Undo tells by the last.
            event.connect(self._on_paint)

    def hide(self) -> None:
        """Take the layers out of the viewer.

        While the user removes layers, those that are selected are left for a moment: napari is about to remove them,
        and would miss them.
        """
        layers = [layer for layer in (self._paint, self._pixels) if layer is not None]
        later = [layer for layer in layers if self._is_removing and layer in self._viewer.layers.selection]
        self._take_out([layer for layer in layers if layer not in later])
        if later:
            QTimer.singleShot(0, partial(self._take_out, later))
        self._patch = self._pixels = self._paint = self._over = self._brush = None

    def close(self) -> None:
        """Stop following the viewer, and take the layers out."""
        self._viewer.layers.events.removing.disconnect(self._on_removing)
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self.hide()

    def take_changed(self) -> NDArray[np.uint32] | None:
        """Return a copy of the paint if it has changed since it was last taken; None if not.

        Looks at the pixels, not at events: undo and scripts change them as well.
        """
        if self._paint is None:
            return None
        now = self._checksum()
        if now == self._saved:
            return None
        self._saved = now
        return self._array().copy()

    def fill(self, labels: NDArray[Any]) -> int:
        """Put (Y, X) results of a model where nothing is painted, as one step to undo; return how much."""
        return 0 if self._brush is None else self._brush.fill(labels)

    @property
    def filled(self) -> range:
        """Labels of the objects that were put in last; none of areas."""
        return self._brush.filled if isinstance(self._brush, ObjectBrush) else range(0)

    def has_any(self, labels: range) -> bool:
        """Return whether one of consecutive labels is painted."""
        paint = self._array()
        return bool(((paint >= labels.start) & (paint < labels.stop)).any())

    def set_classes(self, classes: Sequence[ClassPlan]) -> None:
        """Show other names and colours, or more classes; objects have none."""
        if isinstance(self._brush, ClassBrush) and classes:
            self._brush.set_classes(classes)

    def set_meaning(self, meaning: PaintPlan) -> None:
        """Paint strokes as their meaning wants it; areas have none."""
        if isinstance(self._brush, ObjectBrush):
            self._brush.ends_at_edges = meaning.ends_at_edges and not meaning.whole_objects

    def choose_class(self, label: int) -> None:
        """Paint a class from now on."""
        if isinstance(self._brush, ClassBrush):
            self._brush.choose(label)

    def _array(self) -> NDArray[np.uint32]:
        """Return the (Y, X) paint itself, not a copy; empty if none is shown."""
        return np.zeros((0, 0), np.uint32) if self._paint is None else paint_of(self._paint)

    def _checksum(self) -> int:
        return zlib.crc32(self._array().tobytes())

    def _prepare_painting(self, layer: Labels) -> None:
        """Give it keys, and a brush of a sensible size."""
        layer.opacity = 0.5
        layer.brush_size = _BRUSH_PX
        layer.bind_key("E", lambda _: erase(layer), overwrite=True)
        layer.bind_key("Shift-N", lambda _: self.next_wanted.emit(), overwrite=True)

    def _on_paint(self, _event: Any = None) -> None:  # Any: napari's event
        if self._patch is not None:
            self.painted.emit(self._patch.id)

    def _take_out(self, layers: Sequence[Layer]) -> None:
        self._leaving = True
        try:
            for layer in layers:
                if layer in self._viewer.layers:
                    self._viewer.layers.remove(layer)
        finally:
            self._leaving = False

    def _on_removing(self, _event: Any) -> None:  # Any: napari's event
        """Note that somebody else removes layers, until that is over."""
        if not self._leaving and not self._is_removing:
            self._is_removing = True
            QTimer.singleShot(0, self._on_removing_over)

    def _on_removing_over(self) -> None:
        self._is_removing = False

    def _on_removed(self, event: Any) -> None:  # Any: napari's event
        """If the user removes one of the two layers, the other goes too; the paint is taken up first."""
        layer: Layer = event.value
        if self._leaving or self._patch is None or layer not in (self._pixels, self._paint):
            return
        patch_id = self._patch.id
        self.removed.emit(patch_id)
        self.hide()


def as_seen(colours: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[np.uint8]:  # Any: one of three dtypes
    """Return colours as napari shows those of an image of a dtype: of its whole range, or of 0 to 1."""
    white = np.iinfo(dtype).max if dtype.kind in "ui" else 1
    seen: NDArray[np.uint8] = np.clip(np.round(np.nan_to_num(colours) * (255 / white)), 0, 255).astype(np.uint8)
    return seen
