"""A button that saves the result, and what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_mouse_seg.widgets import _dialogs
from napari_mouse_seg.widgets._layout import explain
from napari_mouse_seg.widgets._notes import NoteLabel

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAVE, _STOP = "Save result…", "Cancel saving"
_SAVE_TIP = "Write the labels, measurements, outlines or a picture to a file. You can go on working meanwhile."
_STOP_TIP = "Give the file up; an older one of the same name stays as it is."


class SaveBar(QWidget):
    """Asks for a file and says so; it writes nothing.

    Parameters
    ----------
    parent
        As for every widget.
    """

    saveRequested = Signal(object)  # A Path.
    cancelRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reason, self._saving = "", False
        self._suggested = Path()
        self._kinds: Mapping[str, str] = {}
        self._button = QPushButton(_SAVE)
        self._note, self._failure = NoteLabel("hint"), NoteLabel("error")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for widget in (self._button, self._note, self._failure):
            column.addWidget(widget)
        self._button.clicked.connect(self._on_click)
        self._update()

    def suggest(self, path: Path, kinds: Mapping[str, str]) -> None:
        """Take over the name that the dialog begins with, and the endings that can be chosen, by what they mean."""
        self._suggested, self._kinds = path, kinds

    def set_reason(self, reason: str) -> None:
        """Say why there is nothing to save; empty if there is."""
        self._reason = reason
        self._update()

    def begin(self, name: str) -> None:
        """Show that a file is being written."""
        self._saving = True
        self._failure.say("")
        self._note.say(f"Saving {name}…")
        self._update()

    def begin_cancel(self) -> None:
        """Show that the file is being given up."""
        self._note.say("Cancelling…")
        self._button.setEnabled(False)

    def end(self, text: str = "", failure: str = "") -> None:
        """Show what became of it."""
        self._saving = False
        self._note.say(text)
        self._failure.say(failure)
        self._update()

    def text(self) -> str:
        """Return what is shown below the button; empty if nothing is."""
        return str(self._failure.text() or self._note.text())

    def _update(self) -> None:
        self._button.setText(_STOP if self._saving else _SAVE)
        explain(self._button, "" if self._saving else self._reason, _STOP_TIP if self._saving else _SAVE_TIP)

    def _on_click(self) -> None:
        if self._saving:
            self.begin_cancel()
            self.cancelRequested.emit()
            return
        path = _dialogs.ask_new_file(self, "Save result", self._suggested, self._kinds)
        if path is not None:
            self.saveRequested.emit(path)
