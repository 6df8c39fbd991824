"""A titled part of a panel that can be folded away.

superqt's collapsible fixes the height of its content when it opens, which does not suit parts that grow and shrink.
"""

from __future__ import annotations

from qtpy.QtWidgets import QGroupBox, QPushButton, QVBoxLayout, QWidget

from napari_mouse_seg.widgets._layout import arrow, column_of
from napari_mouse_seg.widgets._notes import NoteLabel

_STYLE = "QGroupBox { margin-top: 0; padding-top: 0; }"  # napari's theme leaves room for the box's own title.
_HEADER_STYLE = """
    QPushButton { text-align: left; border: none; padding: 2px 0; background: transparent; }
    QPushButton:focus { text-decoration: underline; }
"""


class Section(QGroupBox):
    """Widgets below each other under a title; folded, the title stays, with a line on what is in it.

    Parameters
    ----------
    title
        Is clicked to fold and unfold.
    widgets
        What is folded away.
    """

    def __init__(self, title: str, *widgets: QWidget) -> None:
        super().__init__()
        self.setStyleSheet(_STYLE)
        self._text, self._summary = "", NoteLabel("hint")
        self._header = QPushButton(title)
        self._header.setStyleSheet(_HEADER_STYLE)
        self._header.setAccessibleName(title)
        self._header.clicked.connect(self._on_clicked)
        self._content = column_of(*widgets)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 8)
        column.setSpacing(4)
        for widget in (self._header, self._summary, self._content):
            column.addWidget(widget)
        self.set_open(True)

    @property
    def is_open(self) -> bool:
        """Whether the content is shown."""
        return not self._content.isHidden()

    def set_open(self, is_open: bool) -> None:
        """Show or fold away the content."""
        self._content.setVisible(is_open)
        self._header.setIcon(arrow(is_open))
        self._header.setToolTip("Fold this part away." if is_open else "Show this part again.")
        self._show_summary()

    def set_summary(self, text: str) -> None:
        """Say in a few words what is in it, for when it is folded away."""
        self._text = text
        self._show_summary()

    def _show_summary(self) -> None:
        self._summary.say("" if self.is_open else self._text)

    def _on_clicked(self) -> None:
        self.set_open(not self.is_open)
