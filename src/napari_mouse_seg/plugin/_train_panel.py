"""The dock widget *Train* that the manifest names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_mouse_seg.plugin._dock import PanelDock
from napari_mouse_seg.plugin._model_shelf import ModelShelf, plain_viewer, shelf_of
from napari_mouse_seg.plugin._train_controller import TrainController
from napari_mouse_seg.widgets import TrainPanel

if TYPE_CHECKING:
    import napari

    from napari_mouse_seg.networks import Model


class TrainWidget(PanelDock):
    """The panel with a controller that lives as long as it does.

    Parameters
    ----------
    napari_viewer
        Whose images are painted.
    models
        What to start from; those of the viewer, at first the bundled ones, if None.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer, models: tuple[Model, ...] | None = None) -> None:
        super().__init__()
        viewer = plain_viewer(napari_viewer)
        shelf = shelf_of(viewer) if models is None else ModelShelf(models)
        self.panel = TrainPanel()
        self.controller = TrainController(viewer, self.panel, shelf)
        self.dock(self.panel, self.controller)
