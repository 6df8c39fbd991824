"""The panel *Segment*: shows choices, state and results, and says what the user wants; it does nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_mouse_seg.plans import SegmentPlan
from napari_mouse_seg.widgets._class_legend import ClassLegend
from napari_mouse_seg.widgets._image_box import ImageBox
from napari_mouse_seg.widgets._layout import collapsible, group, scrolled
from napari_mouse_seg.widgets._model_box import ModelBox, ModelChoice
from napari_mouse_seg.widgets._plan_editor import PlanEditor
from napari_mouse_seg.widgets._run_bar import RunStatus
from napari_mouse_seg.widgets._save_bar import SaveBar
from napari_mouse_seg.widgets._start_buttons import StartButtons
from napari_mouse_seg.widgets._threshold_editors import ThresholdEditors
from napari_mouse_seg.widgets._truth_box import TruthBox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superqt import QCollapsible

    from napari_mouse_seg.plans import ClassPlan

__all__ = ["ModelChoice", "SegmentPanel"]

_RUNNING = ("flips", "device", "core_px", "halo_px", "batch_size")


class SegmentPanel(QWidget):
    """Choices for a segmentation, the two buttons that start it, its progress and its result.

    Layers and models are shown by name and told apart by position, so that names may repeat.

    Parameters
    ----------
    parent
        As for every widget.

    Attributes
    ----------
    thresholds, fine_thresholds
        Editors of the instance step's plan; the second is under Advanced.
    fit_editor, running_editor
        Editors of parts of the plan; the second is under Advanced.
    size_buttons
        Ways to find the object diameter.
    truth_box
        Compares the result with other labels.
    save_bar
        Saves the result.
    """

    imageChosen = Signal(int)  # Position in the list of images; -1 for none.
    modelChosen = Signal(int)  # Position in the list of models; -1 for none.
    modelFileChosen = Signal(object)  # The Path of a model that is not in the list.
    planChanged = Signal(object)  # A SegmentPlan; its plane is 0, which the viewer's sliders decide.
    thresholdsSettled = Signal()  # No threshold has moved for a moment.
    viewRequested = Signal()
    fullRequested = Signal()
    cancelRequested = Signal()
    measureRequested = Signal()
    drawDiameterRequested = Signal(bool)  # Whether the user wants to draw.

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._problem = self._view_reason = self._full_reason = ""
        self._running = self._saving = False
        self._make_inputs()
        self._arrange()
        self._connect()
        self._update_buttons()

    def value(self) -> SegmentPlan:
        """Return the plan as chosen."""
        return self.running_editor.value().replace(
            channel=self._images.channel, instances=self._instances.value(), **self._models.fit()
        )

    def set_value(self, plan: SegmentPlan) -> None:
        """Show a plan; thresholds of None leave those of the model."""
        self._images.choose_channel(plan.channel)
        self.fit_editor.set_value(plan)
        self.running_editor.set_value(plan)
        if plan.instances is not None:
            self._instances.set_value(plan.instances)

    def image_names(self) -> list[str]:
        """Return the listed images."""
        return self._images.names()

    def model_name(self) -> str:
        """Return the chosen model's name; empty if there is none."""
        return self._models.name()

    def warning_text(self) -> str:
        """Return the warnings shown at the model; empty if there is none."""
        return self._models.warning_text()

    def result_text(self) -> str:
        """Return the result line; empty if there is none."""
        return self._status.result_text()

    def failure_text(self) -> str:
        """Return why the last run failed; empty if it did not."""
        return self._status.failure_text()

    def set_images(self, names: Sequence[str], current: int) -> None:
        """List the image layers; emits nothing."""
        self._images.set_images(names, current)
        self._update_buttons()

    def set_channels(self, names: Sequence[str], current: int = 0) -> None:
        """List the channels of the image; the field is hidden if there is only one. Emits nothing."""
        self._images.set_channels(names, current)

    def choose_channel(self, index: int) -> None:
        """Choose a channel, as if the user had."""
        self._images.choose_channel(index)

    def set_models(self, models: Sequence[ModelChoice], current: int = 0, *, keep_thresholds: bool = False) -> None:
        """List the models and choose one; emits ``planChanged`` at the most, where that changes thresholds.

        Parameters
        ----------
        models
            To choose from.
        current
            Position of the one that is chosen.
        keep_thresholds
            Whether they stay as they are; otherwise they become the model's own.
        """
        self._models.set_models(models, current)
        self._show_model(current if models else -1, keep_thresholds=keep_thresholds)
        self._update_buttons()

    def set_diameter(self, diameter_px: float | None) -> None:
        """Choose the diameter of objects, as if the user had; a model of areas, chosen meanwhile, asks for none."""
        if self._models.makes_areas:
            return
        plan = self.fit_editor.value().replace(object_diameter_px=diameter_px)
        self.fit_editor.set_value(plan if diameter_px is None else plan.replace(scale=None))

    def set_check(self, problem: str, warnings: Sequence[str], field: str = "") -> None:
        """Show why the choices cannot run, at the field that must change, or what does not fit.

        Parameters
        ----------
        problem
            In words; empty if there is none.
        warnings
            Shown at the model.
        field
            Of the plan, or ``"image"``; what belongs to no field is shown at the model.
        """
        self._problem = problem
        at_image = field in ("image", "channel", "plane_t", "plane_z")
        shown = [editor.complain(field, problem) for editor in (self.fit_editor, self.running_editor)]
        if shown[1] and problem:
            self._advanced.expand(animate=False)
        self._images.complain(problem if at_image else "")
        self._models.complain("" if at_image or any(shown) else problem)
        self._models.warn(warnings)
        self._update_buttons()

    def set_reasons(self, view: str, full: str) -> None:
        """Say why a button is off; empty if it is on."""
        self._view_reason, self._full_reason = view, full
        self._update_buttons()

    def set_device(self, text: str) -> None:
        """Show where the network runs."""
        self._models.set_device(text)

    def device_text(self) -> str:
        """Return where the network runs, as shown."""
        return self._models.device_text()

    def begin_run(self) -> None:
        """Show that a run has started."""
        self._running = True
        self._status.begin()
        self._update_buttons()

    def show_progress(self, text: str, fraction: float, left_s: float | None) -> None:
        """Show how far the run is."""
        self._status.show_progress(text, fraction, left_s)

    def begin_cancel(self) -> None:
        """Show that the run is being cancelled."""
        self._status.begin_cancel()

    def end_run(self) -> None:
        """Show that no run is at work."""
        self._running = False
        self._status.end()
        self._update_buttons()

    def set_saving(self, saving: bool) -> None:
        """Say whether the result is being saved; a run would change it meanwhile."""
        self._saving = saving
        self._update_buttons()

    def show_result(
        self, found: str, whole_image: bool, seconds: float, warnings: Sequence[str], remark: str = ""
    ) -> None:
        """Show what a run found."""
        self._status.show_result(found, whole_image, seconds, remark)
        self._models.warn(warnings)

    def show_message(self, text: str) -> None:
        """Show a remark in place of a result."""
        self._status.show_message(text)

    def show_failure(self, text: str) -> None:
        """Show why a run failed."""
        self._status.show_failure(text)

    def _make_inputs(self) -> None:
        self._images, self._models = ImageBox(), ModelBox()
        self.fit_editor, self.size_buttons = self._models.fit_editor, self._models.size_buttons
        self._instances = ThresholdEditors(self)
        self.thresholds, self.fine_thresholds = self._instances.often, self._instances.fine
        self.running_editor = PlanEditor(SegmentPlan(), _RUNNING)
        self._legend = ClassLegend()
        self.truth_box = TruthBox()
        self._start, self._status, self.save_bar = StartButtons(), RunStatus(), SaveBar()

    def _arrange(self) -> None:
        """Put the choices in a scroll area and what happens below it, so that the buttons are always in sight."""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(scrolled(self._make_choices()), 1)
        footer = QVBoxLayout()
        footer.setContentsMargins(8, 6, 8, 8)
        footer.setSpacing(6)
        footer.addWidget(self._start)
        footer.addWidget(self._status)
        footer.addWidget(self.save_bar)
        column.addLayout(footer)

    def _make_choices(self) -> QWidget:
        choices = QWidget()
        column = QVBoxLayout(choices)
        column.setContentsMargins(8, 8, 8, 2)
        column.setSpacing(8)
        self._objects, self._areas = group("Objects", self.thresholds), group("Areas", self._legend)
        self._areas.setVisible(False)
        self._advanced = self._make_advanced()
        for box in (self._images, self._models, self._objects, self._areas, self.truth_box, self._advanced):
            column.addWidget(box)
        column.addStretch(1)
        return choices

    def _make_advanced(self) -> QCollapsible:
        tip = "Finer thresholds, and how the network runs."
        advanced = collapsible("Advanced", tip, self.fine_thresholds, self.running_editor)
        width = max(editor.label_width() for editor in (self.fine_thresholds, self.running_editor))
        for editor in (self.fine_thresholds, self.running_editor):
            editor.set_label_width(width)
        return advanced

    def _connect(self) -> None:
        self._images.imageChosen.connect(self.imageChosen)
        self._images.channelChosen.connect(self._on_plan)
        self._models.chosen.connect(self._on_model)
        self._models.fileChosen.connect(self.modelFileChosen)
        for editor in (self.fit_editor, self.running_editor, self._instances):
            editor.valueChanged.connect(self._on_plan)
        for editor in self._editors():
            editor.problemChanged.connect(self._update_buttons)
        self._instances.settled.connect(self.thresholdsSettled)
        self._start.viewRequested.connect(self._on_view)
        self._start.fullRequested.connect(self._on_full)
        self._status.cancelRequested.connect(self.cancelRequested)
        self.size_buttons.measureRequested.connect(self.measureRequested)
        self.size_buttons.drawRequested.connect(self.drawDiameterRequested)

    def _on_model(self, index: int) -> None:
        self._show_model(index)
        self.modelChosen.emit(index)

    def _show_model(self, index: int, *, keep_thresholds: bool = False) -> None:
        """Show a model's card and start from its thresholds."""
        model = self._models.show_card(index)
        if model is not None:
            if not keep_thresholds:
                self._instances.set_value(model.instances)
            self._show_kind(model.classes)

    def _show_kind(self, classes: Sequence[ClassPlan]) -> None:
        """Show thresholds for objects, or what the colours of areas mean."""
        self._legend.set_classes(classes)
        self._areas.setVisible(bool(classes))
        for widget in (self._objects, self.fine_thresholds):
            widget.setVisible(not classes)

    def _on_plan(self) -> None:
        self.planChanged.emit(self.value())

    def _on_view(self) -> None:
        self._instances.hush()
        self.viewRequested.emit()

    def _on_full(self) -> None:
        self._instances.hush()
        self.fullRequested.emit()

    def _update_buttons(self) -> None:
        common = self._common_reason()
        self._start.set_reasons(common or self._view_reason, common or self._full_reason, shown=not self._running)

    def _common_reason(self) -> str:
        if self._running:
            return "A run is at work; wait for it or cancel it."
        if self._saving:
            return "The result is being saved; wait for it or cancel it."
        if self._images.position < 0:
            return "There is no image to segment."
        if self._models.position < 0:
            return "There is no model to run."
        return next((editor.problem() for editor in self._editors() if editor.problem()), self._problem)

    def _editors(self) -> tuple[PlanEditor[Any], ...]:  # Any: plans of several kinds
        return self.fit_editor, self.thresholds, self.fine_thresholds, self.running_editor
