"""What to look for, how large it is, and where the network runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class
from qtpy.QtWidgets import QFormLayout, QGroupBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_mouse_seg.plans import SegmentPlan
from napari_mouse_seg.widgets import _dialogs
from napari_mouse_seg.widgets._name_box import NameBox
from napari_mouse_seg.widgets._notes import NoteLabel
from napari_mouse_seg.widgets._plan_editor import PlanEditor
from napari_mouse_seg.widgets._size_buttons import SizeButtons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_mouse_seg.plans import ClassPlan, InstancesPlan

FIT = ("scale", "object_diameter_px", "polarity")
"""Fields of the plan that fit an image to a model."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model as the panel shows it; ``classes`` are those of its areas, none if it finds objects."""

    name: str
    card_line: str
    details: str
    instances: InstancesPlan
    classes: tuple[ClassPlan, ...] = ()


class ModelBox(QGroupBox):
    """A list of models, told apart by position, with the card of the one that is chosen.

    Parameters
    ----------
    parent
        As for every widget.

    Attributes
    ----------
    fit_editor
        Edits the fields ``FIT`` of a plan.
    size_buttons
        Ways to find the object diameter.
    makes_areas
        Whether the chosen model makes areas, to which the size of objects means nothing.
    """

    chosen = Signal(int)  # Position; -1 for none.
    fileChosen = Signal(object)  # The Path of a model that is not in the list.

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Model", parent)
        self._models: tuple[ModelChoice, ...] = ()
        self.makes_areas = False
        self._box = NameBox("What to look for.")
        self._file = QPushButton("Open…")
        self._file.setToolTip("Add a model from a file, such as a round of another project (rounds/*.safetensors).")
        self._card_line, self._error, self._warning = NoteLabel("hint"), NoteLabel("error"), NoteLabel("warning")
        self._device = QLabel("auto")
        self._device.setToolTip("Where the network runs; choose another under Advanced.")
        self.fit_editor = PlanEditor(SegmentPlan(), FIT)
        self.size_buttons = SizeButtons()
        device_row = QWidget()
        form = QFormLayout(device_row)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Runs on", self._device)
        models = QHBoxLayout()
        models.addWidget(self._box, 1)
        models.addWidget(self._file)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(4)
        notes = (self._error, self._warning)
        column.addLayout(models)
        for widget in (self._card_line, self.fit_editor, self.size_buttons, device_row, *notes):
            column.addWidget(widget)
        self._box.currentIndexChanged.connect(self.chosen)
        self._file.clicked.connect(self._on_open)

    @property
    def position(self) -> int:
        """Of the chosen model; -1 if there is none."""
        return int(self._box.currentIndex())

    def name(self) -> str:
        """Return the chosen model's name; empty if there is none."""
        return str(self._box.currentText())

    def set_models(self, models: Sequence[ModelChoice], current: int) -> None:
        """List the models; emits nothing."""
        self._models = tuple(models)
        self._box.fill([model.name for model in models], current)

    def show_card(self, position: int) -> ModelChoice | None:
        """Show what a model says of itself, and return it; None if there is none."""
        if not 0 <= position < len(self._models):
            self._card_line.say("No model is installed." if not self._models else "")
            return None
        model = self._models[position]
        self._card_line.say(model.card_line)
        self._box.setToolTip(model.details)
        self._show_size_fields(not model.classes)
        return model

    def fit(self) -> dict[str, Any]:  # Any: values of fields
        """Return the values of the fields ``FIT``; those that mean nothing to the chosen model have no effect."""
        values = {name: getattr(self.fit_editor.value(), name) for name in FIT}
        if self.makes_areas:
            values["object_diameter_px"] = None
        return values

    def _on_open(self) -> None:
        file = _dialogs.ask_file(self, "Open a model", "Models", ".safetensors")
        if file is not None:
            self.fileChosen.emit(file)

    def _show_size_fields(self, visible: bool) -> None:
        """Ask how large objects are, which says nothing of areas."""
        self.makes_areas = not visible
        self.size_buttons.setVisible(visible)
        self.fit_editor.set_field_visible("object_diameter_px", visible)
        if not visible:
            self.size_buttons.stop_drawing()

    def complain(self, problem: str) -> None:
        """Show why the model cannot run; empty if it can."""
        self._error.say(problem)

    def warn(self, warnings: Sequence[str]) -> None:
        """Show what does not fit."""
        self._warning.say(tuple(warnings))

    def warning_text(self) -> str:
        """Return the warnings as shown; empty if there is none."""
        return str(self._warning.text())

    def set_device(self, text: str) -> None:
        """Show where the network runs."""
        self._device.setText(text)

    def device_text(self) -> str:
        """Return where the network runs, as shown."""
        return str(self._device.text())
