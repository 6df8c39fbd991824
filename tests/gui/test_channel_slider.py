"""Where channels are an axis of the layer, napari's slider and the panel's list show the same one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QPushButton

from napari_mouse_seg.session import RunState

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_mouse_seg.plugin._segment_panel import SegmentWidget

LONG_MS = 240_000


def channels(widget: SegmentWidget) -> QComboBox:
    (box,) = [one for one in widget.findChildren(QComboBox) if one.findText("Channel 1") >= 0]
    return box


@pytest.mark.parametrize("placed", [{}, {"scale": (1, 3, 0.5, 0.5), "translate": (0, 7, 2, 2)}], ids=["plain", "moved"])
def test_a_channel_chosen_in_the_panel_is_shown_and_segmented_in_sight(
    qtbot: QtBot,
    make_napari_viewer: Callable[..., Viewer],
    open_panel: Callable[[Viewer], SegmentWidget],
    discs: tuple[np.ndarray, list[tuple[int, int]]],
    placed: dict[str, tuple[float, ...]],
) -> None:
    viewer = make_napari_viewer()
    pixels = np.stack([np.zeros_like(discs[0]), discs[0], np.zeros_like(discs[0])])
    image = viewer.add_image(np.stack([pixels] * 2), name="stack", axis_labels=("z", "c", "y", "x"), **placed)

    def shown() -> tuple[int, ...]:
        return tuple(int(index) for index in np.round(image.world_to_data(viewer.dims.point)[:2]))

    viewer.dims.set_point((0, 1), image.data_to_world((1, 0, 0, 0))[:2])
    widget = open_panel(viewer)
    widget.controller.update_view()
    assert shown() == (1, 0)
    channels(widget).setCurrentIndex(1)
    assert shown() == (1, 1)
    widget.controller.update_view()
    assert shown() == (1, 1)
    (button,) = [one for one in widget.findChildren(QPushButton) if one.text() == "Segment visible region"]
    qtbot.waitUntil(button.isEnabled, timeout=LONG_MS)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=LONG_MS)
    qtbot.waitUntil(lambda: widget.controller.session.state is RunState.IDLE, timeout=LONG_MS)
    assert np.any(viewer.layers[-1]._slice.image.view)  # What the canvas draws.
    viewer.dims.set_point(1, image.data_to_world((1, 2, 0, 0))[1])
    widget.controller.update_view()
    assert channels(widget).currentIndex() == 2
    assert shown() == (1, 2)
