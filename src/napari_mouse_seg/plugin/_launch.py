"""Opens napari with the sample and the panel, for ``mouse-seg demo --gui``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from napari import Viewer

    from napari_mouse_seg.plugin._segment_panel import SegmentWidget


def open_viewer(path: Path | None = None) -> tuple[Viewer, SegmentWidget]:
    """Open a viewer with one image and the panel docked beside it.

    Parameters
    ----------
    path
        Image to open; the sample if None.

    Returns
    -------
    (Viewer, SegmentWidget)
        On the screen; napari's event loop is not started.
    """
    from napari import Viewer
    from qtpy.QtCore import QTimer

    from napari_mouse_seg.images import sample_path
    from napari_mouse_seg.plugin._reader import read
    from napari_mouse_seg.plugin._segment_panel import SegmentWidget

    viewer = Viewer()
    for data, arguments, _ in read(path or sample_path()):
        viewer.add_image(data, **arguments)
    widget = SegmentWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Segment (Mouse Seg)", area="right")
    QTimer.singleShot(0, viewer.reset_view)  # Once the panel has taken its part of the window.
    return viewer, widget


def show_demo() -> None:
    """Open the sample in napari, segment it, and return when the window is closed."""
    import napari

    _, widget = open_viewer()
    widget.panel.fullRequested.emit()
    napari.run()
