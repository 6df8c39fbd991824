"""Which image is segmented, and which channel of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class
from qtpy.QtWidgets import QGroupBox, QLabel, QVBoxLayout, QWidget

from napari_mouse_seg.plans import SegmentPlan
from napari_mouse_seg.widgets._layout import row_of
from napari_mouse_seg.widgets._name_box import NameBox
from napari_mouse_seg.widgets._notes import NoteLabel

if TYPE_CHECKING:
    from collections.abc import Sequence


class ImageBox(QGroupBox):
    """Images and channels by name, told apart by position.

    Parameters
    ----------
    parent
        As for every widget.
    """

    imageChosen = Signal(int)  # Position; -1 for none.
    channelChosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Image", parent)
        self._image = NameBox("Image layer to segment.")
        self._channel = NameBox(SegmentPlan.model_fields["channel"].description or "")
        self._note, self._error = NoteLabel("hint"), NoteLabel("error")
        self._channel_row = row_of(QLabel("Channel"), self._channel, stretched=1)
        self._channel_row.setVisible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(4)
        for widget in (self._image, self._channel_row, self._note, self._error):
            column.addWidget(widget)
        self._image.currentIndexChanged.connect(self.imageChosen)
        self._channel.currentIndexChanged.connect(self.channelChosen)

    @property
    def position(self) -> int:
        """Of the chosen image; -1 if there is none."""
        return int(self._image.currentIndex())

    @property
    def channel(self) -> int:
        """The chosen channel; 0 where there is only one."""
        return max(0, int(self._channel.currentIndex()))

    def names(self) -> list[str]:
        """Return the listed images."""
        return [self._image.itemText(index) for index in range(self._image.count())]

    def set_images(self, names: Sequence[str], current: int) -> None:
        """List the images; emits nothing."""
        self._image.fill(names, current)
        self._note.say("" if names else "Open an image: File ▸ Open, or File ▸ Open Sample.")

    def set_channels(self, names: Sequence[str], current: int) -> None:
        """List the channels; the field is hidden if there is only one. Emits nothing."""
        self._channel.fill(names, current)
        self._channel_row.setVisible(len(names) > 1)

    def choose_channel(self, index: int) -> None:
        """Choose a channel, as if the user had."""
        self._channel.setCurrentIndex(index)

    def complain(self, problem: str) -> None:
        """Show why the image cannot be segmented; empty if it can."""
        self._error.say(problem)
