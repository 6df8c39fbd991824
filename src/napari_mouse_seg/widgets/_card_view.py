"""Model cards to read: what a model is for, how well it did, where it fails."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox, QTextBrowser, QVBoxLayout, QWidget

from napari_mouse_seg.plans import Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

_SKIPPED = ("format_version", "name")


class CardView(QWidget):
    """One card at a time, generated from the card's own titles.

    Parameters
    ----------
    cards
        Plans with a ``name``, each shown under it.
    parent
        As for every widget.
    """

    def __init__(self, cards: Sequence[tuple[str, Plan]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards = tuple(cards)
        self._choice = QComboBox()
        self._choice.addItems([name for name, _ in self._cards])
        self._choice.setToolTip("Model to read about.")
        self._choice.currentIndexChanged.connect(self._show)
        self._text = QTextBrowser()
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self._choice)
        column.addWidget(self._text)
        self.setMinimumWidth(300)
        self._show(0)

    def text(self) -> str:
        """Return what is shown, as plain text."""
        return self._text.toPlainText()

    def _show(self, index: int) -> None:
        if not self._cards:
            self._text.setPlainText("No model is installed.")
            return
        name, card = self._cards[index]
        self._text.setHtml(f"<h3>{escape(name)}</h3>" + _rows(card, _SKIPPED))


def _rows(plan: Plan, skipped: Sequence[str] = ()) -> str:
    """Return the fields of a plan that are set, as HTML."""
    rows = []
    for name, info in type(plan).model_fields.items():
        value = getattr(plan, name)
        if name in skipped or value in (None, "", (), {}):
            continue
        rows.append(f"<p><b>{escape(info.title or name.replace('_', ' ').capitalize())}</b><br>{_value(value)}</p>")
    return "".join(rows)


def _value(value: object) -> str:
    """Return a value as HTML: plans and tables as lists, tuples as lines."""
    if isinstance(value, Plan):
        lines = [f"{info.title or name}: {getattr(value, name)}" for name, info in type(value).model_fields.items()]
    elif isinstance(value, dict):
        lines = [f"{key}: {entry}" for key, entry in value.items()]
    elif isinstance(value, tuple):
        lines = [str(entry) for entry in value]
    else:
        lines = [str(value)]
    return "<br>".join(escape(line) for line in lines)
