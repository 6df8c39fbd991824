"""What a run is doing, with time left and Cancel, and what came of it."""

from __future__ import annotations

from qtpy.QtCore import Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from napari_mouse_seg.widgets._notes import NoteLabel

_STEPS = 1000
_CANCEL_TIP = "Stop the run before its next tile. Scores of finished tiles are kept."


class RunBar(QWidget):
    """Hidden until a run starts.

    Parameters
    ----------
    parent
        As for every widget.
    cancel_tip
        What Cancel does.
    """

    cancelRequested = Signal()

    def __init__(self, parent: QWidget | None = None, cancel_tip: str = _CANCEL_TIP) -> None:
        super().__init__(parent)
        self._bar = QProgressBar()
        self._bar.setRange(0, _STEPS)
        self._bar.setTextVisible(False)
        self._text = QLabel()
        self._cancel = QPushButton("Cancel")
        self._cancel.setToolTip(cancel_tip)
        self._cancel.clicked.connect(self._on_cancel)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._bar, 1)
        row.addWidget(self._cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self._text)
        # Wanted by its holder also while it is hidden, so that the panel is not laid out anew at every run.
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.setSizePolicy(policy)
        self.setVisible(False)

    def begin(self) -> None:
        """Show that nothing is done yet; a busy bar would redraw the window all the time."""
        self._bar.setValue(0)
        self._text.setText("Starting…")
        self._cancel.setEnabled(True)
        self.setVisible(True)

    def show_progress(self, text: str, fraction: float, left_s: float | None) -> None:
        """Show how far it is; ``left_s`` is None while there is no telling."""
        self._bar.setValue(round(fraction * _STEPS))
        self._text.setText(text if left_s is None else f"{text}, {duration(left_s)} left")

    def begin_cancel(self) -> None:
        """Show that Cancel was heard."""
        self._cancel.setEnabled(False)
        self._text.setText("Cancelling…")

    def end(self) -> None:
        """Hide."""
        self.setVisible(False)

    def _on_cancel(self) -> None:
        self.begin_cancel()
        self.cancelRequested.emit()


class RunStatus(QWidget):
    """Progress and result in one place, so that a panel is not laid out anew at every run; below it a failure."""

    cancelRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._result, self._failure, self._bar = NoteLabel("hint"), NoteLabel("error"), RunBar()
        self._result.setStyleSheet("font-weight: bold; background: transparent;")
        self._bar.cancelRequested.connect(self.cancelRequested)
        self._pages = QStackedWidget()
        self._pages.addWidget(_at_top(self._result))
        self._pages.addWidget(_at_top(self._bar))
        self._pages.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._pages)
        column.addWidget(self._failure)

    def result_text(self) -> str:
        """Return the result line; empty if there is none."""
        return str(self._result.text())

    def failure_text(self) -> str:
        """Return why the last run failed; empty if it did not."""
        return str(self._failure.text())

    def begin(self) -> None:
        """Show that a run has started, in place of the last one's result."""
        self._result.say("")
        self._failure.say("")
        self._bar.begin()
        self._pages.setCurrentIndex(1)

    def show_progress(self, text: str, fraction: float, left_s: float | None) -> None:
        """Show how far the run is."""
        self._bar.show_progress(text, fraction, left_s)

    def begin_cancel(self) -> None:
        """Show that the run is being cancelled."""
        self._bar.begin_cancel()

    def end(self) -> None:
        """Show that no run is at work."""
        self._bar.end()
        self._pages.setCurrentIndex(0)

    def show_result(self, found: str, whole_image: bool, seconds: float, remark: str = "") -> None:
        """Show what a run found; ``found`` such as "12 objects"."""
        where = "in the image" if whole_image else "in the region"
        time_taken = f"{seconds:.1f} s" if seconds < 10 else duration(seconds)
        self._result.say(f"{found} {where}, {time_taken}" + (f". {remark}" if remark else ""))

    def show_message(self, text: str) -> None:
        """Show a remark in place of a result."""
        self._result.say(text)

    def show_failure(self, text: str) -> None:
        """Show why a run failed."""
        self._failure.say(text)


def _at_top(widget: QWidget) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(widget)
    column.addStretch(1)
    return holder


def duration(seconds: float) -> str:
    """Return a time as people say it: ``8 s``, ``2 min 05 s``, ``1 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
