"""Fixtures of the tests that drive a real viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer


@pytest.fixture
def set_view(make_napari_viewer: Callable[..., Viewer]) -> Callable[..., None]:
    """Return a function that puts the camera so that the canvas shows a known world rectangle."""

    def place(viewer: Viewer, centre: tuple[float, float], zoom: float) -> None:
        viewer.scene.camera.center = (0.0, *centre)
        viewer.scene.camera.zoom = zoom

    return place
