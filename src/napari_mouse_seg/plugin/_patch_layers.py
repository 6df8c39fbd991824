"""The two layers of the patch that is being painted: its pixels and its paint, in place over the big image."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels
from psygnal import Signal

from napari_mouse_seg.plans import BACKGROUND_LABEL
from napari_mouse_seg.plugin._layers import AID, placement

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari.components import ViewerModel
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_mouse_seg.plans import PatchPlan

_BRUSH_PX = 6
_FREE_PX = 2  # A stroke that starts this far from the object's paint is another object.


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
    """

    painted = Signal(str)
    next_wanted = Signal()
    removed = Signal(str)

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._patch: PatchPlan | None = None
        self._pixels: Image | None = None
        self._paint: Labels | None = None
        self._over: Image | None = None
        self._saved = 0
        self._leaving = False
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
        """
        place = placement(layer, (patch.box[0], patch.box[1]), pixel_scale, planes)
        lead = (np.newaxis,) * len(planes)
        is_rgb = len(pixels) == 3
        shown = np.moveaxis(pixels, 0, -1) if is_rgb else pixels[0]
        if is_rgb:
            shown = np.clip(np.round(shown), 0, 255).astype(np.uint8)
        options: dict[str, Any] = {} if is_rgb else {"contrast_limits": limits, "colormap": layer.colormap}
        if self._pixels is not None and self._paint is not None and layer is self._over:
            self._patch = patch
            self._exchange(self._pixels, self._paint, shown[lead], paint.copy()[lead], place)
        else:
            self.hide()
            self._patch, self._over = patch, layer
            self._pixels = Image(shown[lead], rgb=is_rgb, **options, **place)
            self._paint = Labels(paint.copy()[lead], **place)
            self._paint.opacity = 0.5
            self._prepare_painting(self._paint)
            for made in (self._pixels, self._paint):
                made.metadata[AID] = patch.id
                self._viewer.add_layer(made)
            self._follow(self._paint)
        self._saved = self._checksum()
        self._present(self._pixels, self._paint, patch.name or patch.id, editable)

    def _exchange(
        self, pixels: Image, paint: Labels, shown: NDArray[Any], labels: NDArray[np.uint32], place: dict[str, Any]
    ) -> None:
        """Let the layers show another patch; taking layers out and putting others in costs napari a second."""
        for layer, data in ((pixels, shown), (paint, labels)):
            layer.data = data
            layer.translate = place["translate"]
        paint._reset_history()
        paint.selected_label = self._free_label()

    def _present(self, pixels: Image, paint: Labels, name: str, editable: bool) -> None:
        pixels.name, paint.name = f"{name} (pixels)", f"{name} (paint)"
        paint.editable = editable
        self._viewer.layers.selection.active = paint
        if editable:
            paint.mode = "paint"

    def _follow(self, paint: Labels) -> None:
        events = paint.events
        for event in (events.paint, events.labels_update, events.data, events.set_data):  # Undo tells by the last.
            event.connect(self._on_paint)

    def hide(self) -> None:
        """Take the layers out of the viewer."""
        self._leaving = True
        try:
            for layer in (self._paint, self._pixels):
                if layer is not None and layer in self._viewer.layers:
                    self._viewer.layers.remove(layer)
        finally:
            self._leaving = False
        self._patch = self._pixels = self._paint = self._over = None

    def close(self) -> None:
        """Stop following the viewer, and take the layers out."""
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
        """Put objects where nothing is painted, with fresh ids, and return how many; can be undone like a stroke.

        Parameters
        ----------
        labels
            (Y, X) objects 1 to n.
        """
        if self._paint is None:
            return 0
        paint = self._array()
        first = self._free_label()
        free = (paint == 0) & (labels > 0)
        kept, numbered = np.unique(labels[free], return_inverse=True)
        lead = tuple(np.zeros(int(free.sum()), int) for _ in range(self._paint.ndim - 2))
        self._paint.data_setitem((*lead, *np.nonzero(free)), (first + numbered).astype(paint.dtype))
        self._select_new()
        return len(kept)

    def _array(self) -> NDArray[np.uint32]:
        """Return the (Y, X) paint itself, not a copy; empty if none is shown."""
        data: NDArray[np.uint32] = np.zeros((0, 0), np.uint32) if self._paint is None else self._paint.data
        return data.reshape(data.shape[-2:])

    def _checksum(self) -> int:
        return zlib.crc32(self._array().tobytes())

    def _prepare_painting(self, layer: Labels) -> None:
        """Fresh ids, keys, and a brush of a sensible size."""
        layer.brush_size = _BRUSH_PX
        layer.preserve_labels = True
        layer.selected_label = self._free_label()  # Its mode is set in the viewer, which shows it wrongly otherwise.
        layer.mouse_drag_callbacks.insert(0, self._on_stroke)
        layer.events.mode.connect(lambda _: _protect(layer))
        layer.bind_key("N", lambda _: self._select_new(), overwrite=True)
        layer.bind_key("B", lambda _: _select(layer, BACKGROUND_LABEL), overwrite=True)
        layer.bind_key("E", lambda _: _erase(layer), overwrite=True)
        layer.bind_key("Shift-N", lambda _: self.next_wanted.emit(), overwrite=True)

    def _select_new(self) -> None:
        """Choose an id that is free, for a new object."""
        if self._paint is not None:
            _select(self._paint, self._free_label())

    def _free_label(self) -> int:
        return max(int(self._array().max()), BACKGROUND_LABEL) + 1

    def _on_stroke(self, layer: Labels, event: Any) -> Generator[None, None, None]:  # Any: napari's event
        """Begin another object where a stroke starts away from the present one's paint."""
        label = int(layer.selected_label)
        if layer.mode in ("paint", "polygon") and label > BACKGROUND_LABEL:
            y, x = np.round(layer.world_to_data(event.position)[-2:]).astype(int)
            reach = int(layer.brush_size) // 2 + _FREE_PX
            paint = self._array()
            near = paint[max(0, y - reach) : max(0, y + reach + 1), max(0, x - reach) : max(0, x + reach + 1)]
            if not (near == label).any() and (paint == label).any():
                self._select_new()
        yield

    def _on_paint(self, _event: Any = None) -> None:  # Any: napari's event
        if self._patch is not None:
            self.painted.emit(self._patch.id)

    def _on_removed(self, event: Any) -> None:  # Any: napari's event
        """If the user removes one of the two layers, the other goes too; the paint is taken up first."""
        layer: Layer = event.value
        if self._leaving or self._patch is None or layer not in (self._pixels, self._paint):
            return
        patch_id = self._patch.id
        self.removed.emit(patch_id)
        self.hide()


def _select(layer: Labels, label: int) -> None:
    layer.selected_label = label
    if layer.mode not in ("paint", "fill", "polygon"):
        layer.mode = "paint"


def _erase(layer: Labels) -> None:
    layer.mode = "paint" if layer.mode == "erase" else "erase"


def _protect(layer: Labels) -> None:
    """Painting keeps off other objects; the eraser takes away whatever it meets."""
    layer.preserve_labels = layer.mode != "erase"
