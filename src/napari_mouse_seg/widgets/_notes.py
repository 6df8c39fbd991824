"""Short texts beside a field: an error, a warning or a hint; invisible while there is nothing to say."""

from __future__ import annotations

from typing import Literal

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

# Readable on napari's dark and light themes.
_COLOURS = {"error": "#e5534b", "warning": "#d18616", "hint": "#8b949e"}
_MARKS = {"error": "✕ ", "warning": "⚠ ", "hint": ""}


class NoteLabel(QLabel):
    """A wrapping line of text in the colour of its kind."""

    def __init__(self, kind: Literal["error", "warning", "hint"], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mark = _MARKS[kind]
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.setTextFormat(Qt.TextFormat.PlainText)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setStyleSheet(f"color: {_COLOURS[kind]}; background: transparent;")
        self.setVisible(False)

    def say(self, text: str | tuple[str, ...]) -> None:
        """Show one or more messages, each on its own line; hide if there is none."""
        messages = (text,) if isinstance(text, str) else text
        self.setText("\n".join(self._mark + message for message in messages if message))
        self.setVisible(bool(self.text()))
