"""A napari window with a large image of real nuclei in it."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from napari import Viewer
from qtpy.QtWidgets import QApplication
from speed import write_pyramid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.layers import Image

SIDE_PX = 8192


class Window(NamedTuple):
    """A viewer, the application that it lives in, and the layer that shows the image."""

    viewer: Viewer
    application: QApplication
    layer: Image


@contextmanager
def open_window(width: int = 2000, height: int = 1150) -> Iterator[Window]:
    """Open a window that shows an 8192 x 8192 pyramid of BBBC039 fields; it is closed in the end, the image removed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "view.ome.tif"
        write_pyramid(path, SIDE_PX)
        viewer = Viewer()
        viewer.window._qt_window.resize(width, height)
        (layer,) = viewer.open(path, plugin="napari-mouse-seg")
        yield Window(viewer, QApplication.instance(), layer)
        viewer.close()
