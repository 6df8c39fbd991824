"""The classes of areas: colour, name, add, remove, and which one is painted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QColorDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_mouse_seg.plans import BACKGROUND_LABEL, ClassPlan
from napari_mouse_seg.widgets._layout import explain
from napari_mouse_seg.widgets._notes import NoteLabel

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

# Told apart also by those who see no red or green (after Okabe and Ito).
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")
_GREY = "#708090"  # With a little blue, or it would not be seen on grey images.
_FEWEST = 2
_MOST = 255
_REST = "What is not painted can be said to be this class, so it stays; give it another name if you like."
_SWATCH_PX = 14


class ClassTable(QWidget):
    """Edit the classes that areas are painted in, and choose the one to paint.

    Parameters
    ----------
    parent
        As for every widget.
    """

    valueChanged = Signal(object)  # A tuple of ClassPlan; not emitted while a name is missing or used twice.
    classChosen = Signal(int)  # Label of the class to paint.

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._classes: tuple[ClassPlan, ...] = ()
        self._retired = frozenset[int]()
        self._off_reason = self._keep_reason = self._problem = ""
        self._rows: list[_ClassRow] = []
        self._chosen = 0
        self._add = QPushButton("Add class")
        self._add.clicked.connect(self._on_add)
        self._note = NoteLabel("error")
        self._column = QVBoxLayout()
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(self._column)
        column.addWidget(self._note)
        column.addWidget(self._add)
        self._update_buttons()

    def value(self) -> tuple[ClassPlan, ...]:
        """Return the classes as they were last valid."""
        return self._classes

    def set_retired(self, labels: Collection[int]) -> None:
        """Keep labels from new classes, as models know other classes by them."""
        self._retired = frozenset(labels)

    def set_value(self, classes: Sequence[ClassPlan]) -> None:
        """Show classes; emits nothing."""
        changed = tuple(classes) != self._classes
        self._classes = tuple(classes)
        if [entry.label for entry in classes] != [row.label for row in self._rows]:
            self._rebuild()
        elif changed:
            for row, entry in zip(self._rows, classes, strict=True):
                row.show_class(entry)
        if changed:
            self._say("")
        self._update_buttons()

    def chosen(self) -> int:
        """Return the label of the class that is painted; 0 if none is."""
        return self._chosen

    def set_chosen(self, label: int) -> None:
        """Show which class is painted, or none; emits nothing."""
        self._chosen = label if label in {entry.label for entry in self._classes} else 0
        for row in self._rows:
            row.show_chosen(row.label == self._chosen)

    def set_reasons(self, off: str, keep: str = "") -> None:
        """Say why nothing may be changed, or why no class may be removed; empty where it may."""
        self._off_reason, self._keep_reason = off, keep
        self._update_buttons()

    def problem(self) -> str:
        """Return what is wrong with the names, in words; empty if nothing is."""
        return self._problem

    def _rebuild(self) -> None:
        for row in self._rows:
            self._column.removeWidget(row)
            row.blockSignals(True)  # A name that is being typed is of a class that is gone.
            row.hide()
            row.deleteLater()
        self._rows = [_ClassRow(entry) for entry in self._classes]
        for row in self._rows:
            row.changed.connect(self._on_row)
            row.removeRequested.connect(self._on_remove)
            row.chosen.connect(self._on_chosen)
            self._column.addWidget(row)
        self.set_chosen(self._chosen)

    def _on_add(self) -> None:
        free = set(range(1, _MOST + 1)) - {entry.label for entry in self._classes}
        label = min(free - self._retired or free)
        unused = [colour for colour in _COLOURS if colour not in {entry.colour.lower() for entry in self._classes}]
        colour = unused[0] if unused else _COLOURS[label % len(_COLOURS)]
        names = {entry.name for entry in self._classes}
        name = next(f"Class {n}" for n in range(max(1, label - 1), label + _MOST) if f"Class {n}" not in names)
        self._take((*self._classes, ClassPlan(label=label, name=name, colour=colour)))
        self._on_chosen(label)
        self._rows[-1].start_naming()

    def _on_remove(self, label: int) -> None:
        self._take(tuple(entry for entry in self._classes if entry.label != label))

    def _on_chosen(self, label: int) -> None:
        self.set_chosen(label)
        self.classChosen.emit(label)

    def _on_row(self) -> None:
        names = [row.name() for row in self._rows]
        twice = next((name for name in names if names.count(name) > 1), "")
        if not all(names):
            self._say("A class has no name; write one.")
        elif twice:
            self._say(f"Two classes are called “{twice}”; rename one.")
        else:
            self._say("")
            self._take(tuple(row.value(entry) for row, entry in zip(self._rows, self._classes, strict=True)))

    def _take(self, classes: tuple[ClassPlan, ...]) -> None:
        if classes != self._classes:
            self.set_value(classes)
            self.valueChanged.emit(classes)

    def _say(self, problem: str) -> None:
        self._problem = problem
        self._note.say(problem)

    def _update_buttons(self) -> None:
        full = f"There are {_MOST} classes already, which is the most." if len(self._classes) >= _MOST else ""
        explain(self._add, self._off_reason or full, "Add another kind of area to paint.")
        few = "Two classes are the fewest: one to find, and what is around it." if len(self._classes) <= _FEWEST else ""
        for row in self._rows:
            rest = _REST if row.label == BACKGROUND_LABEL else ""
            row.set_reasons(self._off_reason, self._off_reason or self._keep_reason or few or rest)


def first_classes() -> tuple[ClassPlan, ...]:
    """Return the classes that a user starts with."""
    return (
        ClassPlan(label=BACKGROUND_LABEL, name="Background", colour=_GREY),
        ClassPlan(label=BACKGROUND_LABEL + 1, name="Class 1", colour=_COLOURS[0]),
    )


class _ClassRow(QWidget):
    changed = Signal()
    chosen = Signal(int)
    removeRequested = Signal(int)

    def __init__(self, entry: ClassPlan, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label = entry.label
        self._radio = QRadioButton()
        self._radio.setAutoExclusive(False)
        self._swatch, self._name, self._remove = QToolButton(), QLineEdit(), QToolButton()
        self._remove.setText("✕")
        self._name.editingFinished.connect(self.changed)
        self._radio.clicked.connect(self._on_radio)
        self._swatch.clicked.connect(self._on_swatch)
        self._remove.clicked.connect(self._on_remove)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self._radio)
        row.addWidget(self._swatch)
        row.addWidget(self._name, 1)
        row.addWidget(self._remove)
        self.show_class(entry)

    def show_class(self, entry: ClassPlan) -> None:
        if self.name() != entry.name:
            self._name.setText(entry.name)
        self._show_colour(entry.colour)

    def name(self) -> str:
        return str(self._name.text()).strip()

    def value(self, entry: ClassPlan) -> ClassPlan:
        return entry.replace(name=self.name(), colour=self._colour)

    def show_chosen(self, chosen: bool) -> None:
        self._radio.setChecked(chosen)

    def start_naming(self) -> None:
        self._name.setFocus()
        self._name.selectAll()

    def set_reasons(self, off: str, keep: str) -> None:
        explain(self._swatch, off, "Colour of this class in the viewer.")
        self._swatch.setAccessibleName(f"Colour of {self.name()}")
        self._radio.setToolTip(f"Paint “{self.name()}”; the key N goes to the next class.")
        self._radio.setAccessibleName(f"Paint {self.name()}")
        explain(self._remove, keep, f"Remove the class “{self.name()}”.")
        self._name.setReadOnly(bool(off))
        self._name.setToolTip(off or f"Name of this class; its label in the paint is {self.label}.")

    def _show_colour(self, colour: str) -> None:
        self._colour = colour
        swatch = QPixmap(_SWATCH_PX, _SWATCH_PX)
        swatch.fill(QColor(colour))
        self._swatch.setIcon(QIcon(swatch))

    def _on_radio(self) -> None:
        self.chosen.emit(self.label)

    def _on_swatch(self) -> None:
        colour = QColorDialog.getColor(QColor(self._colour), self, f"Colour of {self.name()}")
        if colour.isValid():
            self._show_colour(colour.name())
            self.changed.emit()

    def _on_remove(self) -> None:
        self.removeRequested.emit(self.label)
