"""Walks through painting and training with real mouse events in a real window, and takes the tutorial's pictures.

Run ``tools/with_display.sh .venv/bin/python docs/walk_training.py`` from the repository. The image is a pyramid made of
DSB2018 histology training images (CC0) from the data folder (``--data`` or the environment variable MOUSE_SEG_DATA);
the hand that paints follows their truth.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tifffile
from screenshots import ROOT, WINDOW, save_picture, settle, show_in_panel, wait_until, write_ome_tiff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari import Viewer
    from numpy.typing import NDArray

    from napari_mouse_seg.plugin._segment_panel import SegmentWidget
    from napari_mouse_seg.plugin._train_panel import TrainWidget

    Take = Callable[[str], None]

PATCH_PX = 256
SIZE = (WINDOW[0] + 200, WINDOW[1] + 150)
CELL = (256, 320)
CELLS = 8
TIMEOUT_S = 600
MOVE_S = 0.02  # The canvas drops moves that come faster.
BRUSH_PX = 4  # Of strokes from edge to edge.
BEYOND_PX = 6


def mosaic(data: Path) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return a grey mosaic of 8 x 8 fields and its instances."""
    with (data / "dsb2018" / "index.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["modality"] == "histology" and row["split"] == "train"]
    fields = []
    for row in rows:
        pixels = tifffile.imread(data / "dsb2018" / "images" / f"{row['id']}.tif")
        labels = tifffile.imread(data / "dsb2018" / "labels" / f"{row['id']}.tif").astype(np.int32)
        fields.append((pixels[..., :3].mean(-1).round().astype(np.uint8), labels))
    image = np.zeros((CELLS * CELL[0], CELLS * CELL[1]), np.uint8)
    truth = np.zeros(image.shape, np.int32)
    for index in range(CELLS**2):
        y, x = index // CELLS * CELL[0], index % CELLS * CELL[1]
        box = np.s_[y : y + CELL[0], x : x + CELL[1]]
        pixels, labels = fields[index % len(fields)]
        image[box] = pixels
        truth[box] = np.where(labels > 0, labels + truth.max(), 0)
    return image, truth


class Hand:
    """A mouse over the canvas of one viewer."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._canvas = viewer.window._qt_viewer.canvas.native

    def stroke(self, points: list[tuple[float, float]]) -> None:
        """Press at the first position, move along the others, release at the last; in image pixels."""
        from qtpy.QtCore import QPoint, Qt
        from qtpy.QtTest import QTest
        from qtpy.QtWidgets import QApplication

        places = [QPoint(*self._on_canvas(point)) for point in points]
        left = Qt.MouseButton.LeftButton
        QTest.mouseMove(self._canvas, places[0])
        QTest.mousePress(self._canvas, left, pos=places[0])
        for place in places[1:]:
            QApplication.processEvents()
            time.sleep(MOVE_S)
            _move_pressed(self._canvas, place)
        time.sleep(MOVE_S)  # napari would take a movement for a hover that it looks at after the release.
        _move_pressed(self._canvas, places[-1])
        QApplication.processEvents()
        QTest.mouseRelease(self._canvas, left, pos=places[-1])

    def key(self, letter: str) -> None:
        """Press a key over the canvas."""
        from qtpy.QtTest import QTest

        QTest.keyClicks(self._canvas, letter)

    def _on_canvas(self, point: tuple[float, float]) -> tuple[int, int]:
        camera = self._viewer.scene.camera
        centre = np.asarray(camera.center)[-2:]
        rows, columns = self._viewer.canvas.size
        y, x = (np.asarray(point) * world_per_pixel(self._viewer) - centre) * camera.zoom + np.array(
            [rows, columns]
        ) / 2
        return round(float(x)), round(float(y))


def world_per_pixel(viewer: Viewer) -> float:
    """Return the size of an image pixel."""
    return float(viewer.layers[0].scale[-1])


def _move_pressed(widget: object, place: object) -> None:
    """Move the mouse with its left button held, which QTest cannot say."""
    from qtpy.QtCore import QEvent, QPointF, Qt
    from qtpy.QtGui import QMouseEvent
    from qtpy.QtWidgets import QApplication

    point = QPointF(place)
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    where = QPointF(widget.mapToGlobal(place))
    event = QMouseEvent(QEvent.Type.MouseMove, point, where, Qt.MouseButton.NoButton, left, none)
    QApplication.sendEvent(widget, event)


def lines_inside(mask: NDArray[np.bool_], step: int) -> list[tuple[int, int, int]]:
    """Return (row, first column, last column) of lines within a mask, one pixel away from its ends."""
    lines = []
    rows = np.flatnonzero(mask.any(1))
    for row in rows[step // 2 :: step]:
        columns = np.flatnonzero(mask[row])
        if len(columns) > 4 and (np.diff(columns) == 1).all():
            lines.append((int(row), int(columns[0]) + 2, int(columns[-1]) - 2))
    return lines


def line_across(patch: NDArray[np.int32], label: int) -> list[tuple[int, int, int]]:
    """Return the line nearest an object's middle that ends at background on both sides; none if there is none."""
    mask = patch == label
    middle = float(np.median(np.nonzero(mask)[0]))
    clear = [
        (row, first, last)
        for row, first, last in lines_inside(mask, 1)
        if not patch[row, max(0, first - BEYOND_PX) : first - 2].any()
        and not patch[row, last + 3 : last + BEYOND_PX].any()
    ]
    return sorted(clear, key=lambda line: abs(line[0] - middle))[:1]


def paint(
    hand: Hand, truth: NDArray[np.int32], box: tuple[int, int, int, int], *, whole: bool, widget: TrainWidget
) -> int:
    """Paint the objects of a patch: filled line by line, or with one stroke across each. Return how many."""
    from qtpy.QtWidgets import QApplication

    y0, x0, y1, x1 = box
    patch = truth[y0:y1, x0:x1]
    count = 0
    for label in np.unique(patch[patch > 0]):
        lines = lines_inside(patch == label, 2) if whole else line_across(patch, int(label))
        if not lines:
            continue
        hand.key("n")
        for row, first, last in lines:
            hand.stroke([(y0 + row, x0 + column) for column in np.linspace(first, last, 4)])
        count += 1
        QApplication.processEvents()
    if not whole:
        hand.key("b")
        background = patch == 0
        for row in range(12, patch.shape[0], 48):
            columns = np.flatnonzero(background[row - 3 : row + 4].all(0))
            for run in np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1):
                if len(run) > 12:
                    hand.stroke([(y0 + row, x0 + column) for column in np.linspace(run[3], run[-4], 5)])
    settle(1.5)
    assert widget.controller.session.summary(widget.controller.desk.layers.patch_id).n_objects >= count * 0.8
    return count


