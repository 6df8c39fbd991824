"""A viewer that is killed while somebody paints loses the strokes of the last two seconds at most."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from helpers.pyramids import halves, smooth, write_pyramid_tiff
from napari_mouse_seg.projects import Project, default_folder

pytestmark = [
    pytest.mark.gui,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of Unix"),
]

PROMISED_S = 2.0
N_STROKES = 12
TESTS = Path(__file__).parent.parent

# Each stroke is an object on a line of its own; its label is said once it is painted.
PAINTER = """
import sys
from pathlib import Path
import napari
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from helpers.hands import Hands
from napari_mouse_seg.plugin._train_panel import TrainWidget

viewer = napari.Viewer()
viewer.open(sys.argv[1], plugin="napari-mouse-seg")
widget = TrainWidget(viewer)
viewer.window.add_dock_widget(widget, name="Train")
QTest.qWait(200)
viewer.reset_view()
widget.panel.addPatchRequested.emit()
desk = widget.controller.desk
while desk.layers.paint_layer is None:
    QTest.qWait(20)
paint, hands = desk.layers.paint_layer, Hands(viewer)
paint.brush_size = 2
for number in range(100_000):
    y = 10 + 8 * (number % 25)
    hands.press(Qt.Key.Key_N)
    hands.stroke(paint, [(y, 20), (y, 150)])
    print(int(paint.selected_label), flush=True)
"""


def test_a_kill_while_painting_loses_two_seconds_at_most(tmp_path: Path) -> None:
    image = write_pyramid_tiff(tmp_path / "field.tif", halves(smooth((256, 256)), 2))
    told: list[tuple[float, int]] = []
    environment = os.environ | {"PYTHONPATH": str(TESTS), "PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(
        [sys.executable, "-c", PAINTER, str(image)], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.strip().isdecimal():
                    told.append((time.monotonic(), int(line)))
                if len(told) >= N_STROKES and told[-1][0] - told[0][0] > 2 * PROMISED_S:
                    break
            killed = time.monotonic()
        finally:
            process.send_signal(signal.SIGKILL)
    with Project.open(default_folder(image)) as project:
        assert not project.read_only
        assert project.damage == ()
        saved = set(np.unique(project.paint("p001")).tolist())
    promised = {label for when, label in told if when < killed - PROMISED_S}
    assert len(promised) >= 3
    assert promised <= saved
