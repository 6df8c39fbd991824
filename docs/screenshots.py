"""Makes the pictures of the documentation, in a real napari window.

Run ``tools/with_display.sh .venv/bin/python docs/screenshots.py`` from the repository. The pictures of large
files need the data folder (``--data`` or the environment variable MOUSE_SEG_DATA) and are left out without it.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari import Viewer
    from numpy.typing import NDArray
    from qtpy.QtWidgets import QWidget

    from napari_mouse_seg.plugin._segment_panel import SegmentWidget

ROOT = Path(__file__).resolve().parent.parent
MOSAIC_PX = 8192
WINDOW = (1240, 800)
TIMEOUT_S = 1800
PIXEL_SIZE_UM = 0.65
MOST_BYTES = 300_000
FIELD = 20


@dataclass(frozen=True)
class Picture:
    """What to open, where to look and what to press."""

    name: str
    path: Path | None
    centre: tuple[float, float] | None = None  # rows and columns from 0 to 1
    zoom: float = 1.0  # canvas pixels per image pixel
    full: bool = False
    expect_model: str = "nuclei-fluorescence"
    truth: Path | None = None  # Labels of objects to compare the result with.


def take(picture: Picture, folder: Path) -> None:
    """Open, run, check that something was found, and write ``<name>.png``."""
    from napari.layers import Labels

    from napari_mouse_seg.plugin._launch import open_viewer

    viewer, widget = open_viewer(picture.path)
    viewer.window._qt_window.resize(*WINDOW)
    settle(0.5)
    wait_until(lambda: widget.panel.device_text() != "auto", TIMEOUT_S)  # torch is loaded
    settle(2.0)
    if picture.centre is None:
        viewer.reset_view()
    else:
        look_at(viewer, picture.centre, picture.zoom)
    settle(0.5)
    began = time.perf_counter()
    run(widget, picture.full)
    panel = widget.panel
    print(f"{picture.name}: {panel.result_text()} (in all {time.perf_counter() - began:.1f} s); {panel.warning_text()}")
    if panel.failure_text():
        sys.exit(f"{picture.name} failed: {panel.failure_text()}")
    if panel.model_name() != picture.expect_model or panel.warning_text():
        sys.exit(f"{picture.name}: {panel.model_name()} is chosen. {panel.warning_text()}")
    if picture.truth is not None:
        compare(viewer, widget, picture.truth)
    for layer in viewer.layers:
        if isinstance(layer, Labels):
            layer.contour = 2  # The image shows within.
    settle(1.0)
    save_picture(viewer, folder / f"{picture.name}.png")
    viewer.close()
    settle(0.2)


def compare(viewer: Viewer, widget: SegmentWidget, truth: Path) -> None:
    """Compare the result with labels, and press *Find best*."""
    import tifffile
    from qtpy.QtWidgets import QComboBox, QPushButton

    image, box = viewer.layers[0], widget.panel.truth_box
    labels = tifffile.imread(truth).astype(np.int32)
    layer = viewer.add_labels(labels, name="by hand", scale=image.scale[-2:], units=image.units[-2:], visible=False)
    box.expand()
    (choice,) = box.findChildren(QComboBox)
    choice.setCurrentText(layer.name)
    viewer.layers.selection.active = image
    (search,) = (button for button in box.findChildren(QPushButton) if button.text() == "Find best")
    wait_until(search.isEnabled, TIMEOUT_S)
    print("by hand:", box.score_text())
    search.click()
    wait_until(lambda: "IoU" in box.found_text() or "better" in box.found_text(), TIMEOUT_S)
    settle(2.0)  # The objects are found with the new thresholds, and compared.
    print("by hand:", box.score_text(), box.found_text())
    show_in_panel(box)


def show_in_panel(part: QWidget) -> None:
    """Scroll the panel that holds a part so that the part is seen whole."""
    from qtpy.QtWidgets import QScrollArea

    parent = part.parentWidget()
    while parent is not None and not isinstance(parent, QScrollArea):
        parent = parent.parentWidget()
    if parent is not None:
        settle(0.3)
        parent.ensureWidgetVisible(part, 0, 0)


def save_picture(viewer: Viewer, file: Path) -> None:
    """Write the window as a PNG of as many colours as a repository should hold."""
    from napari._qt.dialogs.qt_notification import NapariQtNotification
    from PIL import Image

    for notification in viewer.window._qt_window.findChildren(NapariQtNotification):
        notification.close()
    settle(0.3)
    file.parent.mkdir(parents=True, exist_ok=True)
    window = Image.fromarray(viewer.screenshot(canvas_only=False, flash=False)[..., :3])
    for colours in (256, 128, 64, 48):
        few = window.quantize(colours, method=Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE)
        few.save(file, optimize=True)
        if file.stat().st_size < MOST_BYTES:
            break
    print(f"{file.name}: {file.stat().st_size // 1000} kB in {colours} colours", flush=True)


def look_at(viewer: Viewer, centre: tuple[float, float], zoom: float) -> None:
    """Put a point of the first layer into the middle of the canvas."""
    layer = viewer.layers[0]
    rows, columns = layer.level_shapes[0][-2:]
    point = np.zeros(layer.ndim)
    point[-2:] = centre[0] * rows, centre[1] * columns
    viewer.scene.camera.center = (0.0, *layer.data_to_world(point)[-2:])
    viewer.scene.camera.zoom = zoom / float(layer.scale[-1])


def run(widget: SegmentWidget, full: bool) -> None:
    """Press a button and wait for the end."""
    from napari_mouse_seg.session import RunState

    requested = widget.panel.fullRequested if full else widget.panel.viewRequested
    requested.emit()
    wait_until(lambda: widget.controller.session.state is RunState.IDLE, TIMEOUT_S)


def settle(seconds: float) -> None:
    """Let the window draw for a while."""
    end = time.perf_counter() + seconds
    wait_until(lambda: time.perf_counter() >= end, seconds + 1)


def wait_until(is_done: Callable[[], bool], timeout_s: float) -> None:
    """Handle the window's events until something is so."""
    from qtpy.QtWidgets import QApplication

    end = time.perf_counter() + timeout_s
    while not is_done():
        QApplication.processEvents()
        time.sleep(0.002)
        if time.perf_counter() > end:
            sys.exit("The run did not end in time.")