def look_at(viewer: Viewer, centre: tuple[float, float], size_px: float) -> None:
    """Show so many image pixels around a position."""
    unit = world_per_pixel(viewer)
    viewer.scene.camera.center = (0.0, centre[0] * unit, centre[1] * unit)
    viewer.scene.camera.zoom = min(viewer.canvas.size) / size_px / unit
    settle(0.5)


def add_patch(viewer: Viewer, widget: TrainWidget, centre: tuple[float, float]) -> tuple[int, int, int, int]:
    """Add a patch at a position, and return its box."""
    look_at(viewer, centre, PATCH_PX)
    desk = widget.controller.desk
    before = desk.layers.patch_id
    widget.panel.addPatchRequested.emit()
    wait_until(lambda: desk.layers.patch_id not in ("", before), TIMEOUT_S)
    settle(0.5)
    return widget.controller.session.project.plan.patches[-1].box


def walk(viewer: Viewer, segment: SegmentWidget, train: TrainWidget, truth: NDArray[np.int32], take: Take) -> None:
    """Add, paint, validate, train, compare."""
    from napari_mouse_seg.plans import PaintPlan
    from napari_mouse_seg.widgets._round_list import RoundList

    hand, session, panel = Hand(viewer), train.controller.session, train.panel
    box = add_patch(viewer, train, (384, 480))
    take("train-patch")
    patch = session.project.plan.patches[0]
    session.update_patch(patch.replace(meaning=PaintPlan(whole_objects=False, ends_at_edges=True)))
    layer = train.controller.desk.layers.paint_layer
    usual, layer.brush_size = layer.brush_size, BRUSH_PX
    print("strokes in", paint(hand, truth, box, whole=False, widget=train), "objects")
    take("train-strokes")
    layer.brush_size = usual
    box = add_patch(viewer, train, (896, 1120))
    print("filled", paint(hand, truth, box, whole=True, widget=train), "objects")
    second = session.project.plan.patches[1]
    meaning = PaintPlan(rest_is_background=True)
    session.update_patch(second.replace(role="validate", meaning=meaning))
    look_at(viewer, (1300, 1600), 500)
    for minutes, name in ((1.5, "train-running"), (1.0, "")):
        panel.set_plan(panel.value().replace(minutes=minutes))
        panel.trainRequested.emit()
        if name:
            wait_until(lambda: session.state.value == "idle" or len(panel.curve_text()) > 0, TIMEOUT_S)
            settle(45)
            take(name)
        wait_until(lambda: session.state.value == "idle", TIMEOUT_S)
        settle(4)
        if panel.failure_text():
            sys.exit(f"Training failed: {panel.failure_text()}")
        print(panel.result_text(), [(entry.name, entry.score) for entry in session.project.plan.rounds])
    assert "2" in segment.panel.model_name()
    panel.roundsCompared.emit(1, 2)
    settle(12)
    viewer.layers["Preview of training"].visible = False
    (rounds,) = train.findChildren(RoundList)
    show_in_panel(rounds)
    take("train-rounds")


@contextmanager
def panels(file: Path, size: tuple[int, int] = SIZE) -> Iterator[tuple[Viewer, SegmentWidget, TrainWidget]]:
    """Open an image in a window with both panels, *Train* in front, and close everything in the end."""
    from napari import Viewer

    from napari_mouse_seg.plugin._segment_panel import SegmentWidget
    from napari_mouse_seg.plugin._train_panel import TrainWidget

    viewer = Viewer()
    viewer.window._qt_window.resize(*size)
    viewer.open(file, plugin="napari-mouse-seg")
    segment, train = SegmentWidget(viewer), TrainWidget(viewer)
    viewer.window.add_dock_widget(segment, name="Segment (Mouse Seg)", area="right")
    viewer.window.add_dock_widget(train, name="Train (Mouse Seg)", area="right", tabify=True).raise_()
    settle(2)
    try:
        yield viewer, segment, train
    finally:
        train.controller.close()
        segment.controller.close()
        viewer.close()


def options_of(about: str | None) -> argparse.Namespace:
    """Return where the data are, and where pictures go."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("MOUSE_SEG_DATA", ROOT / "../shared/data")))
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images")
    options = parser.parse_args()
    if not options.data.is_dir():
        sys.exit(f"There are no images at {options.data}.")
    return options


def main() -> None:
    """Make the image, open the window and walk."""
    options = options_of(__doc__)
    image, truth = mosaic(options.data)
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "section.ome.tif"
        write_ome_tiff(file, image)
        with panels(file) as (viewer, segment, train):
            walk(viewer, segment, train, truth, lambda name: save_picture(viewer, options.output / f"{name}.png"))


if __name__ == "__main__":
    main()
