"""The panel *Train* in a real napari window: whether the viewer answers while a model is trained and while one paints.

    tools/with_display.sh .venv/bin/python benchmarks/train_panel.py [--window 2000 1150]

The image is an 8192 x 8192 pyramid of real BBBC039 fields. Three patches of 256 x 256 are painted by what the bundled
model finds; then a round of training runs in its own process, with previews of the view. Where OpenGL runs in software,
drawing takes time in proportion to the window, also where it cannot be taken out: a small one tells more of the panel.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np
from _heartbeat import Heartbeat, report, spin
from _window import open_window
from qtpy.QtCore import QTimer

from napari_mouse_seg.plans import PaintPlan
from napari_mouse_seg.plugin._train_panel import TrainWidget
from napari_mouse_seg.session import TrainState

if TYPE_CHECKING:
    from napari import Viewer
    from qtpy.QtWidgets import QApplication

PLACES = ((1200, 1500), (1200, 3000), (2600, 1500))
PATCH_PX = 256


class Painter:
    """Draws a short stroke in the patch twenty times a second, as a quick hand does."""

    def __init__(self, widget: TrainWidget) -> None:
        self._layers = widget.controller.desk.layers
        self._rng = np.random.default_rng(0)
        self._timer = QTimer()
        self._timer.setInterval(50)
        self._timer.timeout.connect(self._stroke)

    def start(self) -> None:
        """Begin to paint."""
        self._timer.start()

    def stop(self) -> None:
        """Lift the brush."""
        self._timer.stop()

    def _stroke(self) -> None:
        layer = self._layers.paint_layer
        if layer is not None:
            place = self._rng.integers(10, min(layer.data.shape[-2:]) - 10, 2)
            layer.paint(tuple(int(value) for value in place), layer.selected_label)


def wait_idle(application: QApplication, widget: TrainWidget) -> None:
    while widget.controller.session.state is not TrainState.IDLE:
        spin(application, 0.1)


def add_patches(application: QApplication, viewer: Viewer, widget: TrainWidget, layer: object) -> None:
    """Add patches, and let the bundled model paint them."""
    session, desk = widget.controller.session, widget.controller.desk
    for number, place in enumerate(PLACES, start=1):
        viewer.scene.camera.zoom = min(viewer.window._qt_viewer.canvas.size) / PATCH_PX / float(layer.scale[-1])
        viewer.scene.camera.center = (0, *layer.data_to_world(place))
        spin(application, 0.5)
        widget.panel.addPatchRequested.emit()
        while session.project is None or len(session.project.plan.patches) < number or desk.layers.paint_layer is None:
            spin(application, 0.1)
        spin(application, 1)
        widget.panel.prefillRequested.emit(desk.layers.patch_id)
        while not (np.asarray(desk.layers.paint_layer.data) > 1).any():
            spin(application, 0.1)
        patch = session.project.plan.patches[-1]
        session.update_patch(patch.replace(meaning=PaintPlan(rest_is_background=True)))
        spin(application, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--window", type=int, nargs=2, default=(2000, 1150), metavar=("WIDTH", "HEIGHT"))
    with open_window(*parser.parse_args().window) as (viewer, application, layer):
        widget = TrainWidget(viewer)
        viewer.window.add_dock_widget(widget, name="Train", area="right")
        spin(application, 2)
        heartbeat = Heartbeat(viewer)
        add_patches(application, viewer, widget, layer)
        painter = Painter(widget)
        heartbeat.take()
        painter.start()
        spin(application, 15)
        report("painting, no training", heartbeat.take())
        painter.stop()
        widget.panel.set_plan(widget.panel.value().replace(minutes=1.5))
        widget.panel.trainRequested.emit()
        spin(application, 30)
        report("training begins", heartbeat.take())
        painter.start()
        spin(application, 30)
        report("training and painting", heartbeat.take())
        painter.stop()
        spin(application, 15)
        report("training", heartbeat.take())
        wait_idle(application, widget)
        spin(application, 3)
        report("training ends, the model is shown in Segment", heartbeat.take())
        print(widget.panel.result_text() or widget.panel.failure_text())
        widget.controller.close()


if __name__ == "__main__":
    main()
