"""Ties a viewer, a panel and a session together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.plugin._garbage import garbage_calendar
from napari_mouse_seg.plugin._label_layers import LabelLayers
from napari_mouse_seg.plugin._layer_list import ImageLayerList
from napari_mouse_seg.plugin._layers import AID, image_of_layer
from napari_mouse_seg.plugin._runner import ThreadRunner
from napari_mouse_seg.plugin._save_tool import SaveTool
from napari_mouse_seg.plugin._segment_models import SegmentModels
from napari_mouse_seg.plugin._segment_progress import SegmentProgress
from napari_mouse_seg.plugin._size_tool import SizeTool
from napari_mouse_seg.plugin._stain_look import StainLook
from napari_mouse_seg.plugin._truth_tool import TruthTool
from napari_mouse_seg.plugin._viewport import look, show_planes, view_events
from napari_mouse_seg.plugin._warm_up import DeviceFound, keep_triton_out, warm_up
from napari_mouse_seg.session import Check, RunState, SegmentSession
from napari_mouse_seg.widgets import delay

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Image, Layer

    from napari_mouse_seg.events import Event
    from napari_mouse_seg.images import MultiscaleImage
    from napari_mouse_seg.plans import SegmentPlan
    from napari_mouse_seg.plugin._model_shelf import ModelShelf
    from napari_mouse_seg.session import Engine
    from napari_mouse_seg.widgets import SegmentPanel

_FOLLOW_MS = 60


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
        self._closed = False
        self._image: MultiscaleImage | None = None
        self._layer_problem = ""
        self._planes: tuple[int, ...] = ()
        self._images: dict[Image, MultiscaleImage] = {}
        self._runner = ThreadRunner()
        self.session = SegmentSession(self._runner, engine)
        self._layers = ImageLayerList(viewer, lambda: not self._is_at_work)
        self._look = StainLook(self._runner)
        self._models = SegmentModels(panel, shelf, self.session, self._look, self._runner)
        self._progress = SegmentProgress(panel, self.session)
        self._size = SizeTool(viewer, self._runner, self.session.job)
        self._labels = LabelLayers(viewer, self.session, self._layer_of)
        self._truth = TruthTool(viewer, panel, self.session, self._runner, self._layer_of)
        self._saving = SaveTool(panel, self.session, self._runner, self._layer_of, self._labels.layer_of)
        self._follow = delay(self, _FOLLOW_MS, self.update_view)
        self._connect()
        self._models.start()
        self._layers.start()

    @property
    def is_closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed

    @property
    def _is_at_work(self) -> bool:
        """Whether something is under way that another image would end."""
        return self.session.state is not RunState.IDLE or self._size.is_at_work or self._truth.is_searching

    def warm_up(self) -> None:
        """Load torch beside the main thread and show the device."""
        if not self._closed:
            model = self._shelf.models[0] if self._shelf.models else None
            self._runner.start(warm_up(self._panel.value().device, model), self._on_warm, self._on_warm_end)

    def update_view(self) -> None:
        """Take over the viewer's plane, and say why a button is off."""
        if self._closed:
            return
        layer = self._layers.current
        if layer is None or self._image is None:
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
        for signal, slot in self._to_panel():
            signal.disconnect(slot)
        self._size.close()
        self._truth.close()
        self._saving.close()
        self._models.close()
        self._layers.close()
        for event in view_events(self._viewer):
            event.disconnect(self._on_viewer_moved)
        self.session.close()
        self._runner.shutdown()
        self._progress.close()
        self._image = None
        self._images.clear()
        self._labels.close()
        self._follow.stop()  # Last, because a run that ends starts it.

    def _connect(self) -> None:
        self._layers.listed.connect(self._on_listed)
        self._layers.chosen.connect(self._on_layer)
        self._layers.removed.connect(self._on_removed)
        self._layers.altered.connect(self._forget_image)
        for event in view_events(self._viewer):
            event.connect(self._on_viewer_moved)
        self._models.chosen.connect(self._on_plan)
        self._look.changed.connect(self._on_seen)
        panel, session = self._panel, self.session
        panel.imageChosen.connect(self._layers.choose)
        panel.planChanged.connect(self._on_plan)
        panel.thresholdsSettled.connect(session.apply_thresholds)
        panel.viewRequested.connect(self._on_view)
        panel.fullRequested.connect(self._on_full)
        panel.cancelRequested.connect(session.cancel)
        panel.measureRequested.connect(self._on_measure)
        panel.drawDiameterRequested.connect(self._on_draw)
        for signal, slot in self._to_panel():
            signal.connect(slot)
        session.checked.connect(self._on_checked)
        session.state_changed.connect(self._on_state)

    def _on_listed(self) -> None:
        self._panel.set_images(self._layers.names, self._layers.position)
        self._follow.start()

    def _on_layer(self, layer: Image | None) -> None:
        """Make the chosen layer the session's image."""
        self._image, self._planes, self._layer_problem = None, (), ""
        self._size.draw(False, layer)  # A line that was begun measures another image.
        self._panel.show_message("")  # What was found was found in another one.
        self._panel.show_failure("")
        if layer is not None:
            try:
                # The same image each time, so that its scores and labels are found again.
                if layer not in self._images:
                    self._images[layer] = image_of_layer(layer)
                self._image = self._images[layer]
            except MouseSegError as error:
                self._layer_problem = str(error)
        self._follow_size(layer)
        self._show_channels()
        self._models.suggest(self._image)
        self._on_plan()
        self.session.set_image(self._image)
        if self._layer_problem:
            self._panel.set_check(self._layer_problem, (), "image")
        self.update_view()

    def _on_seen(self, image: MultiscaleImage) -> None:
        """Suggest another model, unless labels are being made with the present one."""
        if image is self._image and self.session.state is RunState.IDLE:
            self._models.suggest(image)

    def _follow_size(self, layer: Image | None) -> None:
        shown = self._panel.value().object_diameter_px
        wanted = self._size.follow(layer, shown)
        if wanted != shown:
            self._panel.set_diameter(wanted)
            if wanted is None:
                self._panel.show_message(
                    f"{shown:g} px was measured in another image. Measure this one too, if need be."
                )

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

    def _on_plan(self, _plan: SegmentPlan | None = None) -> None:
        plan = self._panel.value()
        if self._image is not None and self._planes:
            chosen = dict(zip(self._image.axes, self._planes, strict=False))
            if chosen.get("C", plan.channel) != plan.channel:
                self._show_channel(self._image.axes.index("C"), plan.channel)
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

    def _show_channel(self, axis: int, channel: int) -> None:
        """Let the slider follow the panel where channels are an axis: labels are seen on their own channel only."""
        self._planes = (*self._planes[:axis], channel, *self._planes[axis + 1 :])
        if self._layers.current is not None:
            show_planes(self._viewer, self._layers.current, self._planes)

    def _on_view(self) -> None:
        layer = self._layers.current
        if layer is None:
            return
        self.update_view()
        view = look(self._viewer, layer)
        if view.box is not None:
            self._leave_paint()
            self.session.segment(view.box)

    def _on_full(self) -> None:
        self.update_view()
        self._leave_paint()
        self.session.segment(None)

    def _leave_paint(self) -> None:
        """Let go of a patch's brush: the result will lie over the paint, and the next stroke would go beneath it."""
        selection = self._viewer.layers.selection
        if self._layers.current is not None and selection.active is not None and AID in selection.active.metadata:
            selection.active = self._layers.current

    def _to_panel(self) -> list[tuple[Any, Callable[..., None]]]:  # Any: psygnal's instances
        """Return what the panel shows, and where it comes from; the panel is gone before this object is."""
        panel, tool = self._panel, self._size
        return [
            *self._progress.links(),
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
        elif state is RunState.IDLE:
            self._follow.start()

    def _on_warm(self, event: Event) -> None:
        if isinstance(event, DeviceFound):
            self._panel.set_device(event.label)

    def _on_warm_end(self, error: Exception | None) -> None:
        garbage_calendar().settle()
        if error is not None:
            self._panel.set_device("unknown")
            self._panel.show_failure(str(error))
