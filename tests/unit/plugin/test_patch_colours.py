"""Patches of coloured images look as the image does in napari."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")

from napari.components import ViewerModel
from napari.layers import Image

from napari_mouse_seg.plans import PatchPlan
from napari_mouse_seg.plugin._patch_layers import PatchLayers

BLACK, GREY, WHITE = 0, 128, 255


@pytest.mark.parametrize(
    ("dtype", "values"),
    [(np.uint8, (0, 128, 255)), (np.uint16, (0, 32896, 65535)), (np.float32, (-0.5, 0.502, 1.5))],
)
def test_black_grey_and_white_are_those_of_the_image(dtype: Any, values: tuple[float, ...]) -> None:
    viewer = ViewerModel()
    image = Image(np.zeros((40, 60, 3), dtype), rgb=True)
    viewer.add_layer(image)
    layers = PatchLayers(viewer)
    pixels = np.zeros((3, 8, 9), np.float32)
    pixels[:, :, :3], pixels[:, :, 3:6], pixels[:, :, 6:] = values
    patch = PatchPlan(id="p001", box=(0, 0, 8, 9))
    layers.show(image, (), (1.0, 1.0), patch, pixels, np.zeros((8, 9), np.uint32), (0, 1), editable=True)
    shown = np.asarray(viewer.layers["p001 (pixels)"].data)
    np.testing.assert_array_equal(shown[0, ::3, 0], (BLACK, GREY, WHITE))
    layers.close()
