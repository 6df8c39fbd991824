"""Saves what the panel *Segment* has found, while the viewer goes on."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.notifications import show_error

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.events import Event, Finished, Warned
from napari_mouse_seg.images import file_name
from napari_mouse_seg.plugin._layers import plane_words
from napari_mouse_seg.plugin._saving import SaveJob, save
from napari_mouse_seg.plugin._scene import file_channel, image_path
from napari_mouse_seg.plugin._writer import label_image
from napari_mouse_seg.session import RunState, in_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image, Labels

    from napari_mouse_seg.export import LabelImage
    from napari_mouse_seg.images import MultiscaleImage
    from napari_mouse_seg.session import Runner, SegmentSession, Workspace
    from napari_mouse_seg.widgets import SegmentPanel

KINDS = {
    "Labels, OME-TIFF": ".tif",
    "Labels, OME-Zarr": ".ome.zarr",
    "Measurements, table": ".csv",
    "Outlines, GeoJSON for QuPath": ".geojson",
    "Picture with outlines, PNG": ".png",
}
_NOTHING = (
    "There is no result to save; segment the image or a region of it. Labels of images that are gone, or whose place "
    "has changed, are saved by File ▸ Save Selected Layers…"
)
_AT_WORK = "A run is at work; save when it has ended."
_PARTLY = "Only a part of the image was segmented."
_EDITED = "The labels were painted in by hand."


class SaveTool:
    """Writes the labels of the present choices, one file at a time, until ``close``.

    Parameters
    ----------
    panel
        Asks where to, and shows what became of it; starts no run meanwhile.
    session
        Has the labels.
    runner
        Writes beside the main thread.
    image_of
        Returns the layer of an image; None if it is gone.
    labels_of
        Returns the layer of a workspace; None if it is gone.
    """

    def __init__(
        self,
        panel: SegmentPanel,
        session: SegmentSession,
        runner: Runner,
        image_of: Callable[[MultiscaleImage], Image | None],
        labels_of: Callable[[Workspace], Labels | None],
    ) -> None:
        self._panel = panel
        self._bar = panel.save_bar
        self._session = session
        self._runner = runner
        self._image_of = image_of
        self._labels_of = labels_of
        self._folder: Path | None = None
        self._saving: SaveJob | None = None
        self._told_of: Workspace | None = None
        self._warned = ""
        self._began = 0.0
        for signal, slot in self._signals():
            signal.connect(slot)
        self.update()

    def update(self, _event: object = None) -> None:
        """Say whether there is something to save, and what it would be called."""
        workspace, image, labels = self._present()
        if workspace is not self._told_of:
            self._forget_told()
        if self._session.state is not RunState.IDLE:
            self._bar.set_reason(_AT_WORK)
        elif workspace is None or image is None or labels is None:
            self._bar.set_reason(_NOTHING)
        else:
            plane = plane_words(workspace.job.image, workspace.job.plan)
            name = f"{file_name(image.name + plane) or 'image'}_labels.tif"
            self._bar.suggest((self._folder or _folder_of(image)) / name, KINDS)
            self._bar.set_reason("")

    def close(self) -> None:
        """Give up what is being written, and let go of everything."""
        for signal, slot in self._signals():
            signal.disconnect(slot)
        self._cancel()

    def _signals(self) -> list[tuple[Any, Callable[..., None]]]:  # Any: signals of Qt and of psygnal
        session, bar = self._session, self._bar
        return [
            (session.checked, self.update),
            (session.canvas_changed, self._on_canvas),
            (session.workspace_closed, self.update),
            (session.state_changed, self.update),
            (bar.saveRequested, self._on_save),
            (bar.cancelRequested, self._cancel),
        ]

    def _present(self) -> tuple[Workspace | None, Image | None, Labels | None]:
        """Return the labels of what is chosen, with their layers."""
        workspace = self._session.workspace_here()
        if workspace is None or not workspace.regions:
            return None, None, None
        return workspace, self._image_of(workspace.job.image), self._labels_of(workspace)

    def _on_canvas(self, _workspace: Workspace) -> None:
        self._forget_told()
        self.update()

    def _forget_told(self) -> None:
        """Take away what was said of labels that are not those any more."""
        self._told_of = None
        if self._saving is None:
            self._bar.end()

    def _on_save(self, path: Path) -> None:
        workspace, image, labels = self._present()
        if self._saving is not None or workspace is None or image is None or labels is None:
            self._bar.end(failure=_NOTHING)
            return
        try:
            content = _snapshot(labels)
        except MouseSegError as error:
            self._bar.end(failure=str(error))
            return
        self._folder, self._told_of = path.parent, workspace
        plan = workspace.job.plan.replace(instances=workspace.instances)
        channel = file_channel(image)
        if channel is not None:
            plan = plan.replace(channel=channel)
        warnings = tuple(
            text for text, holds in ((_PARTLY, None not in workspace.regions), (_EDITED, workspace.edited)) if holds
        )
        job = replace(workspace.job, plan=plan)
        self._saving = SaveJob(
            path, content, job, image_path(image), workspace.device, warnings, is_complete=not warnings
        )
        self._warned, self._began = "", time.monotonic()
        self._bar.begin(path.name)
        self._panel.set_saving(True)
        self._runner.start(save(self._saving), self._on_event, self._on_end)

    def _cancel(self) -> None:
        if self._saving is not None:
            self._saving.stopped.set()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Warned):
            self._warned = event.message
        elif isinstance(event, Finished) and self._saving is not None:
            partly = f" {_PARTLY}" if _PARTLY in self._saving.warnings else ""
            seconds = time.monotonic() - self._began
            self._bar.end(f"Saved {event.result.name} in {seconds:.1f} s.{partly}", self._warned)

    def _on_end(self, error: Exception | None) -> None:
        saving, self._saving = self._saving, None
        self._panel.set_saving(False)
        if error is None or saving is None:
            return
        if saving.stopped.is_set():
            self._bar.end(f"{saving.path.name} was not saved.")
            return
        failure = in_words(error, "Saving")
        self._bar.end(failure=failure)
        show_error(failure)


def _snapshot(layer: Labels) -> LabelImage:
    """Return what is written of a layer, as it is now: what is painted from here on does not come in."""
    _data, attributes, _kind = layer.as_layer_data_tuple()
    # Pyramids are not painted in, and no run adds to them meanwhile.
    data = layer.data if layer.multiscale else np.array(layer.data)
    return label_image(data, attributes)


def _folder_of(layer: Image) -> Path:
    """Return the folder of a layer's file; the home folder for what is in none, or came with a package."""
    path = image_path(layer)
    if path is None or getattr(layer.source, "sample", None) is not None:
        return Path.home()
    return path.parent