def mosaic(data: Path) -> NDArray[np.uint16]:
    """Return an image of 8192 x 8192 pixels made of BBBC039 fields."""
    import tifffile

    fields = itertools.cycle(map(tifffile.imread, sorted((data / "bbbc039" / "images").glob("*.tif"))))
    rows = [np.concatenate(list(itertools.islice(fields, 12)), axis=1) for _ in range(16)]
    return np.concatenate(rows, axis=0)[:MOSAIC_PX, :MOSAIC_PX]


def halves(image: NDArray[np.uint16]) -> Iterator[NDArray[np.uint16]]:
    """Yield coarser levels by the mean of 2 x 2 pixels, down to 512."""
    while image.shape[0] > 512:
        rows, columns = (size // 2 for size in image.shape)
        image = image.reshape(rows, 2, columns, 2).mean(axis=(1, 3)).astype(image.dtype)
        yield image


def write_ome_tiff(path: Path, image: NDArray[np.uint16]) -> None:
    """Write a tiled pyramid with SubIFDs."""
    import tifffile

    coarser = list(halves(image))
    options = {"tile": (512, 512), "compression": "zlib", "photometric": "minisblack"}
    metadata = {"axes": "YX", "PhysicalSizeX": PIXEL_SIZE_UM, "PhysicalSizeY": PIXEL_SIZE_UM}
    with tifffile.TiffWriter(path, bigtiff=True, ome=True) as writer:
        writer.write(image, subifds=len(coarser), metadata=metadata, **options)
        for level in coarser:
            writer.write(level, subfiletype=1, **options)


def write_ome_zarr(path: Path, image: NDArray[np.uint16]) -> None:
    """Write OME-Zarr 0.5."""
    import zarr

    group = zarr.open_group(path, mode="w", zarr_format=3)
    levels = [image, *halves(image)]
    datasets = []
    for number, level in enumerate(levels):
        array = group.create_array(str(number), shape=level.shape, chunks=(512, 512), dtype=level.dtype)
        array[:] = level
        step = PIXEL_SIZE_UM * 2**number
        datasets.append({"path": str(number), "coordinateTransformations": [{"type": "scale", "scale": [step, step]}]})
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"name": "mosaic", "axes": axes, "datasets": datasets}]}


def pictures(data: Path | None, scratch: Path) -> Iterator[Picture]:
    """Yield all pictures that can be made."""
    import tifffile

    yield Picture("segment-panel", None, full=True)
    if data is None or not data.is_dir():
        print("No data folder: the pictures of large files are left out.")
        return
    field = sorted((data / "bbbc039" / "images").glob("*.tif"))[FIELD]
    write_ome_tiff(scratch / "field.ome.tif", tifffile.imread(field))
    yield Picture("compare", scratch / "field.ome.tif", full=True, truth=data / "bbbc039" / "labels" / field.name)
    image = mosaic(data)
    write_ome_tiff(scratch / "mosaic.ome.tif", image)
    yield Picture("large-ome-tiff", scratch / "mosaic.ome.tif", (0.55, 0.55), 0.8)
    write_ome_zarr(scratch / "mosaic.ome.zarr", image[:4096, :4096])
    yield Picture("ome-zarr", scratch / "mosaic.ome.zarr", (0.3, 0.3), 1.0)
    slide = data / "wsi" / "cmu_small_region.svs"
    yield Picture("whole-slide", slide, (0.35, 0.5), 1.5, expect_model="nuclei-histology")


def main() -> None:
    """Make the pictures that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("MOUSE_SEG_DATA", ROOT / "../shared/data")))
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--only", help="name of one picture")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for picture in pictures(options.data, Path(scratch)):
            if options.only in (None, picture.name):
                take(picture, options.output)


if __name__ == "__main__":
    main()
