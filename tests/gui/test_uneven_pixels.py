"""Patches, prefills and previews on images whose pixels are not square."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from helpers.pyramids import means, write_pyramid_tiff
from napari_mouse_seg.plugin._rounds import PREVIEW

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from helpers.desks import Desk
    from napari_mouse_seg.networks import Model

    Discs = tuple[np.ndarray, list[tuple[int, int]]]
    OpenDesk = Callable[..., Desk]

PLACES = ((192.0, 130.0), (192.0, 400.0))


@pytest.fixture
def wide(open_desk: OpenDesk, discs: Discs, tmp_path: Path) -> Desk:
    """A viewer with the discs, of which every pixel is twice as wide as high."""
    path = tmp_path / "wide" / "wide.ome.tif"
    path.parent.mkdir()
    metadata = {"axes": "YX", "PhysicalSizeY": 0.25, "PhysicalSizeX": 0.5}
    return open_desk(write_pyramid_tiff(path, means(discs[0], 1), metadata=metadata))


def test_every_patch_lies_where_it_was_added_and_is_filled_in_there(wide: Desk) -> None:
    for place in PLACES:
        wide.look(place)
        wide.add_patch(place)
        middle = wide.paint.extent.world.mean(0)
        np.testing.assert_allclose(middle, wide.image.data_to_world(place), atol=2.0)
        wide.press("Prefill with model")
        wide.until(lambda: not wide.is_at_work)
        bright, painted = np.asarray(wide.pixels.data) > 100, np.asarray(wide.paint.data) > 1
        assert bright.any()
        assert (bright & painted).sum() > 0.7 * bright.sum()


def test_a_preview_is_on_the_grid_of_the_project(wide: Desk, brightness_model: Model) -> None:
    wide.add_patch()
    wide.keep_round(brightness_model, "mine")
    wide.panel.roundUsed.emit(1)
    wide.until(lambda: PREVIEW in wide.viewer.layers)
    preview = wide.viewer.layers[PREVIEW]
    np.testing.assert_allclose(preview.scale, wide.paint.scale)
