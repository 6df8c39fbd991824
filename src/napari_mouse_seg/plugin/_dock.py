"""What the dock widgets of the panels share: their place in the window, and an end when it closes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtGui import QShowEvent

_LEAST_WIDTH_PX = 300


class Controller(Protocol):
    """What lives as long as a dock widget."""

    def stop(self) -> None:
        """End what runs; the panel stays usable."""

    def close(self) -> None:
        """Let go of everything."""


class PanelDock(QWidget):
    """A widget that fills itself with a panel, and stops its controller when the window closes."""

    def __init__(self) -> None:
        super().__init__()
        self._window: QWidget | None = None
        self._stop: Callable[[], None] = _nothing
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.setMinimumWidth(_LEAST_WIDTH_PX)
        # Without this napari gives half of the height to an empty stretch.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)

    def dock(self, panel: QWidget, controller: Controller) -> None:
        """Take a panel in; its controller ends with this widget."""
        self._column.addWidget(panel)
        self._stop = controller.stop
        self.destroyed.connect(controller.close)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Watch the window that the panel is in, because its closing must end the run."""
        super().showEvent(event)
        window = self.window()
        if window is not self._window and window is not None:
            if self._window is not None:
                self._window.removeEventFilter(self)
            self._window = window
            window.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Stop the run when the window closes; the user may still change their mind about closing."""
        if event is not None and watched is self._window and event.type() == QEvent.Type.Close:
            self._stop()
        return False


def _nothing() -> None:
    """Stop nothing, while there is no controller yet."""
