"""What a training is doing: curve, step, time left, and the ways to end it."""

from __future__ import annotations

from qtpy.QtCore import Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_mouse_seg.widgets._curve_view import CurveView
from napari_mouse_seg.widgets._layout import column_of, explain, row_of
from napari_mouse_seg.widgets._notes import NoteLabel
from napari_mouse_seg.widgets._run_bar import RunBar
from napari_mouse_seg.widgets._throttle import Throttle

_CANCEL_TIP = "Stop at once and throw this round away. Your paint and earlier rounds stay."
_STOP_TIP = "End training now; the best model so far becomes this round."
_PAUSE_TIP = "Hold training, to have the computer to yourself for a moment; the model stays as it is."
_RESUME_TIP = "Go on with training."
_STOPPING = "Training is being ended."


class TrainStatus(QWidget):
    """Progress while training runs, and what came of it; redrawn at most twice a second.

    Parameters
    ----------
    parent
        As for every widget.
    """

    pauseRequested = Signal(bool)  # False to go on.
    stopRequested = Signal()
    cancelRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._fraction = "", 0.0
        self._left_s: float | None = None
        self._is_paused = self._is_ending = False
        self._curve, self._bar = CurveView(), RunBar(cancel_tip=_CANCEL_TIP)
        self._pause, self._stop = QPushButton("Pause"), QPushButton("Stop and keep best")
        self._result, self._failure = NoteLabel("hint"), NoteLabel("error")
        self._result.setStyleSheet("font-weight: bold; background: transparent;")
        self._running = column_of(self._curve, self._bar, row_of(self._pause, self._stop, stretched=1))
        self._throttle = Throttle(self._show, self)
        self._pause.clicked.connect(self._on_pause)
        self._stop.clicked.connect(self._on_stop)
        self._bar.cancelRequested.connect(self._on_cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self._running, self._result, self._failure):
            column.addWidget(widget)
        self._running.setVisible(False)

    def result_text(self) -> str:
        """Return the remark of the last training; empty if there is none."""
        return str(self._result.text())

    def failure_text(self) -> str:
        """Return why the last training failed; empty if it did not."""
        return str(self._failure.text())

    def curve_text(self) -> str:
        """Return the last values of the curve in words."""
        return self._curve.text()

    def begin(self) -> None:
        """Show that training has started, in place of the last one's result."""
        self._result.say("")
        self._failure.say("")
        self._curve.clear()
        self._text, self._fraction, self._left_s = "Starting…", 0.0, None
        self._is_paused = self._is_ending = False
        self._bar.begin()
        self._running.setVisible(True)
        self._update_buttons()

    def set_score_name(self, name: str) -> None:
        """Say what the validation score measures."""
        self._curve.set_score_name(name)

    def set_low(self, low: bool) -> None:
        """Say whether there is little height, so that the curve is shown on demand only."""
        self._curve.suggest_folded(low)

    def show_stage(self, text: str) -> None:
        """Say what is done now."""
        self._text, self._left_s = text, None
        self._throttle.request()

    def show_progress(self, step: int, total: int, left_s: float | None) -> None:
        """Show how far training is; ``left_s`` is None while there is no telling."""
        self._text, self._left_s = f"Step {step:,} of {total:,}", left_s
        self._fraction = min(1.0, step / max(1, total))
        self._throttle.request()

    def add_point(self, step: int, loss: float, score: float | None) -> None:
        """Go on with the curve."""
        self._curve.add_point(step, loss, score)

    def mark_best(self, step: int) -> None:
        """Mark the best step so far."""
        self._curve.mark_best(step)

    def set_paused(self, paused: bool) -> None:
        """Show whether training is held; emits nothing."""
        self._is_paused = paused
        self._throttle.flush()
        self._update_buttons()

    def end(self) -> None:
        """Show that no training is at work."""
        self._throttle.drop()
        self._bar.end()
        self._running.setVisible(False)

    def show_message(self, text: str) -> None:
        """Show what came of it."""
        self._result.say(text)

    def show_failure(self, text: str) -> None:
        """Show why it failed."""
        self._failure.say(text)

    def _show(self) -> None:
        if self._is_ending:
            return
        text = f"Paused · {self._text}" if self._is_paused else self._text
        self._bar.show_progress(text, self._fraction, None if self._is_paused else self._left_s)

    def _update_buttons(self) -> None:
        reason = _STOPPING if self._is_ending else ""
        self._pause.setText("Resume" if self._is_paused else "Pause")
        explain(self._pause, reason, _RESUME_TIP if self._is_paused else _PAUSE_TIP)
        explain(self._stop, reason, _STOP_TIP)

    def _on_pause(self) -> None:
        self.pauseRequested.emit(not self._is_paused)

    def _on_stop(self) -> None:
        self._bar.show_progress("Stopping; the best model so far is kept…", self._fraction, None)
        self._is_ending = True
        self._update_buttons()
        self.stopRequested.emit()

    def _on_cancel(self) -> None:
        self._is_ending = True
        self._update_buttons()
        self.cancelRequested.emit()
