"""Classes by colour and name."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_mouse_seg.plans import ClassPlan


class ClassLegend(QLabel):
    """What the colours of areas mean, one class a line.

    Parameters
    ----------
    parent
        As for every widget.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setWordWrap(True)

    def set_classes(self, classes: Sequence[ClassPlan]) -> None:
        """Show classes; their labels stand behind their names."""
        lines = (
            f'<span style="color: {entry.colour}">■</span> {escape(entry.name)} ({entry.label})' for entry in classes
        )
        self.setText("<br>".join(lines))
