"""The panel in a real napari window: how fast it opens, how fast a view is segmented, whether the viewer answers.

    tools/with_display.sh .venv/bin/python benchmarks/panel.py

The image is a 4096 x 4096 pyramid of real BBBC039 fields; the canvas shows 1400 x 900 pixels of it, one to one.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from napari import Viewer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication
from speed import write_pyramid

from napari_mouse_seg.plugin._reader import read
from napari_mouse_seg.plugin._segment_panel import SegmentWidget
from napari_mouse_seg.session import RunState


class Heartbeat:
    """Notes the time between the ticks of a 5 ms timer on the Qt thread."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setInterval(5)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps.append(now - self._last)
        self._last = now

    def take(self) -> list[float]:
        """Return the gaps so far and start anew."""
        gaps, self.gaps = self.gaps, []
        self._last = time.perf_counter()
        return gaps


def spin(application: QApplication, seconds: float) -> None:
    """Let the window live for a while."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        application.processEvents()
        time.sleep(0.001)


def run_view(application: QApplication, widget: SegmentWidget) -> float:
    """Press the button; return the seconds until the labels are drawn."""
    started = time.perf_counter()
    widget.panel.viewRequested.emit()
    while widget.controller.session.state is not RunState.IDLE:
        application.processEvents()
        time.sleep(0.001)
    application.processEvents()
    return time.perf_counter() - started


def report(name: str, gaps: list[float]) -> None:
    """Print the longest gaps in milliseconds."""
    worst = sorted((round(gap * 1000) for gap in gaps), reverse=True)[:5]
    print(f"{name}: {sum(gap > 0.05 for gap in gaps)} gaps over 50 ms of {len(gaps)}, longest {worst} ms")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "view.ome.tif"
        write_pyramid(path, 4096)
        viewer = Viewer()
        application = QApplication.instance()
        viewer.window._qt_window.resize(2000, 1150)
        for data, arguments, _ in read(path):
            layer = viewer.add_image(data, **arguments)
        spin(application, 1)
        started = time.perf_counter()
        widget = SegmentWidget(viewer)
        viewer.window.add_dock_widget(widget, name="Segment", area="right")
        application.processEvents()
        print(f"panel opens in {time.perf_counter() - started:.2f} s")
        heartbeat = Heartbeat()
        spin(application, 12)
        report("while torch loads beside the window", heartbeat.take())
        viewer.window._qt_viewer.canvas.size = (900, 1400)
        viewer.camera.zoom = 1 / float(layer.scale[-1])
        spin(application, 0.5)
        from napari_mouse_seg.plugin._viewport import look

        print("region shown:", look(viewer, layer).box)
        rng = np.random.default_rng(0)
        seconds = []
        for number in range(8):
            viewer.camera.center = (0, *layer.data_to_world(rng.uniform(700, 3300, 2)))
            spin(application, 0.3)
            heartbeat.take()
            took = run_view(application, widget)
            if number == 0:
                print(f"first run, loads the network: {took:.2f} s")
                report("first run", heartbeat.take())
            else:
                seconds.append(took)
                report(f"view {number}, {took:.2f} s", heartbeat.take())
        print(
            f"button to labels on screen, 1400 x 900 canvas, warm, new place each time: median "
            f"{statistics.median(seconds):.2f} s, {min(seconds):.2f} to {max(seconds):.2f} s ({len(seconds)} views)"
        )
        print(widget.panel.result_text())
        viewer.close()


if __name__ == "__main__":
    main()
