"""Walks through painting and training areas with real mouse events in a real window, and takes the tutorial's pictures.

Run ``tools/with_display.sh .venv/bin/python docs/walk_areas.py`` from the repository. The image is a section of the
Drosophila larva's ventral nerve cord (Gerhard et al., figshare 856713, CC BY 4.0) from the data folder (``--data`` or
the environment variable MOUSE_SEG_DATA); the hand that paints follows its annotation.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tifffile
from scipy import ndimage
from screenshots import save_picture, settle, wait_until
from skimage.morphology import skeletonize
from walk_training import TIMEOUT_S, Hand, add_patch, look_at, options_of, panels

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Labels
    from numpy.typing import NDArray
    from qtpy.QtWidgets import QWidget
    from walk_training import Take

    from napari_mouse_seg.plugin._segment_panel import SegmentWidget
    from napari_mouse_seg.plugin._train_panel import TrainWidget

BACKGROUND, MITOCHONDRIA, MEMBRANE = 1, 2, 3
MITOCHONDRIA_GREY, GREATEST_MEMBRANE_GREY = 191, 128
PIXEL_SIZE_UM = 0.0046
PATCHES = ((160, 160), (520, 240), (850, 560))
VALIDATE = (480, 600)
MINUTES = 6.0
ROW_STEP_PX = {MITOCHONDRIA: 5, BACKGROUND: 40}
SHORTEST_PX = 6
SIZE = (1180, 800)  # Small, since electron micrographs do not compress.
BRUSH_PX = {MITOCHONDRIA: 8, MEMBRANE: 3, BACKGROUND: 8}


def truth_of(data: Path) -> NDArray[np.uint8]:
    """Return the annotation as labels of the three classes."""
    grey = tifffile.imread(data / "vnc_sstem" / "labels" / "00.tif")
    labels = np.full(grey.shape, BACKGROUND, np.uint8)
    labels[grey == MITOCHONDRIA_GREY] = MITOCHONDRIA
    labels[grey <= GREATEST_MEMBRANE_GREY] = MEMBRANE
    return labels


def press(widget: QWidget, text: str) -> None:
    """Click a button with a text, once it is on."""
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest
    from qtpy.QtWidgets import QAbstractButton

    buttons = [one for one in widget.findChildren(QAbstractButton) if one.text() == text and one.isVisibleTo(widget)]
    (button,) = buttons
    wait_until(button.isEnabled, TIMEOUT_S)
    place = button.rect().center()
    if button.isCheckable():
        place.setX(8)  # A radio button takes clicks on its circle and text only.
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=place)
    settle(0.3)


def name_class(widget: QWidget, old: str, new: str) -> None:
    """Type another name over the one of a class."""
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest
    from qtpy.QtWidgets import QLineEdit

    (line,) = (one for one in widget.findChildren(QLineEdit) if one.text() == old and one.isVisibleTo(widget))
    line.selectAll()
    QTest.keyClicks(line, new)
    QTest.keyClick(line, Qt.Key.Key_Return)
    settle(0.3)


def choose_base(widget: QWidget, text: str) -> None:
    """Choose the base model whose name holds a text."""
    from qtpy.QtWidgets import QComboBox

    for box in widget.findChildren(QComboBox):
        names = [box.itemText(index) for index in range(box.count())]
        for index, name in enumerate(names):
            if text in name:
                box.setCurrentIndex(index)
                return
    sys.exit(f"There is no base model {text!r}.")


def along(mask: NDArray[np.bool_], step: int) -> list[list[tuple[int, int]]]:
    """Return lines along the middle of thin shapes, one for each piece between two forks."""
    middle = skeletonize(mask)
    neighbours = ndimage.convolve(middle.astype(int), np.ones((3, 3), int), mode="constant") - 1
    pieces, count = ndimage.label(middle & (neighbours < 3), np.ones((3, 3)))
    lines = []
    for piece in range(1, count + 1):
        rest = {tuple(place) for place in np.argwhere(pieces == piece).tolist()}
        if len(rest) < 12:
            continue
        ends = [place for place in rest if _near(place, rest) == 1]
        here = ends[0] if ends else next(iter(rest))
        line = []
        while here is not None:
            rest.discard(here)
            line.append(here)
            here = next((place for place in rest if max(abs(place[0] - here[0]), abs(place[1] - here[1])) == 1), None)
        lines.append([*line[2:-2:step], line[-3]])
    return lines


def _near(place: tuple[int, int], others: set[tuple[int, int]]) -> int:
    return sum(max(abs(place[0] - y), abs(place[1] - x)) == 1 for y, x in others)


def lines_of(label: int, patch: NDArray[np.uint8]) -> list[list[tuple[int, int]]]:
    """Return the strokes that a hand makes for one class of a patch."""
    mask = patch == label
    if label == MEMBRANE:
        return along(mask, 6)[::2]
    inner = ndimage.binary_erosion(mask, iterations=5, border_value=1)
    rows = np.zeros_like(inner)
    step = ROW_STEP_PX[label]
    rows[step // 2 :: step] = inner[step // 2 :: step]
    runs, _ = ndimage.label(rows)
    boxes = [box for box in ndimage.find_objects(runs) if box[1].stop - box[1].start > SHORTEST_PX]
    return [[(y.start, int(column)) for column in np.linspace(x.start, x.stop - 1, 6)] for y, x in boxes]


def paint(hand: Hand, layer: Labels, truth: NDArray[np.uint8], box: tuple[int, int, int, int]) -> None:
    """Paint a patch with the keys B and N and strokes that stay within their class."""
    y0, x0, y1, x1 = box
    hand.key("b")
    for label in (BACKGROUND, MITOCHONDRIA, MEMBRANE):
        assert layer.selected_label == label, layer.selected_label
        layer.brush_size = BRUSH_PX[label]
        for line in lines_of(label, truth[y0:y1, x0:x1]):
            hand.stroke([(y0 + row, x0 + column) for row, column in line])
        hand.key("n")
    settle(1.5)
    painted = np.asarray(layer.data).reshape(y1 - y0, x1 - x0)
    right = painted == truth[y0:y1, x0:x1]
    shares = {label: round(float((painted == label).mean()), 3) for label in BRUSH_PX}
    print("painted", shares, "right", round(float(right[painted > 0].mean()), 3), flush=True)


def walk(viewer: Viewer, segment: SegmentWidget, train: TrainWidget, truth: NDArray[np.uint8], take: Take) -> None:
    """Choose areas, paint three patches and one to validate, train, and look at the whole section."""
    hand, session, panel = Hand(viewer), train.controller.session, train.panel
    press(train, "Areas")
    name_class(train, "Class 1", "Mitochondria")
    press(train, "Add class")
    name_class(train, "Class 2", "Membrane")
    choose_base(train, "New: small U-Net")
    for centre in (*PATCHES, VALIDATE):
        box = add_patch(viewer, train, centre)
        paint(hand, train.controller.desk.layers.paint_layer, truth, box)
        if centre == PATCHES[0]:
            take("areas-paint")
    session.update_patch(session.project.plan.patches[-1].replace(role="validate"))
    look_at(viewer, (512, 512), 700)
    panel.set_plan(panel.value().replace(minutes=MINUTES))
    press(train, "Train")
    wait_until(lambda: session.state.value == "idle" or len(panel.curve_text()) > 0, TIMEOUT_S)
    settle(MINUTES * 40)
    take("areas-training")
    wait_until(lambda: session.state.value == "idle", TIMEOUT_S)
    settle(4)
    if panel.failure_text():
        sys.exit(f"Training failed: {panel.failure_text()}")
    print(panel.result_text(), [(entry.name, entry.score) for entry in session.project.plan.rounds])
    look(viewer, segment, truth, take)


def look(viewer: Viewer, segment: SegmentWidget, truth: NDArray[np.uint8], take: Take) -> None:
    """Segment the whole section with the new model."""
    from qtpy.QtWidgets import QDockWidget

    for layer in list(viewer.layers)[1:]:
        layer.visible = False
    for dock in viewer.window._qt_window.findChildren(QDockWidget):
        if dock.isAncestorOf(segment):
            dock.raise_()
    look_at(viewer, (512, 512), 1040)
    press(segment, "Segment full image")
    wait_until(lambda: segment.controller.session.state.value == "idle", TIMEOUT_S)
    settle(1)
    viewer.layers[-1].opacity = 0.5
    found = np.asarray(viewer.layers[-1].data).reshape(truth.shape)
    for label in BRUSH_PX:
        one, other = found == label, truth == label
        print(label, "IoU over the section", round(float((one & other).sum() / (one | other).sum()), 3))
    print(segment.panel.result_text(), viewer.layers[-1].name, flush=True)
    take("areas-result")


def main() -> None:
    """Open the section and walk."""
    options = options_of(__doc__)
    image = tifffile.imread(options.data / "vnc_sstem" / "images" / "00.tif")
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "section.ome.tif"
        metadata = {"axes": "YX", "PhysicalSizeX": PIXEL_SIZE_UM, "PhysicalSizeY": PIXEL_SIZE_UM}
        tifffile.imwrite(file, image, ome=True, metadata=metadata, tile=(256, 256))
        with panels(file, SIZE) as (viewer, segment, train):
            walk(
                viewer,
                segment,
                train,
                truth_of(options.data),
                lambda name: save_picture(viewer, options.output / f"{name}.png"),
            )


if __name__ == "__main__":
    main()
