"""The window's X: napari asks first, and the user may stay."""

from __future__ import annotations

import subprocess
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest
from napari._qt import qt_main_window
from napari.settings import get_settings
from qtpy.QtCore import QTimer
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QApplication, QDialog

from helpers.desks import ENDLESS
from napari_mouse_seg.session import TrainState

if TYPE_CHECKING:
    from collections.abc import Callable

    from helpers.desks import Desk

Answer = QDialog.DialogCode


@pytest.fixture
def answer_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], list[Answer]]:
    """Return a function that has napari's question answered, once it is on the screen."""
    show = qt_main_window.ConfirmCloseDialog.exec_

    def prepare(answer: Answer) -> list[Answer]:
        given: list[Answer] = []

        def ask(dialog: QDialog) -> int:
            QTimer.singleShot(50, partial(dialog.done, answer))
            given.append(Answer(show(dialog)))
            return given[-1]

        monkeypatch.setattr(qt_main_window.ConfirmCloseDialog, "exec_", ask)
        monkeypatch.setattr(get_settings().application, "confirm_close_window", True)
        return given

    return prepare


CLOSE_AND_END = """
import atexit, sys, time
atexit.register(print, "The interpreter ends.")  # After what is registered later.

import napari
from napari_mouse_seg.plugin import _segment_panel, _train_panel
from qtpy.QtWidgets import QApplication

viewer = napari.Viewer()
viewer.open_sample("napari-mouse-seg", "u2os_nuclei")
widget = (_segment_panel.SegmentWidget if sys.argv[1] == "Segment" else _train_panel.TrainWidget)(viewer)
viewer.window.add_dock_widget(widget)
end = time.monotonic() + 1
while time.monotonic() < end:
    QApplication.instance().processEvents()
    time.sleep(0.01)

shutdown = widget.controller._runner.shutdown
widget.controller._runner.shutdown = lambda: (shutdown(), print("All work has ended."))
viewer.close()
"""


class ByFrame(QCloseEvent):
    """As the window system sends it; napari asks only then."""

    def spontaneous(self) -> bool:
        return True


def click_x(desk: Desk) -> None:
    """Close the window as Qt does for its frame."""
    window, event = desk.viewer.window._qt_window, ByFrame()
    QApplication.sendEvent(window, event)
    if event.isAccepted():
        window.hide()


def test_a_training_goes_on_if_the_user_stays(desk: Desk, answer_with: Callable[[Answer], list[Answer]]) -> None:
    desk.add_patch()
    desk.prefill()
    process = desk.train(ENDLESS)
    desk.hands.stroke(desk.paint, [(30, 20), (30, 40)])
    given = answer_with(Answer.Rejected)
    click_x(desk)
    assert given == [Answer.Rejected]
    assert desk.saved()[30, 30] == desk.paint.data[30, 30] != 0  # Already on the disk.
    assert process.is_running()
    steps: list[object] = []
    desk.session.stepped.connect(steps.append)
    desk.until(lambda: len(steps) > 1)
    desk.viewer.window._qt_window.hide()  # Later, and not by closing.
    desk.viewer.window._qt_window.show()
    assert desk.session.state is TrainState.RUNNING
    given = answer_with(Answer.Accepted)
    click_x(desk)
    assert given == [Answer.Accepted]
    assert not process.is_running()
    desk.until(lambda: not [thread for thread in threading.enumerate() if thread.name == "mouse-seg"])


@pytest.mark.parametrize("panel", ["Segment", "Train"])
def test_a_script_may_close_the_viewer_and_end_at_once(panel: str) -> None:
    done = subprocess.run([sys.executable, "-c", CLOSE_AND_END, panel], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    assert done.stdout.index("All work has ended.") < done.stdout.index("The interpreter ends.")
