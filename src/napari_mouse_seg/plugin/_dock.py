"""What the dock widgets of the panels share: their place in the window, and an end when it closes."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from weakref import WeakSet

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QApplication, QDockWidget, QMainWindow, QSizePolicy, QVBoxLayout, QWidget

from napari_mouse_seg.plugin._garbage import garbage_calendar
from napari_mouse_seg.plugin._software_gl import keep_programs
from napari_mouse_seg.widgets import delay

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


@runtime_checkable
class SavesAtTheEnd(Protocol):
    """What has something to save, besides."""

    def save_now(self) -> None:
        """Bring it to the disk before this returns."""


_open: WeakSet[Controller] = WeakSet()


@atexit.register
def _close_all() -> None:
    """Close what a script leaves open, while all parts of it exist: the interpreter deletes them in any order."""
    for controller in list(_open):
        controller.close()


class PanelDock(QWidget):
    """A widget that fills itself with a panel, and stops its controller when the window closes."""

    def __init__(self) -> None:
        super().__init__()
        keep_programs()
        self._window: QWidget | None = None
        self._is_closing = False
        self._join = delay(self, 0, self._join_tabs)
        self._leave = delay(self, 0, self._end_if_taken_out)
        self._has_place = False
        self._save: Callable[[], None] = _nothing
        self._stop: Callable[[], None] = _nothing
        self._close: Callable[[], None] = _nothing
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.setMinimumWidth(_LEAST_WIDTH_PX)
        # Without this napari gives half of the height to an empty stretch.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)

    def dock(self, panel: QWidget, controller: Controller) -> None:
        """Take a panel in; its controller ends with this widget."""
        self._column.addWidget(panel)
        self._stop, self._close = controller.stop, controller.close
        if isinstance(controller, SavesAtTheEnd):
            self._save = controller.save_now
        self.destroyed.connect(controller.close)
        _open.add(controller)
        garbage_calendar().open()
        self.destroyed.connect(garbage_calendar().close)

    def event(self, event: QEvent | None) -> bool:
        """End where the ✕ of its dock took it out: napari forgets the widget then, and does not delete it."""
        if event is not None and event.type() == QEvent.Type.ParentChange and self.parentWidget() is None:
            self._leave.start()  # A script may be about to put it somewhere else.
        return bool(super().event(event))

    def showEvent(self, event: QShowEvent | None) -> None:
        """Watch the window that the panel is in, because its closing must end the run."""
        super().showEvent(event)
        window = self.window()
        if window is not self._window and window is not None:
            if self._window is not None:
                self._window.removeEventFilter(self)
            self._window = window
            window.installEventFilter(self)
        if not self._has_place:
            self._has_place = True
            self._join.start()  # napari shows a dock before it has put it anywhere.

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Save when the window is told to close, and stop the run when it does.

        It is told before napari asks the user, who may stay. A window that closes is hidden right after the answer.
        """
        if event is None or watched is not self._window:
            return False
        if event.type() == QEvent.Type.Close:
            self._is_closing = True
            self._save()
        elif event.type() == QEvent.Type.Hide and self._is_closing and not event.spontaneous():
            self._is_closing = False
            self._stop()
        elif event.type() == QEvent.Type.WindowUnblocked and self._is_closing:
            QTimer.singleShot(0, self._on_answered)
        return False

    def _end_if_taken_out(self) -> None:
        if self.parentWidget() is None and not self.isVisible():
            self._close()
            self.deleteLater()

    def _join_tabs(self) -> None:
        """Become a tab beside another panel in the same place: one below the other leaves each a narrow strip."""
        window, own = self._window, _dock_of(self)
        if not isinstance(window, QMainWindow) or own is None or own.isFloating():
            return
        for panel in window.findChildren(PanelDock):
            other = _dock_of(panel)
            is_beside = other is not None and other is not own and other.isVisible() and not other.isFloating()
            if other is not None and is_beside and window.dockWidgetArea(other) == window.dockWidgetArea(own):
                window.tabifyDockWidget(other, own)
                own.raise_()
                return

    def _on_answered(self) -> None:
        """Take it that the user stays, unless there is another question."""
        self._is_closing = QApplication.activeModalWidget() is not None


def _dock_of(widget: QWidget) -> QDockWidget | None:
    """Return the dock that holds a widget."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    return parent


def _nothing() -> None:
    """Do nothing, while there is no controller that could."""
