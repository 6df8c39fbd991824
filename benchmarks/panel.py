"""The panel in a real napari window: how fast it opens, how fast a view is segmented, whether the viewer answers.

    tools/with_display.sh .venv/bin/python benchmarks/panel.py [--canvas 1400 900] [--window 2000 1150]

The image is an 8192 x 8192 pyramid of real BBBC039 fields; the canvas shows 1400 x 900 pixels of it, one to one. Where
OpenGL runs in software, drawing takes time in proportion to canvas and window: a small canvas in a small window tells
what a graphics card would leave of the pauses.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import TYPE_CHECKING

import numpy as np
from _heartbeat import Heartbeat, report, spin
from _window import open_window
from qtpy.QtCore import QEventLoop, QTimer

from napari_mouse_seg import ScoreCache, SegmentPlan, find_model, resolve
from napari_mouse_seg.networks import DEFAULT_MODEL
from napari_mouse_seg.pipeline import segment
from napari_mouse_seg.plugin._layers import image_of_layer
from napari_mouse_seg.plugin._segment_panel import SegmentWidget
from napari_mouse_seg.plugin._viewport import look
from napari_mouse_seg.session import RunState

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Image
    from qtpy.QtWidgets import QApplication


def run_view(application: QApplication, widget: SegmentWidget) -> float:
    """Press the button; return the seconds until the labels are drawn."""
    loop = QEventLoop()

    def on_state(state: RunState) -> None:
        if state is RunState.IDLE:
            QTimer.singleShot(0, loop.quit)

    session = widget.controller.session
    session.state_changed.connect(on_state)
    started = time.perf_counter()
    widget.panel.viewRequested.emit()
    if session.state is not RunState.IDLE:
        loop.exec()
    session.state_changed.disconnect(on_state)
    application.processEvents()
    return time.perf_counter() - started


def engine_seconds(viewer: Viewer, layer: Image, repeats: int = 2) -> float:
    """Time the engine alone on what the canvas shows, nothing cached, in the window's process; the better of two."""
    image = image_of_layer(layer)
    job = resolve(image, find_model(DEFAULT_MODEL), SegmentPlan(), look(viewer, layer).box)
    best = float("inf")
    for _ in range(repeats):
        cache = ScoreCache(job)
        _ = cache.scorer(job).polarity_warning()  # Reads the statistics.
        started = time.perf_counter()
        for _ in segment(job, cache):
            pass
        best = min(best, time.perf_counter() - started)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--canvas", type=int, nargs=2, default=(1400, 900), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--window", type=int, nargs=2, default=(2000, 1150), metavar=("WIDTH", "HEIGHT"))
    arguments = parser.parse_args()
    width, height = arguments.canvas
    with open_window(*arguments.window) as (viewer, application, layer):
        spin(application, 1)
        started = time.perf_counter()
        widget = SegmentWidget(viewer)
        viewer.window.add_dock_widget(widget, name="Segment", area="right")
        application.processEvents()
        print(f"panel opens in {time.perf_counter() - started:.2f} s")
        heartbeat = Heartbeat(viewer)
        spin(application, 12)
        report("while torch loads beside the window", heartbeat.take())
        viewer.window._qt_viewer.canvas.size = (height, width)
        viewer.scene.camera.zoom = 1 / float(layer.scale[-1])
        spin(application, 0.5)
        seconds, ratios = [], []
        # Far enough apart that no tile of one view serves another.
        rng = np.random.default_rng(0)
        places = [rng.integers(0, 256, 2) + np.array([y, x]) for y in (700, 2200, 3700) for x in (900, 2700, 4500)]
        for number, place in enumerate(places):
            viewer.scene.camera.center = (0, *layer.data_to_world(place))
            spin(application, 0.3)
            heartbeat.take()
            took = run_view(application, widget)
            gaps = heartbeat.take()
            if number == 0:
                print(f"region shown: {look(viewer, layer).box}; first run: {took:.2f} s")
                report("first run", gaps)
                continue
            alone = engine_seconds(viewer, layer)
            seconds.append(took)
            ratios.append(took / alone)
            report(f"view {number}, {took:.2f} s, engine alone {alone:.2f} s", gaps)
        print(
            f"button to labels on screen, {width} x {height} canvas, warm, a new place each time: median "
            f"{statistics.median(seconds):.2f} s, {min(seconds):.2f} to {max(seconds):.2f} s ({len(seconds)} views); "
            f"{statistics.median(ratios):.2f} times the engine alone"
        )
        viewer.scene.camera.center = (0, *layer.data_to_world(places[-1] + 150))
        spin(application, 0.3)
        print(f"panned by 150 px and run again: {run_view(application, widget):.2f} s")
        print(widget.panel.result_text())


if __name__ == "__main__":
    main()
