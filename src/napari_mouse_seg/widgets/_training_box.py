"""How a training is done: its time, and settings that rarely need a change."""

from __future__ import annotations

from qtpy.QtCore import Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_mouse_seg.plans import RetrainPlan
from napari_mouse_seg.widgets._layout import collapsible
from napari_mouse_seg.widgets._notes import NoteLabel
from napari_mouse_seg.widgets._plan_editor import PlanEditor
from napari_mouse_seg.widgets._section import Section

_SIMPLE = ("minutes",)
_ADVANCED = tuple(name for name in RetrainPlan.model_fields if name not in _SIMPLE)


class TrainingBox(QWidget):
    """Editor of a ``RetrainPlan``, most of it folded away.

    Parameters
    ----------
    parent
        As for every widget.
    """

    valueChanged = Signal(object)  # A RetrainPlan.
    problemChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._simple = PlanEditor(RetrainPlan(), _SIMPLE)
        self._advanced = PlanEditor(RetrainPlan(), _ADVANCED)
        self._note = NoteLabel("hint")
        more = collapsible("Advanced", "Settings that rarely need a change.", self._advanced, _start_hint())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(Section("3 · Train", self._simple, self._note, more))
        for editor in self._editors():
            editor.valueChanged.connect(self._on_input)
            editor.problemChanged.connect(self.problemChanged)

    def value(self) -> RetrainPlan:
        """Return how training is to be done."""
        return self._advanced.value().replace(**{name: getattr(self._simple.value(), name) for name in _SIMPLE})

    def set_value(self, plan: RetrainPlan) -> None:
        """Show how training is to be done; emits nothing, and leaves what is being typed alone if it is the same."""
        if plan == self.value():
            return
        for editor in self._editors():
            editor.blockSignals(True)
            editor.set_value(plan)
            editor.blockSignals(False)

    def problem(self) -> str:
        """Return what is wrong with the input, in words; empty if nothing is."""
        return self._simple.problem() or self._advanced.problem()

    def set_note(self, text: str) -> None:
        """Say what should be known before training."""
        self._note.say(text)

    def set_read_only(self, reason: str) -> None:
        """Say why nothing may be changed; empty if it may."""
        for editor in self._editors():
            editor.setEnabled(not reason)
            editor.setToolTip(reason)

    def _editors(self) -> tuple[PlanEditor[RetrainPlan], PlanEditor[RetrainPlan]]:
        return self._simple, self._advanced

    def _on_input(self) -> None:
        self.valueChanged.emit(self.value())


def _start_hint() -> NoteLabel:
    """Return the explanation of the choice that decides what earlier rounds are worth."""
    note = NoteLabel("hint")
    note.say(RetrainPlan.model_fields["start_from"].description or "")
    return note
