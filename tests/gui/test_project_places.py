"""Which project goes with the image that is open, where it lies, and what the panel says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_mouse_seg.projects import Project
from napari_mouse_seg.widgets import _dialogs

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from helpers.desks import Desk


def leave(desk: Desk) -> None:
    """Close the window; vispy cannot draw two at a time."""
    desk.widget.controller.close()
    desk.viewer.close()


def test_a_project_that_was_open_elsewhere_can_be_painted_once_it_is_opened_again(
    desk: Desk, open_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.add_patch()
    folder = desk.project.folder
    leave(desk)
    with Project.open(folder):
        second = open_desk()
        assert "close it there, then open it here again" in second.texts()
    monkeypatch.setattr(_dialogs, "ask_folder", lambda *_: folder)
    second.press("Open project…")
    second.until(lambda: not second.project.read_only, timeout_ms=30_000)
    assert "another window" not in second.texts()
    second.hands.stroke(second.paint, [(30, 20), (30, 40)])
    second.until_saved()
    assert second.saved()[30, 30] == 2
