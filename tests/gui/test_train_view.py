"""What the view shows while patches are painted: the patch's frame, and what lies over what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtWidgets import QScrollArea

from helpers.desks import MIDDLE
from napari_mouse_seg.plans import PatchPlan
from napari_mouse_seg.widgets import CurveView, PatchRow
from napari_mouse_seg.widgets._patch_list import PatchList

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels

    from helpers.desks import Desk

FRAME = (245, 158, 11)


def frame_seen(desk: Desk) -> tuple[np.ndarray, np.ndarray]:
    """Corners of what is drawn in the frame's colour, first and last, in pixels of the image."""
    desk.qtbot.wait(100)  # The canvas draws when the window is idle.
    picture = desk.viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    places = np.argwhere((abs(picture - FRAME) < 40).all(-1))
    assert len(places), "no frame is drawn"
    scene, half = desk.viewer.scene.camera, np.array(picture.shape[:2]) / 2
    world = [np.asarray(scene.center)[-2:] + (edge - half) / scene.zoom for edge in (places.min(0), places.max(0) + 1)]
    first, last = (np.asarray(desk.image.world_to_data(corner))[-2:] for corner in world)
    return first, last


def edges_of(paint: Labels, desk: Desk) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = paint.data.shape[-2:]
    corners = ((-0.5, -0.5), (rows - 0.5, columns - 0.5))
    first, last = (np.asarray(desk.image.world_to_data(paint.data_to_world(corner)))[-2:] for corner in corners)
    return first, last


@pytest.mark.parametrize("placed", [{}, {"scale": (0.5, 0.5), "translate": (100, -40)}], ids=["plain", "moved"])
def test_a_frame_shows_where_painting_is_possible(open_desk: Callable[..., Desk], placed: dict[str, object]) -> None:
    desk = open_desk(**placed)
    for centre in ((120.0, 140.0), MIDDLE):  # The second takes the place of the first.
        paint = desk.add_patch(centre)
        desk.viewer.scene.camera.zoom /= 1.5
        canvas_px = 1 / (
            desk.viewer.scene.camera.zoom * desk.image.scale[-1]
        )  # Of a pixel of the canvas, in the image.
        np.testing.assert_allclose(frame_seen(desk), edges_of(paint, desk), atol=3 * canvas_px)
    desk.paint.visible = False
    with pytest.raises(AssertionError, match="no frame"):
        frame_seen(desk)


def test_a_frame_is_no_layer_and_leaves_what_is_selected_alone(desk: Desk) -> None:
    paint = desk.add_patch()
    assert list(desk.viewer.layers) == [desk.image, desk.pixels, paint]
    assert desk.viewer.layers.selection == {paint}
    desk.hands.stroke(paint, [(30, 20), (30, 40)])
    desk.until_saved()
    assert set(np.unique(desk.saved())) == {0, 2}


@pytest.mark.parametrize(("height", "has_curve"), [(800, False), (1150, True)])
def test_while_training_four_patches_are_in_sight(desk: Desk, height: int, has_curve: bool) -> None:
    desk.viewer.window._qt_window.resize(1240, height)
    panel = desk.panel
    panel.set_project("/data/slide.mouse-seg", "", ())
    plans = [PatchPlan(id=f"p{number:03d}", box=(0, 0, 64, 64)) for number in range(1, 5)]
    panel.set_patches([PatchRow(plan, None, 0.1, 3) for plan in plans])
    panel.begin_training()
    panel.add_point(10, 0.5, 0.75)
    panel.show_progress(10, 100, 60.0)
    desk.qtbot.wait(300)
    area, patches = panel.findChild(QScrollArea), panel.findChild(PatchList)
    seen = [patches.visualItemRect(patches.item(row)) for row in range(4)]
    lowest = max(patches.viewport().mapTo(area, rect.bottomLeft()).y() for rect in seen)
    assert lowest < area.height()
    (curve,) = [one for one in panel.findChildren(CurveView) if one.isVisibleTo(panel)]
    assert (curve.height() > 80) is has_curve
    for text in ("Pause", "Stop and keep best", "Cancel"):
        target = desk.button(text)
        assert panel.rect().contains(target.mapTo(panel, target.rect().bottomRight()))
    panel.end_training()
