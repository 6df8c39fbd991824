"""Drawing goes on after layers with lines are gone; in a process of its own, as a crash there ends it."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import os, sys, time
import napari, numpy as np
from qtpy.QtWidgets import QApplication
from napari_mouse_seg.plugin._train_panel import TrainWidget

def wait(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.instance().processEvents()
        time.sleep(0.01)

viewer = napari.Viewer()
viewer.add_image(np.random.default_rng(0).random((512, 512)))
viewer.window.add_dock_widget(TrainWidget(viewer))
if sys.argv[1] == "frame":
    layer = viewer.add_labels(np.zeros((100, 100), np.uint32))
    layer.bounding_box.visible = True
else:
    layer = viewer.add_shapes([np.array([[50, 50], [150, 150]])], shape_type="rectangle")
wait(1)
viewer.layers.remove(layer)
wait(0.5)
viewer.camera.center, viewer.camera.zoom = (0, 100, 120), 2.0
wait(1)
print("still there", flush=True)
os._exit(0)
"""


@pytest.mark.parametrize("kind", ["frame", "shapes"])
def test_drawing_goes_on_after_lines_are_gone(kind: str) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, kind], capture_output=True, text=True, timeout=240)
    assert "still there" in done.stdout, done.stderr[-3000:]
