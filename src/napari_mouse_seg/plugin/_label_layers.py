"""The labels layers of a session's workspaces; the only place where they are made and refreshed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.plugin._layers import (
    ORIGIN,
    Origin,
    labels_data,
    make_labels_layer,
    plane_indices,
    plane_words,
    shows,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Layer

    from napari_mouse_seg.images import MultiscaleImage
    from napari_mouse_seg.pipeline import Canvas
    from napari_mouse_seg.session import SegmentSession, Workspace


@dataclass(slots=True)
class _Shown:
    """Labels of a workspace on the screen; the layer is made when there is something to show."""

    image_layer: Image
    planes: tuple[int, ...]
    name: str
    on_paint: Callable[[Any], None]  # Any: napari's event
    layer: Labels | None = None
    canvas: Canvas[Any] | None = None
    is_aside: bool = False


class LabelLayers:
    """Shows what a session's workspaces hold, and tells the session what is painted in it.

    Parameters
    ----------
    viewer
        Where the layers go.
    session
        Whose workspaces are shown.
    layer_of
        Returns the layer of an image; None if it is gone.
    """

    def __init__(
        self, viewer: ViewerModel, session: SegmentSession, layer_of: Callable[[MultiscaleImage], Image | None]
    ) -> None:
        self._viewer = viewer
        self._session = session
        self._layer_of = layer_of
        self._shown: dict[Workspace, _Shown] = {}
        session.workspace_opened.connect(self._on_opened)
        session.workspace_closed.connect(self._on_closed)
        session.workspace_aside.connect(self._on_aside)
        session.workspace_resumed.connect(self._on_resumed)
        session.canvas_changed.connect(self._on_canvas)

    def layer_of(self, workspace: Workspace) -> Labels | None:
        """Return the layer that shows a workspace's labels; None if there is none."""
        shown = self._shown.get(workspace)
        return None if shown is None or shown.layer is None or _is_users(shown) else shown.layer

    def forget(self, layer: Layer) -> None:
        """Note that a layer has left the viewer: if it showed labels, the session gives them up."""
        for workspace, shown in list(self._shown.items()):
            if layer is shown.layer:
                self._session.forget_labels(workspace)

    def close(self) -> None:
        """Let go of all layers; they stay in the viewer."""
        for workspace in list(self._shown):
            self._on_closed(workspace)

    def _on_opened(self, workspace: Workspace) -> None:
        """Remember where the labels will lie; by the job, since the user may look at something else by now."""
        job = workspace.job
        layer = self._layer_of(job.image)
        if layer is None:
            return
        planes = plane_indices(job.image, job.plan)
        name = f"{job.model.card.name} in {layer.name}{plane_words(job.image, job.plan)}"

        def on_paint(event: Any) -> None:  # Any: napari's event
            """Hear of a stroke: while it is drawn without a value, at its end with what was changed."""
            if _is_users(self._shown.get(workspace)):
                return
            changes = getattr(event, "value", None) or ()
            used = [np.unique(np.asarray(new)) for *_, new in changes]
            self._session.mark_edited(workspace, {int(label) for labels in used for label in labels})
            if changes:
                self._close_eye(self._shown.get(workspace), in_stroke=False)

        self._shown[workspace] = _Shown(layer, planes, name, on_paint)

    def _on_closed(self, workspace: Workspace) -> None:
        """Leave its labels in the viewer as they are."""
        shown = self._shown.pop(workspace, None)
        if shown is not None:
            self._open_eye(shown)  # Nothing else would.
            _let_go(shown)

    def _on_aside(self, workspace: Workspace) -> None:
        """Close the eye of its labels: two results over each other cannot be told apart."""
        shown = self._shown.get(workspace)
        if shown is not None:
            shown.is_aside = True
            self._close_eye(shown, in_stroke=bool(getattr(shown.layer, "_block_history", False)))

    def _on_resumed(self, workspace: Workspace) -> None:
        shown = self._shown.get(workspace)
        if shown is not None:
            self._open_eye(shown)

    def _close_eye(self, shown: _Shown | None, *, in_stroke: bool) -> None:
        """Hide labels that are aside, but not while a stroke is drawn in them, which napari would lose."""
        if shown is None or shown.layer is None or not shown.is_aside or in_stroke or _is_users(shown):
            return
        shown.layer.visible = False
        if self._viewer.layers.selection.active is shown.layer:
            self._viewer.layers.selection.active = shown.image_layer

    def _open_eye(self, shown: _Shown) -> None:
        if shown.is_aside and shown.layer is not None and not _is_users(shown):
            shown.layer.visible = True
        shown.is_aside = False

    def _on_canvas(self, workspace: Workspace) -> None:
        shown = self._shown.get(workspace)
        if shown is None:
            return
        if _is_users(shown):
            _let_go(shown)  # All that was found gets a layer anew.
        if shown.layer is None:
            self._add(workspace, shown)
        elif shown.canvas is workspace.canvas:
            shown.layer.refresh(extent=False)
        else:
            shown.canvas = workspace.canvas
            shown.layer.data = labels_data(workspace.canvas, len(shown.planes))

    def _add(self, workspace: Workspace, shown: _Shown) -> None:
        active = self._viewer.layers.selection.active
        shown.canvas, job = workspace.canvas, workspace.job
        shown.layer = make_labels_layer(
            shown.image_layer, workspace.canvas, job.pixel_scale, shown.planes, shown.name, job.model.card.classes
        )
        shown.layer.metadata[ORIGIN] = Origin(job)
        shown.layer.selected_label = workspace.canvas.paint_label
        self._viewer.add_layer(shown.layer)
        for event in _paint_events(shown.layer):
            event.connect(shown.on_paint)
        if active is not None:
            self._viewer.layers.selection.active = active


def _is_users(shown: _Shown | None) -> bool:
    """Return whether somebody else has put other labels into a layer, by converting them for example."""
    return (
        shown is not None
        and shown.layer is not None
        and shown.canvas is not None
        and not shows(shown.layer, shown.canvas)
    )


def _let_go(shown: _Shown) -> None:
    """Leave a layer as it is."""
    if shown.layer is not None:
        for event in _paint_events(shown.layer):
            event.disconnect(shown.on_paint)
    shown.layer = None


def _paint_events(layer: Labels) -> tuple[Any, ...]:  # Any: napari's events
    """Events of a stroke: while it is drawn, and when it ends."""
    return layer.events.labels_update, layer.events.paint
