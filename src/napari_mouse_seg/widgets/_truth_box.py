"""How well the result agrees with labels that are known to be right, and a button that makes it agree better."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_mouse_seg.plans import PaintPlan
from napari_mouse_seg.widgets._layout import collapsible, column_of, explain, row_of
from napari_mouse_seg.widgets._name_box import NameBox
from napari_mouse_seg.widgets._notes import NoteLabel
from napari_mouse_seg.widgets._plan_editor import PlanEditor

if TYPE_CHECKING:
    from collections.abc import Sequence

_TIP = "Show how well the objects agree with labels that you trust, while the thresholds move."
_LABELS_TIP = (
    "A Labels layer that is right: one number an object, 0 is background. In the paint of a patch, 0 is not annotated "
    "and 1 is background. It may lie anywhere over the image, at any scale."
)
_SCORE_TIP = (
    "F1 is the share of objects that agree: two agree where their common pixels are at least half (IoU 0.5) of all "
    "that either has. The mean is over IoU 0.50 to 0.95, which also asks for exact outlines.\n"
    "Missed: no object is there. Extra: no true object is there. Split: one is found as several. Merged: several are "
    "found as one."
)
_BEST_TIP = (
    "Try about 25 sets of thresholds on the known scores, and take those with the highest mean F1. Takes seconds; "
    "the network does not run."
)
_STOP_TIP = "Stop the search; the thresholds stay as they are."
_FIND, _STOP, _NONE = "Find best", "Stop searching", "None"


class TruthBox(QWidget):
    """Shows a score, and says what the user wants; it computes nothing.

    Parameters
    ----------
    parent
        As for every widget.

    Attributes
    ----------
    paint_editor
        How the paint of a patch is read; shown for patches only.
    """

    labelsChosen = Signal(int)  # Position in the list of labels; -1 for none.
    bestRequested = Signal()
    undoRequested = Signal()
    cancelRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reason = "Choose labels to compare with."
        self._searching = False
        self._labels = NameBox(_LABELS_TIP)
        self._score, self._details, self._hint = NoteLabel("hint"), NoteLabel("hint"), NoteLabel("hint")
        self._score.setStyleSheet("font-weight: bold; background: transparent;")
        for note in (self._score, self._details):
            note.setToolTip(_SCORE_TIP)
        self.paint_editor = PlanEditor(PaintPlan(), ("rest_is_background",))
        self._best, self._undo = QPushButton(_FIND), QPushButton("Undo")
        self._undo.setToolTip("Go back to the thresholds from before the search.")
        self._found, self._failure = NoteLabel("hint"), NoteLabel("error")
        self._arrange()
        self._connect()
        self.set_layers((), -1)
        self.set_patch(is_patch=False)
        self.forget_search()
        self._update()

    def set_layers(self, names: Sequence[str], current: int) -> None:
        """List the labels layers after "None"; -1 for none. Emits nothing."""
        self._labels.fill([_NONE, *names], current + 1)

    def layer_names(self) -> list[str]:
        """Return the listed labels, "None" first."""
        return [self._labels.itemText(index) for index in range(self._labels.count())]

    def set_patch(self, is_patch: bool) -> None:
        """Say whether the labels are the paint of a patch."""
        self.paint_editor.setVisible(is_patch)

    def show_score(self, score: str, details: str = "", hint: str = "") -> None:
        """Show how well it agrees; empty texts show nothing."""
        self._score.say(score)
        self._details.say(details)
        self._hint.say(hint)

    def score_text(self) -> str:
        """Return all that is shown of the score; empty if nothing is."""
        return "\n".join(note.text() for note in (self._score, self._details, self._hint) if note.text())

    def set_best_reason(self, reason: str) -> None:
        """Say why there is no searching; empty if there is."""
        self._reason = reason
        self._update()

    def begin_search(self) -> None:
        """Show that a search has started."""
        self._searching = True
        self.forget_search()
        self._found.say("Starting…")
        self._update()

    def show_search(self, text: str) -> None:
        """Show how far the search is."""
        self._found.say(text)

    def end_search(self) -> None:
        """Show that no search is at work."""
        self._searching = False
        self._update()

    def show_found(self, text: str, can_undo: bool) -> None:
        """Show what a search came to."""
        self._found.say(text)
        self._undo.setVisible(can_undo)

    def found_text(self) -> str:
        """Return what the last search came to; empty if that is forgotten."""
        return str(self._found.text())

    def show_failure(self, text: str) -> None:
        """Show why a search failed."""
        self._failure.say(text)

    def forget_search(self) -> None:
        """Show nothing of an earlier search."""
        self._found.say("")
        self._failure.say("")
        self._undo.setVisible(False)

    def expand(self) -> None:
        """Show the content."""
        self._holder.expand(animate=False)

    def _arrange(self) -> None:
        buttons = row_of(self._best, self._undo)
        content = column_of(
            row_of(QLabel("Labels"), self._labels, stretched=1),
            self.paint_editor,
            self._score,
            self._details,
            self._hint,
            buttons,
            self._found,
            self._failure,
        )
        self._holder = collapsible("Compare with labels", _TIP, content)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._holder)

    def _connect(self) -> None:
        self._labels.currentIndexChanged.connect(self._on_labels)
        self._best.clicked.connect(self._on_best)
        self._undo.clicked.connect(self._on_undo)

    def _on_labels(self, index: int) -> None:
        self.labelsChosen.emit(index - 1)

    def _on_best(self) -> None:
        if self._searching:
            self.cancelRequested.emit()
        else:
            self.bestRequested.emit()

    def _on_undo(self) -> None:
        self.undoRequested.emit()

    def _update(self) -> None:
        """Offer to stop the search that is at work, or else a new one."""
        self._best.setText(_STOP if self._searching else _FIND)
        explain(self._best, "" if self._searching else self._reason, _STOP_TIP if self._searching else _BEST_TIP)
