"""Layers that the user moves or puts other data into, between two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.layers import Image, Labels, _layer_actions
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

from napari_mouse_seg.session import RunState

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_mouse_seg.plugin._segment_panel import SegmentWidget

    Discs = tuple[np.ndarray, list[tuple[int, int]]]
    Run = Callable[[str], None]

LONG_MS = 120_000


@pytest.fixture
def viewer(make_napari_viewer: Callable[..., Viewer], discs: Discs, set_view: Callable[..., None]) -> Viewer:
    """A viewer that shows the middle of the discs."""
    viewer = make_napari_viewer()
    viewer.add_image(discs[0], name="discs", scale=(0.5, 0.5), units=("um", "um"))
    viewer.canvas.size = (200, 200)
    set_view(viewer, (96, 128), 4.0)
    return viewer


@pytest.fixture
def run(viewer: Viewer, qtbot: QtBot, open_panel: Callable[[Viewer], SegmentWidget]) -> Run:
    """Return a function that presses a button of the panel and waits for the end of the run."""
    widget = open_panel(viewer)

    def press(text: str) -> None:
        (button,) = [one for one in widget.findChildren(QPushButton) if one.text() == text]
        qtbot.waitUntil(button.isEnabled, timeout=LONG_MS)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: widget.controller.session.state is RunState.IDLE, timeout=LONG_MS)

    return press


def labels_layers(viewer: Viewer) -> list[Labels]:
    return [layer for layer in viewer.layers if isinstance(layer, Labels)]


def labels_at(labels: Labels, image: Image, centres: list[tuple[int, int]]) -> set[int]:
    """Return the labels that lie on image pixels, by way of the world."""
    places = np.round([labels.world_to_data(image.data_to_world(centre)) for centre in centres]).astype(int)
    return set(np.asarray(labels.data)[tuple(places.T)].tolist())


@pytest.mark.parametrize("moved", [{"translate": (30, 40)}, {"rotate": 20.0}], ids=["translate", "rotate"])
def test_what_is_found_after_an_image_was_moved_lies_on_it(
    viewer: Viewer, run: Run, discs: Discs, moved: dict[str, Any]
) -> None:
    image = viewer.layers["discs"]
    run("Segment visible region")
    (before,) = labels_layers(viewer)
    kept = np.array(before.data)
    for name, value in moved.items():
        setattr(image, name, value)
    run("Segment full image")
    _, after = labels_layers(viewer)
    assert labels_at(after, image, discs[1]) == set(range(1, len(discs[1]) + 1))
    np.testing.assert_array_equal(before.data, kept)


def test_labels_that_were_converted_are_left_alone_and_all_that_is_found_is_seen(
    viewer: Viewer, run: Run, discs: Discs
) -> None:
    run("Segment visible region")
    (mine,) = labels_layers(viewer)
    viewer.layers.selection.active = mine
    _layer_actions._convert_dtype(viewer.layers, mode="int64")
    kept = np.array(mine.data)
    run("Segment full image")
    _, found = labels_layers(viewer)
    assert labels_at(found, viewer.layers["discs"], discs[1]) == set(range(1, len(discs[1]) + 1))
    assert mine.data.dtype == np.int64
    np.testing.assert_array_equal(mine.data, kept)
    run("Segment full image")
    assert labels_layers(viewer) == [mine, found]
