"""The part of the panel *Segment* that compares its result with labels of the viewer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.plugin._layers import plane_indices, shows
from napari_mouse_seg.plugin._truth_layers import Grid, LabelsLayerList, place_labels
from napari_mouse_seg.plugin._viewport import look
from napari_mouse_seg.session import Comparison, Question, RunState, Tuning
from napari_mouse_seg.widgets import delay

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Image, Labels

    from napari_mouse_seg.images import MultiscaleImage
    from napari_mouse_seg.pipeline import PlacedLabels, Tried, Tuned
    from napari_mouse_seg.plans import InstancesPlan, SegmentPlan
    from napari_mouse_seg.session import Runner, SegmentSession, Workspace
    from napari_mouse_seg.widgets import SegmentPanel

_WAIT_MS = 150
_SHOW_S = 0.2
_SEGMENT_FIRST = "Segment the image or a region of it; how well it agrees is shown here then."


class TruthTool(QObject):
    """Compares what the session has found with a labels layer, after every change, until ``close``.

    Parameters
    ----------
    viewer
        Whose labels are offered.
    panel
        Shows and asks; its thresholds are set to what a search finds.
    session
        Has the scores and the labels.
    runner
        Compares beside the main thread.
    layer_of
        Returns the layer of an image; None if it is gone.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        panel: SegmentPanel,
        session: SegmentSession,
        runner: Runner,
        layer_of: Callable[[MultiscaleImage], Image | None],
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._panel = panel
        self._box = panel.truth_box
        self._session = session
        self._layer_of = layer_of
        self._layers = LabelsLayerList(viewer)
        self._tuning = Tuning(runner)
        self._revision = 0
        self._placed: tuple[tuple[object, ...], PlacedLabels] | None = None
        self._searched: tuple[Workspace, InstancesPlan] | None = None
        self._before: InstancesPlan | None = None
        self._shown_at = 0.0
        self._timer = delay(self, _WAIT_MS, self._compare)
        for signal, slot in self._signals():
            signal.connect(slot)
        self._layers.start()

    @property
    def is_searching(self) -> bool:
        """Whether the best thresholds are searched for."""
        return self._searched is not None

    def close(self) -> None:
        """Let go of everything."""
        self._timer.stop()
        for signal, slot in self._signals():
            signal.disconnect(slot)
        self._tuning.forget()
        self._layers.close()
        self._placed = self._searched = None

    def _signals(self) -> list[tuple[Any, Callable[..., None]]]:  # Any: signals of Qt and of psygnal
        box, tuning, session = self._box, self._tuning, self._session
        return [
            (self._layers.listed, self._on_listed),
            (self._layers.altered, self._on_altered),
            (box.labelsChosen, self._layers.choose),
            (box.paint_editor.valueChanged, self._on_paint_read),
            (box.bestRequested, self._on_best),
            (box.cancelRequested, tuning.cancel_search),
            (box.undoRequested, self._on_undo),
            (self._panel.planChanged, self._on_plan),
            (session.checked, self._on_checked),
            (session.canvas_changed, self._on_canvas),
            (session.workspace_closed, self._on_canvas),
            (session.state_changed, self._on_state),
            (tuning.compared, self._on_compared),
            (tuning.not_compared, self._on_not_compared),
            (tuning.tried, self._on_tried),
            (tuning.found, self._on_found),
            (tuning.search_failed, box.show_failure),
            (tuning.search_ended, self._on_search_end),
        ]

    def _on_listed(self) -> None:
        """Show the list; another choice makes all that was shown untrue."""
        self._box.set_layers(self._layers.names, self._layers.position)
        self._box.set_patch(self._layers.is_patch)
        key = (id(self._layers.current),) if self._layers.current is not None else ()
        if self._placed is None or self._placed[0][:1] != key:
            self._placed = None
            self._tuning.forget()
            self._box.forget_search()
            self._compare()

    def _on_altered(self, layer: Labels) -> None:
        if layer is self._layers.current:
            self._revision += 1
            self._timer.start()
        elif self._layers.current is not None and self._is_result(layer):
            self._timer.start()

    def _on_paint_read(self, _plan: object) -> None:
        self._timer.start()

    def _on_plan(self, plan: SegmentPlan) -> None:
        """Give a search up whose start is no longer what the user sees."""
        if self._searched is not None and plan.instances != self._searched[1]:
            self._tuning.cancel_search()

    def _on_checked(self, _check: object) -> None:
        if self._searched is not None and self._session.workspace_here() is not self._searched[0]:
            self._tuning.cancel_search()
        self._timer.start()

    def _on_canvas(self, _workspace: Workspace) -> None:
        self._timer.start()

    def _on_state(self, state: RunState) -> None:
        if state is RunState.IDLE:
            self._timer.start()

    def _is_result(self, layer: Labels) -> bool:
        """Whether a layer shows the labels that are compared themselves."""
        workspace = self._session.workspace_here()
        return workspace is not None and shows(layer, workspace.canvas)

    def _compare(self) -> None:
        """Ask how well it agrees now, or say why there is no telling."""
        self._timer.stop()
        question, reason = self._ask()
        if question is None:
            self._tuning.forget()
            chosen = self._layers.current is not None
            self._box.show_score("", "", reason if chosen else "")
            self._box.set_best_reason(reason)
        else:
            self._tuning.compare(question)

    def _ask(self) -> tuple[Question | None, str]:
        """Return what to compare, or else why nothing can be."""
        labels, workspace = self._layers.current, self._session.workspace_here()
        if labels is None:
            return None, "Choose labels to compare with."
        image = None if workspace is None else self._layer_of(workspace.job.image)
        if workspace is None or image is None or not workspace.regions:
            return None, _SEGMENT_FIRST
        if self._is_result(labels):
            return None, "This is the result itself; choose other labels."
        try:
            placed = self._place(labels, image, workspace)
        except MouseSegError as error:
            return None, str(error)
        return Question(workspace, placed, self._centre(image, workspace)), ""

    def _place(self, labels: Labels, image: Image, workspace: Workspace) -> PlacedLabels:
        """Return where the labels lie; the same object while nothing has changed, so that it is not sampled anew."""
        job = workspace.job
        paint = self._box.paint_editor.value() if self._layers.is_patch else None
        grid = Grid(image, job.pixel_scale, plane_indices(job.image, job.plan))
        placed = place_labels(labels, grid, self._viewer.dims.point, paint)
        key = (id(labels), self._revision, placed.matrix.tobytes(), tuple(one.index for one in placed.levels), paint)
        if self._placed is None or self._placed[0] != key:
            self._placed = key, placed
        return self._placed[1]

    def _centre(self, image: Image, workspace: Workspace) -> tuple[float, float] | None:
        """Return the network's pixel in the middle of the view; None if the image is not in it."""
        box = look(self._viewer, image).box
        if box is None:
            return None
        y, x = workspace.job.pixel_scale
        return (box.y0 + box.y1) / 2 / y, (box.x0 + box.x1) / 2 / x

    def _on_compared(self, comparison: Comparison) -> None:
        self._box.show_score(comparison.score, comparison.details, comparison.remarks)
        if comparison.objects is None:
            self._box.set_best_reason("Areas of classes have no thresholds to search.")
        elif comparison.objects.n_truth == 0:
            self._box.set_best_reason("There is no object to agree with; paint or choose some.")
        else:
            self._box.set_best_reason("")

    def _on_not_compared(self, reason: str) -> None:
        self._box.show_score("", "", reason)
        self._box.set_best_reason(reason)

    def _on_best(self) -> None:
        question, reason = self._ask()
        start = self._panel.value().instances
        if question is None or start is None:
            self._box.set_best_reason(reason)
            return
        self._searched = question.workspace, start
        self._box.begin_search()
        self._tuning.find_best(question, start)

    def _on_tried(self, event: Tried) -> None:
        now = time.monotonic()
        if now - self._shown_at >= _SHOW_S:
            self._shown_at = now
            self._box.show_search(f"Tried {event.done} of {event.total}; mean F1 {event.best:.2f} so far.")

    def _on_found(self, tuned: Tuned) -> None:
        """Take the best thresholds over, unless the user has moved on; the panel's change finds the objects anew."""
        from napari_mouse_seg.pipeline import mean_f1

        if self._searched is None or self._panel.value().instances != tuned.start:
            return
        self._searched = None
        before, after = mean_f1(tuned.before), mean_f1(tuned.after)
        if not tuned.is_better:
            self._box.show_found(
                f"Nothing better than these thresholds was found (mean F1 {before:.2f}).", can_undo=False
            )
            return
        self._before = tuned.start
        self._set_thresholds(tuned.plan)
        pair = f"{tuned.before.at('f1', 0.5):.2f} → {tuned.after.at('f1', 0.5):.2f}"
        self._box.show_found(f"F1 at IoU 0.5: {pair}\nMean F1: {before:.2f} → {after:.2f}", can_undo=True)

    def _on_search_end(self) -> None:
        if self._searched is not None:
            self._searched = None
            self._box.show_found("The search was stopped; the thresholds are as they were.", can_undo=False)
        self._box.end_search()

    def _on_undo(self) -> None:
        if self._before is not None:
            self._set_thresholds(self._before)
            self._box.forget_search()

    def _set_thresholds(self, plan: InstancesPlan) -> None:
        self._panel.set_value(self._panel.value().replace(instances=plan))
