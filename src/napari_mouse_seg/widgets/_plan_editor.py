"""A form over one plan, generated from it: titles, tooltips, bounds and checks stand in the plan alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import ValidationError
from qtpy.QtCore import Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class
from qtpy.QtWidgets import QCheckBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from napari_mouse_seg.plans import Plan
from napari_mouse_seg.widgets._fields import Input, make_input
from napari_mouse_seg.widgets._notes import NoteLabel

if TYPE_CHECKING:
    from collections.abc import Sequence

PlanT = TypeVar("PlanT", bound=Plan)


class PlanEditor(QWidget, Generic[PlanT]):
    """Edit some or all fields of a plan.

    Parameters
    ----------
    plan
        First value; fields that are not shown keep its values.
    fields
        Names of the fields to show, in this order; all if None.
    parent
        As for every widget.
    """

    valueChanged = Signal(object)  # The new plan; not emitted while a field is invalid.
    problemChanged = Signal(str)  # What is wrong, or "".

    def __init__(self, plan: PlanT, fields: Sequence[str] | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plan = plan
        self._problem = ""
        self._updating = True
        self._inputs: dict[str, Input] = {}
        self._shown: dict[str, Any] = {}  # Any: values of fields
        self._notes: dict[str, NoteLabel] = {}
        self._titles: dict[str, QLabel] = {}
        self._holders: dict[str, QWidget] = {}
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name in fields if fields is not None else type(plan).model_fields:
            self._add_field(name)
        self._updating = False
        self.set_value(plan)

    def value(self) -> PlanT:
        """Return the plan as it was last valid."""
        return self._plan

    def set_value(self, plan: PlanT) -> None:
        """Show a plan; emits ``valueChanged`` once if it differs."""
        self._updating = True
        self._plan, before = plan, self._plan
        for name, made in self._inputs.items():
            made.set(getattr(plan, name))
            self._shown[name] = made.get()
        self._updating = False
        self._say(None, "")
        if plan != before:
            self.valueChanged.emit(plan)

    def problem(self) -> str:
        """Return what is wrong with the input, in words; empty if nothing is."""
        return self._problem

    def complain(self, field: str, message: str) -> bool:
        """Put what others found wrong at a field; every field is cleared first.

        Returns
        -------
        bool
            Whether the field is shown here.
        """
        for name, note in self._notes.items():
            note.say(message if name == field else "")
        return field in self._notes

    def set_field_visible(self, name: str, visible: bool) -> None:
        """Show a field or hide it, for when it means nothing; its value stays."""
        for widget in (self._titles.get(name), self._holders[name]):
            if widget is not None:
                widget.setVisible(visible)

    def label_width(self) -> int:
        """Return the width that the field titles want, for aligning several editors."""
        return max((label.sizeHint().width() for label in self._titles.values()), default=0)

    def set_label_width(self, width: int) -> None:
        """Give all field titles one width."""
        for label in self._titles.values():
            label.setMinimumWidth(width)

    def input_widget(self, name: str) -> QWidget:
        """Return a field's input widget."""
        return self._inputs[name].widget

    def _add_field(self, name: str) -> None:
        info = type(self._plan).model_fields[name]
        made = make_input(info, self._on_input)
        note = NoteLabel("error")
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addWidget(made.widget)
        column.addWidget(note)
        self._inputs[name], self._notes[name], self._holders[name] = made, note, holder
        if isinstance(made.widget, QCheckBox):
            made.widget.setText(info.title or name)
            self._form.addRow(holder)
            return
        label = QLabel(info.title or name)
        label.setToolTip(info.description or "")
        self._form.addRow(label, holder)
        self._titles[name] = label

    def _on_input(self) -> None:
        if self._updating:
            return
        values = {name: getattr(self._plan, name) for name in type(self._plan).model_fields}
        # A widget may show less digits than the plan holds; only what was changed is read back.
        values |= {name: made.get() for name, made in self._inputs.items() if made.get() != self._shown[name]}
        try:
            plan = type(self._plan).model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0]) if first["loc"] else ""
            self._say(name, f"{first['msg'].removeprefix('Value error, ')} (now {first.get('input')!r}).")
            return
        self._say(None, "")
        if plan != self._plan:
            self._plan = plan
            self._shown = {name: made.get() for name, made in self._inputs.items()}
            self.valueChanged.emit(plan)

    def _say(self, name: str | None, message: str) -> None:
        """Put a message at a field and take away all others."""
        for field, note in self._notes.items():
            note.say(message if field == name else "")
        title = type(self._plan).model_fields[name].title if name in self._notes and name else ""
        problem = f"{title}: {message}" if title else message
        if problem != self._problem:
            self._problem = problem
            self.problemChanged.emit(problem)
