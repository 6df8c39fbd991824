"""The rounds of training: use one, compare two, rename, delete."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class
from qtpy.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_mouse_seg.widgets import _dialogs
from napari_mouse_seg.widgets._curve_view import CurveView
from napari_mouse_seg.widgets._layout import explain
from napari_mouse_seg.widgets._notes import NoteLabel
from napari_mouse_seg.widgets._run_bar import duration
from napari_mouse_seg.widgets._short_list import ShortList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_mouse_seg.plans import RoundPlan

_EMPTY = "No round yet: each training adds one, and its model appears in Segment."
_TIP = "Finished rounds, the newest first. Enter uses one in Segment; Ctrl-click chooses a second one."
_COMPARE_TIP = "Show the results of both rounds in the view, one over the other, without the preview of training."
_CHOOSE_ONE = "Choose one round in the list."
_CHOOSE_TWO = "Choose two rounds in the list: click one, then the other with Ctrl (⌘ on a Mac)."


class RoundList(QWidget):
    """Finished rounds, the newest first, and the curve of the chosen one.

    Parameters
    ----------
    parent
        As for every widget.
    """

    roundUsed = Signal(int)
    roundsCompared = Signal(int, int)  # The older first.
    roundRenamed = Signal(int, str)
    roundDeleted = Signal(int)  # The user has agreed.

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rounds: tuple[RoundPlan, ...] = ()
        self._used: int | None = None
        self._read_only = ""
        self._empty, self._facts = NoteLabel("hint"), NoteLabel("hint")
        self._list = ShortList("Rounds", _TIP)
        self._list.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # Names of rounds differ at their ends.
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._curve = CurveView()
        self._use, self._compare = QPushButton("Use in Segment"), QPushButton("Compare two")
        self._rename, self._delete = QPushButton("Rename…"), QPushButton("Delete…")
        grid = QGridLayout()
        for index, button in enumerate((self._use, self._compare, self._rename, self._delete)):
            grid.addWidget(button, index // 2, index % 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for widget in (self._empty, self._list, self._facts, self._curve):
            column.addWidget(widget)
        column.addLayout(grid)
        self._connect()
        self.set_rounds((), None)

    def set_rounds(self, rounds: Sequence[RoundPlan], used: int | None) -> None:
        """Show rounds and which of them Segment shows; a new round is chosen. Emits nothing."""
        known = {entry.number for entry in self._rounds}
        self._rounds = tuple(sorted(rounds, key=lambda entry: -entry.number))
        self._used = used
        fresh = [entry.number for entry in self._rounds if entry.number not in known]
        chosen = set(fresh[:1]) or set(self.chosen())
        self._list.blockSignals(True)
        self._list.clear()
        for entry in self._rounds:
            item = QListWidgetItem(_line(entry, is_used=entry.number == used))
            item.setData(Qt.ItemDataRole.UserRole, entry.number)
            item.setToolTip(f"{entry.name}\n{_score(entry)}\n{_facts(entry)}")
            self._list.addItem(item)
            item.setSelected(entry.number in chosen)
        self._list.blockSignals(False)
        self._list.fit_height()
        self._list.setVisible(bool(rounds))
        self._empty.say("" if rounds else _EMPTY)
        self._show_chosen()

    def set_read_only(self, reason: str) -> None:
        """Say why nothing may be changed; empty if it may."""
        self._read_only = reason
        self._update_buttons()

    def chosen(self) -> list[int]:
        """Return the numbers of the chosen rounds, in their order."""
        return sorted(item.data(Qt.ItemDataRole.UserRole) for item in self._list.selectedItems())

    def choose(self, *numbers: int) -> None:
        """Choose rounds, as if the user had."""
        for index in range(self._list.count()):
            item = self._list.item(index)
            if item is not None:
                item.setSelected(item.data(Qt.ItemDataRole.UserRole) in numbers)

    def text(self) -> str:
        """Return the lines that are shown."""
        items = [self._list.item(index) for index in range(self._list.count())]
        return "\n".join(item.text() for item in items if item is not None)

    def _connect(self) -> None:
        self._list.itemSelectionChanged.connect(self._show_chosen)
        self._list.itemActivated.connect(self._on_use)
        self._use.clicked.connect(self._on_use)
        self._compare.clicked.connect(self._on_compare)
        self._rename.clicked.connect(self._on_rename)
        self._delete.clicked.connect(self._on_delete)

    def _one(self) -> RoundPlan | None:
        """Return the chosen round if it is one alone."""
        chosen = self.chosen()
        return next((entry for entry in self._rounds if [entry.number] == chosen), None)

    def _show_chosen(self) -> None:
        entry = self._one()
        self._facts.say(_facts(entry) if entry is not None else "")
        self._curve.setVisible(entry is not None and bool(entry.curve))
        if entry is not None:
            self._curve.set_score_name(entry.score_name)
            self._curve.set_points(entry.curve, entry.best_step or None)
        self._update_buttons()

    def _update_buttons(self) -> None:
        entry = self._one()
        none = "" if self._rounds else "There is no round yet."
        one = none or ("" if entry is not None else _CHOOSE_ONE)
        shown = f"Segment shows “{entry.name}” already." if entry is not None and entry.number == self._used else ""
        explain(self._use, one or shown, "Make this round's model the one that Segment runs.")
        two = none or ("" if len(self.chosen()) == 2 else _CHOOSE_TWO)
        explain(self._compare, two, _COMPARE_TIP)
        explain(self._rename, self._read_only or one, "Give this round's model another name.")
        explain(self._delete, self._read_only or one, "Take this round and its model away.")

    def _on_use(self) -> None:
        entry = self._one()
        if entry is not None and entry.number != self._used:
            self.roundUsed.emit(entry.number)

    def _on_compare(self) -> None:
        first, second = self.chosen()
        self.roundsCompared.emit(first, second)

    def _on_rename(self) -> None:
        entry = self._one()
        if entry is None:
            return
        name = _dialogs.ask_name(self, "Rename round", entry.name)
        if name and name != entry.name:
            self.roundRenamed.emit(entry.number, name)

    def _on_delete(self) -> None:
        entry = self._one()
        if entry is None:
            return
        shown = " Segment is showing it." if entry.number == self._used else ""
        text = f"Delete “{entry.name}”?{shown} Its model moves to “trash” in the project's folder."
        if _dialogs.confirm(self, text, "Delete"):
            self.roundDeleted.emit(entry.number)


def _line(entry: RoundPlan, *, is_used: bool) -> str:
    mark, where = ("● ", " · in Segment") if is_used else ("", "")
    return f"{mark}{entry.name}{where}\n{_score(entry)}"


def _score(entry: RoundPlan) -> str:
    name = entry.score_name or "score"
    score = "No validation" if entry.score is None else f"{name[:1].upper()}{name[1:]} {entry.score:.2f}"
    return f"{score} · {_when(entry.created)}"


def _facts(entry: RoundPlan) -> str:
    patches = f"{len(entry.patches)} patch" + ("" if len(entry.patches) == 1 else "es")
    mixed = f" Weights: {entry.learnt_share:.0%} learnt, the rest as before." if entry.learnt_share < 1 else ""
    return f"From {entry.base}, {patches}, {entry.steps:,} steps in {duration(entry.seconds)}.{mixed}"


def _when(created: str) -> str:
    """Return date and time as people write them; what cannot be read is left as it is."""
    try:
        return f"{datetime.fromisoformat(created):%Y-%m-%d %H:%M}"
    except ValueError:
        return created or "unknown date"
