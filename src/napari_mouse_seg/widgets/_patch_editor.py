"""Editor of one painted patch: its name, what it is used for, and what its paint means."""

from __future__ import annotations

from typing import Literal

from qtpy.QtCore import Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class
from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from napari_mouse_seg.plans import PaintPlan, PatchPlan
from napari_mouse_seg.widgets._notes import NoteLabel
from napari_mouse_seg.widgets._plan_editor import PlanEditor

_MEANING = {"objects": ("rest_is_background", "whole_objects", "ends_at_edges"), "areas": ("rest_is_background",)}
_NO_PATCH = PatchPlan(id="none", box=(0, 0, 1, 1))


class PatchEditor(QWidget):
    """Edit what the user may change of a patch; one sentence says what its paint means.

    Parameters
    ----------
    parent
        As for every widget.
    """

    valueChanged = Signal(object)  # A PatchPlan.

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind: Literal["objects", "areas"] = "objects"
        self._background = "background"
        self._plan = _NO_PATCH
        self._naming = PlanEditor(_NO_PATCH, ("name", "role"))
        self._meanings = {kind: PlanEditor(PaintPlan(), fields) for kind, fields in _MEANING.items()}
        self._sentence = NoteLabel("hint")
        self._naming.valueChanged.connect(self._on_input)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._naming)
        for editor in self._meanings.values():
            editor.valueChanged.connect(self._on_input)
            column.addWidget(editor)
        column.addWidget(self._sentence)
        self.set_kind("objects")

    def value(self) -> PatchPlan:
        """Return the patch as it was last valid."""
        return self._plan

    def set_value(self, plan: PatchPlan) -> None:
        """Show a patch; emits nothing, and leaves what is being typed alone if it is the same."""
        if plan != self._plan:
            self._plan = plan
            self.blockSignals(True)
            self._naming.set_value(plan)
            for editor in self._meanings.values():
                editor.set_value(plan.meaning)
            self.blockSignals(False)
        self._show_sentence()

    def set_kind(self, kind: Literal["objects", "areas"], background: str = "background") -> None:
        """Say whether objects or areas are painted, and what the rest may be; emits nothing."""
        self._kind, self._background = kind, background
        rest = self._meanings["areas"].input_widget("rest_is_background")
        if isinstance(rest, QCheckBox):
            rest.setText(f"The rest is {background}")
            rest.setToolTip(f"Whether what is not painted is {background}, not unknown.")
        for name, editor in self._meanings.items():
            editor.setVisible(name == kind)
        self._show_sentence()

    def sentence(self) -> str:
        """Return what the paint means, as it is shown."""
        return str(self._sentence.text())

    def _on_input(self) -> None:
        plan = self._naming.value().replace(meaning=self._meanings[self._kind].value())
        if plan != self._plan and not self.signalsBlocked():
            self.set_value(plan)
            self.valueChanged.emit(plan)

    def _show_sentence(self) -> None:
        self._meanings["objects"].set_field_visible("ends_at_edges", not self._plan.meaning.whole_objects)
        self._sentence.say(meaning_in_words(self._plan.meaning, self._kind, self._background))


def meaning_in_words(meaning: PaintPlan, kind: Literal["objects", "areas"], background: str = "background") -> str:
    """Return what the paint of a patch means; only objects can be painted whole."""
    if kind == "objects":
        return meaning.sentence
    rest = f"is {background}" if meaning.rest_is_background else "is left out"
    return f"Each pixel belongs to the class it is painted in. What is not painted {rest}."
