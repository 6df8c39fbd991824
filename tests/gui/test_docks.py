"""Where panels stand in the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_mouse_seg.plugin._dock import PanelDock

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from pytestqt.qtbot import QtBot


def test_a_second_panel_becomes_a_tab_beside_the_first_once(
    make_napari_viewer: Callable[..., Viewer], qtbot: QtBot
) -> None:
    viewer = make_napari_viewer(show=True)
    window = viewer.window._qt_window
    first = viewer.window.add_dock_widget(PanelDock(), name="Segment")
    panel = PanelDock()
    second = viewer.window.add_dock_widget(panel, name="Train")
    qtbot.waitUntil(lambda: window.tabifiedDockWidgets(first) == [second], timeout=5000)
    assert not panel.visibleRegion().isEmpty()  # It is the tab in front.
    second.setFloating(True)  # The user drags it out; it is not put back when it is hidden and shown.
    second.hide()
    second.show()
    qtbot.wait(50)
    assert second.isFloating()
    assert window.tabifiedDockWidgets(first) == []
