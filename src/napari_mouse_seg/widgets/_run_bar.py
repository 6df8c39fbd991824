"""Progress of a run, with time left and Cancel."""

from __future__ import annotations

from qtpy.QtCore import Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

_STEPS = 1000


class RunBar(QWidget):
    """Hidden until a run starts."""

    cancelRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar = QProgressBar()
        self._bar.setRange(0, _STEPS)
        self._bar.setTextVisible(False)
        self._text = QLabel()
        self._cancel = QPushButton("Cancel")
        self._cancel.setToolTip("Stop the run before its next tile. Scores of finished tiles are kept.")
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


def duration(seconds: float) -> str:
    """Return a time as people say it: ``8 s``, ``2 min 05 s``, ``1 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
