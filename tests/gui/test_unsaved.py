"""Strokes and rounds that cannot be saved at once, in a real window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tifffile

from napari_mouse_seg.plugin import _saving_again

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from helpers.desks import Desk


@pytest.fixture
def impatient_desk(open_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return a desk that tries again soon."""
    monkeypatch.setattr(_saving_again, "AGAIN_MS", 200)
    return open_desk()


def rescued(home: Path) -> list[Path]:
    return sorted((home / "mouse-seg" / "rescued").rglob("*.paint.tif"))


def test_paint_is_saved_without_a_new_stroke_once_the_folder_is_back(impatient_desk: Desk, tmp_path: Path) -> None:
    desk = impatient_desk
    paint, folder = desk.add_patch(), desk.project.folder
    folder.rename(tmp_path / "aside")
    desk.hands.stroke(paint, [(30, 20), (30, 40)])
    desk.until(lambda: "still in the viewer" in desk.panel.failure_text())
    (tmp_path / "aside").rename(folder)
    desk.until(lambda: not desk.session.is_behind)
    assert desk.saved()[30, 30] == 2
    assert desk.panel.failure_text() == ""


def test_paint_that_cannot_be_saved_is_rescued_when_the_image_leaves_the_viewer(
    desk: Desk, tmp_path: Path, home: Path
) -> None:
    desk.hands.stroke(desk.add_patch(), [(30, 20), (30, 40)])
    desk.project.folder.rename(tmp_path / "aside")
    desk.viewer.layers.remove(desk.image)
    (file,) = rescued(home)
    assert tifffile.imread(file)[30, 30] == 2
    assert str(file.parent) in desk.panel.failure_text()
    assert "still in the viewer" not in desk.panel.failure_text()


@pytest.mark.parametrize("is_window_closed", [False, True])
def test_paint_that_cannot_be_saved_is_rescued_when_panel_or_window_are_closed(
    desk: Desk, tmp_path: Path, home: Path, is_window_closed: bool
) -> None:
    desk.hands.stroke(desk.add_patch(), [(30, 20), (30, 40)])
    desk.project.folder.rename(tmp_path / "aside")
    if is_window_closed:
        desk.viewer.close()
    else:
        desk.viewer.window.remove_dock_widget(desk.widget)
        desk.widget.deleteLater()
    desk.until(lambda: rescued(home))
    assert tifffile.imread(rescued(home)[0])[30, 30] == 2
