"""Ties a viewer, a panel and a session together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.QtCore import QObject, QTimer

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.plugin._activity import ActivityBar
from napari_mouse_seg.plugin._label_layers import LabelLayers
from napari_mouse_seg.plugin._layer_list import ImageLayerList
from napari_mouse_seg.plugin._layers import image_of_layer
from napari_mouse_seg.plugin._model_choice import choice_of, fitting
from napari_mouse_seg.plugin._runner import ThreadRunner
from napari_mouse_seg.plugin._size_tool import SizeTool
from napari_mouse_seg.plugin._truth_tool import TruthTool
from napari_mouse_seg.plugin._viewport import look, view_events
from napari_mouse_seg.plugin._warm_up import DeviceFound, keep_triton_out, warm_up
from napari_mouse_seg.session import Check, Progress, RunState, SegmentSession, Summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Image, Layer

    from napari_mouse_seg.events import Event
    from napari_mouse_seg.images import MultiscaleImage
    from napari_mouse_seg.networks import Model
    from napari_mouse_seg.plans import SegmentPlan
    from napari_mouse_seg.plugin._model_shelf import ModelShelf
    from napari_mouse_seg.session import Engine
    from napari_mouse_seg.widgets import SegmentPanel

_FOLLOW_MS = 60
_PROGRESS_INTERVAL_S = 0.5


class SegmentController(QObject):
    """Runs the panel *Segment* of one viewer until ``close``.

    Parameters
    ----------
    viewer
        Whose layers are segmented.
    panel
        Shows and asks.
    shelf
        Models that the panel offers.
    engine
        Runs jobs; the pipeline if None.
    """

    def __init__(
        self, viewer: ViewerModel, panel: SegmentPanel, shelf: ModelShelf, engine: Engine | None = None
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._panel = panel
        self._shelf = shelf
        self._model: Model | None = None
        self._model_is_wanted = False
        self._closed = False
        self._image: MultiscaleImage | None = None
        self._layer_problem = ""
        self._planes: tuple[int, ...] = ()
        self._images: dict[Image, MultiscaleImage] = {}
        self._activity = ActivityBar()
        self._progress_shown_at = 0.0
        self._runner = ThreadRunner()
        self.session = SegmentSession(self._runner, engine)
        self._layers = ImageLayerList(viewer)
        self._size = SizeTool(viewer, self._runner)
        self._labels = LabelLayers(viewer, self.session, self._layer_of)
        self._truth = TruthTool(viewer, panel, self.session, self._runner, self._layer_of)
        self._follow = QTimer(self)
        self._follow.setSingleShot(True)
        self._follow.setInterval(_FOLLOW_MS)
        self._follow.timeout.connect(self.update_view)
        self._connect()
        self._list_models()
        self._on_model(shelf.position)
        self._layers.start()

    @property
    def is_closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed

    def warm_up(self) -> None:
        """Load torch beside the main thread and show the device."""
        if not self._closed:
            model = self._shelf.models[0] if self._shelf.models else None
            self._runner.start(warm_up(self._panel.value().device, model), self._on_warm, self._on_warm_end)

    def update_view(self) -> None:
        """Take over the viewer's plane, and say why a button is off."""
        layer = self._layers.current
        if layer is None or self._image is None or self._closed:
            self._panel.set_reasons("", "")
            return
        view = look(self._viewer, layer)
        self._panel.set_reasons(view.box_reason, view.plane_reason)
        if view.planes and view.planes != self._planes:
            self._follow_planes(view.planes)

    def stop(self) -> None:
        """Cancel the run and wait for its thread; the panel stays usable."""
        self.session.cancel()
        self._runner.wait()

    def close(self) -> None:
        """Let go of everything: signals, the run and its thread, scores."""
        if self._closed:
            return
        self._closed = True
        self._follow.stop()
        for signal, slot in self._size_signals():
            signal.disconnect(slot)
        self._size.close()
        self._truth.close()
        self._shelf.changed.disconnect(self._list_models)
        self._shelf.chosen.disconnect(self._on_model_wanted)
        self._layers.close()
        for event in view_events(self._viewer):
            event.disconnect(self._on_viewer_moved)
        self.session.close()
        self._runner.shutdown()
        self._activity.end()
        self._image = None
        self._images.clear()
        self._labels.close()

    def _connect(self) -> None:
        self._layers.listed.connect(self._on_listed)
        self._layers.chosen.connect(self._on_layer)
        self._layers.removed.connect(self._on_removed)
        self._layers.altered.connect(self._forget_image)
        for event in view_events(self._viewer):
            event.connect(self._on_viewer_moved)
        self._shelf.changed.connect(self._list_models)
        self._shelf.chosen.connect(self._on_model_wanted)
        panel, session = self._panel, self.session
        panel.imageChosen.connect(self._layers.choose)
        panel.modelChosen.connect(self._on_model_by_hand)
        panel.planChanged.connect(self._on_plan)
        panel.thresholdsSettled.connect(session.apply_thresholds)
        panel.viewRequested.connect(self._on_view)
        panel.fullRequested.connect(self._on_full)
        panel.cancelRequested.connect(session.cancel)
        panel.measureRequested.connect(self._on_measure)
        panel.drawDiameterRequested.connect(self._on_draw)
        for signal, slot in self._size_signals():
            signal.connect(slot)
        session.checked.connect(self._on_checked)
        session.state_changed.connect(self._on_state)
        session.progressed.connect(self._on_progress)
        session.run_finished.connect(self._on_finished)
        session.run_failed.connect(self._on_failed)
        session.run_cancelled.connect(self._on_cancelled)

    def _on_listed(self) -> None:
        self._panel.set_images(self._layers.names, self._layers.position)
        self._follow.start()

    def _on_layer(self, layer: Image | None) -> None:
        """Make the chosen layer the session's image."""
        self._image, self._planes, self._layer_problem = None, (), ""
        if layer is not None:
            try:
                # The same image each time, so that its scores and labels are found again.
                if layer not in self._images:
                    self._images[layer] = image_of_layer(layer)
                self._image = self._images[layer]
            except MouseSegError as error:
                self._layer_problem = str(error)
        self._show_channels()
        self._suggest_model()
        self._on_plan()
        self.session.set_image(self._image)
        if self._layer_problem:
            self._panel.set_check(self._layer_problem, (), "image")
        self.update_view()

    def _show_channels(self) -> None:
        image = self._image
        if image is None:
            self._panel.set_channels(())
            return
        names = image.channel_names or [f"Channel {index}" for index in range(image.n_channels)]
        self._panel.set_channels(names)

    def _on_removed(self, layer: Layer) -> None:
        self._forget_image(layer)
        self._labels.forget(layer)

    def _layer_of(self, image: MultiscaleImage) -> Image | None:
        return next((layer for layer, known in self._images.items() if known is image), None)

    def _forget_image(self, layer: Layer) -> None:
        image = self._images.pop(layer, None)
        if image is not None:
            self.session.forget_image(image)

    def _suggest_model(self) -> None:
        """Choose a model that fits the image, as long as nobody has chosen one."""
        if self._image is None or self._model_is_wanted:
            return
        models = self._shelf.models
        position = fitting(models, self._image, self._shelf.position)
        if 0 <= position < len(models) and models[position] is not self._model:
            self._panel.set_models([choice_of(model) for model in models], position)
            self._on_model(position)

    def _on_model_by_hand(self, position: int) -> None:
        self._model_is_wanted = True
        self._on_model(position)

    def _on_model(self, position: int) -> None:
        models = self._shelf.models
        self._model = models[position] if 0 <= position < len(models) else None
        self.session.set_model(self._model)
        self._on_plan()

    def _on_model_wanted(self, position: int) -> None:
        """Choose a model that another panel has made or chosen."""
        self._model_is_wanted = True
        self._panel.set_models([choice_of(model) for model in self._shelf.models], position)
        self._on_model(position)

    def _list_models(self) -> None:
        """List the shelf; the chosen model stays chosen, with the thresholds that the user has set for it."""
        models = self._shelf.models
        same = [place for place, model in enumerate(models) if self._model and model.path == self._model.path]
        position = same[0] if same else self._shelf.position
        keep = self._panel.value().instances if same else None
        self._panel.set_models([choice_of(model) for model in models], position)
        if keep is not None:
            self._panel.set_value(self._panel.value().replace(instances=keep))
        if self._model is not None and self._model not in models:
            self._on_model(position)

    def _on_plan(self, _plan: SegmentPlan | None = None) -> None:
        plan = self._panel.value()
        if self._image is not None and self._planes:
            chosen = dict(zip(self._image.axes, self._planes, strict=False))
            plan = plan.replace(plane_t=chosen.get("T", 0), plane_z=chosen.get("Z", 0))
        self.session.set_plan(plan)

    def _on_viewer_moved(self, _event: Any = None) -> None:  # Any: napari's event
        self._follow.start()

    def _follow_planes(self, planes: tuple[int, ...]) -> None:
        """Let the plan follow the sliders; the channel too, where it is one of them."""
        self._planes = planes
        axes = self._image.axes if self._image is not None else ""
        if "C" in axes:
            self._panel.choose_channel(planes[axes.index("C")])
        self._on_plan()

    def _on_view(self) -> None:
        layer = self._layers.current
        if layer is None:
            return
        self.update_view()
        view = look(self._viewer, layer)
        if view.box is not None:
            self.session.segment(view.box)

    def _on_full(self) -> None:
        self.update_view()
        self.session.segment(None)

    def _size_signals(self) -> list[tuple[Any, Callable[..., None]]]:  # Any: psygnal's instances
        panel, tool = self._panel, self._size
        return [
            (tool.found, panel.set_diameter),
            (tool.failed, panel.show_failure),
            (tool.measuring, panel.size_buttons.set_measuring),
            (tool.drawing, panel.size_buttons.set_drawing),
        ]

    def _on_measure(self) -> None:
        job = self.session.job()
        if job is None:
            self._panel.show_failure("There is nothing to measure; choose an image and a model that fit together.")
        else:
            self._size.measure(job)

    def _on_draw(self, wanted: bool) -> None:
        self._size.draw(wanted, self._layers.current)

    def _on_checked(self, check: Check) -> None:
        if self._layer_problem:
            self._panel.set_check(self._layer_problem, check.warnings, "image")
        else:
            self._panel.set_check(check.problem, check.warnings, check.field)

    def _on_state(self, state: RunState) -> None:
        if state is RunState.RUNNING:
            keep_triton_out()
            self._panel.begin_run()
            self._activity.begin("Mouse Seg")
            self._progress_shown_at = time.monotonic()
        elif state is RunState.CANCELLING:
            self._panel.begin_cancel()
        else:
            self._panel.end_run()
            self._activity.end()
            self._follow.start()

    def _on_progress(self, progress: Progress) -> None:
        """Show two steps a second: each one draws the whole window anew, slow where OpenGL runs in software."""
        now = time.monotonic()
        if now - self._progress_shown_at < _PROGRESS_INTERVAL_S:
            return
        self._progress_shown_at = now
        self._panel.show_progress(progress.text, progress.fraction, progress.left_s)
        self._activity.show(progress.fraction)

    def _on_finished(self, summary: Summary) -> None:
        self._panel.show_result(summary.found, summary.whole_image, summary.seconds, summary.warnings)
        self._panel.set_device(summary.device)
        if summary.whole_image:
            show_info(f"Segmented the full image: {summary.found} in {summary.seconds:.1f} s.")

    def _on_failed(self, reason: str) -> None:
        self._panel.show_failure(reason)
        show_error(reason)

    def _on_cancelled(self) -> None:
        self._panel.show_message("Cancelled. The labels are as they were; finished tiles are kept for the next run.")
        show_warning("The segmentation was cancelled.")

    def _on_warm(self, event: Event) -> None:
        if isinstance(event, DeviceFound):
            self._panel.set_device(event.label)

    def _on_warm_end(self, error: Exception | None) -> None:
        if error is not None:
            self._panel.set_device("unknown")
            self._panel.show_failure(str(error))
