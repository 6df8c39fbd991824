"""The dock widget *Segment* that the manifest names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from napari_mouse_seg.plugin._controller import SegmentController
from napari_mouse_seg.widgets import SegmentPanel

if TYPE_CHECKING:
    import napari
    from qtpy.QtGui import QShowEvent

    from napari_mouse_seg.networks import Model

_AFTER_OPENING_MS = 300


class SegmentWidget(QWidget):
    """The panel with a controller that lives as long as it does.

    Parameters
    ----------
    napari_viewer
        Whose layers are segmented.
    models
        What to offer; the bundled models if None.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer, models: tuple[Model, ...] | None = None) -> None:
        super().__init__()
        if models is None:
            from napari_mouse_seg.networks import list_models

            models = list_models()
        self.panel = SegmentPanel()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.panel)
        self.setMinimumWidth(300)
        # Without this napari gives half of the height to an empty stretch.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.controller = SegmentController(napari_viewer, self.panel, models)
        self.destroyed.connect(self.controller.close)
        self._window: QWidget | None = None
        QTimer.singleShot(_AFTER_OPENING_MS, self.controller.warm_up)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Watch the window that the panel is in, because its closing must end the run."""
        super().showEvent(event)
        window = self.window()
        if window is not self._window and window is not None:
            if self._window is not None:
                self._window.removeEventFilter(self)
            self._window = window
            window.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Stop the run when the window closes; the user may still change their mind about closing."""
        if event is not None and watched is self._window and event.type() == QEvent.Type.Close:
            self.controller.stop()
        return False
