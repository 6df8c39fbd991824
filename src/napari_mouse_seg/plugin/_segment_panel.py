"""The dock widget *Segment* that the manifest names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer

from napari_mouse_seg.plugin._controller import SegmentController
from napari_mouse_seg.plugin._dock import PanelDock
from napari_mouse_seg.plugin._model_shelf import ModelShelf, plain_viewer, shelf_of
from napari_mouse_seg.widgets import SegmentPanel

if TYPE_CHECKING:
    import napari

    from napari_mouse_seg.networks import Model

_AFTER_OPENING_MS = 300


class SegmentWidget(PanelDock):
    """The panel with a controller that lives as long as it does.

    Parameters
    ----------
    napari_viewer
        Whose layers are segmented.
    models
        What to offer; those of the viewer, at first the bundled ones, if None.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer, models: tuple[Model, ...] | None = None) -> None:
        super().__init__()
        viewer = plain_viewer(napari_viewer)
        shelf = shelf_of(viewer) if models is None else ModelShelf(models)
        self.panel = SegmentPanel()
        self.controller = SegmentController(viewer, self.panel, shelf)
        self.dock(self.panel, self.controller)
        QTimer.singleShot(_AFTER_OPENING_MS, self.controller.warm_up)
