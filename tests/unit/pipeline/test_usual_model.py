"""Which model is used when none is named."""

from __future__ import annotations

import numpy as np
import pytest

from napari_mouse_seg import from_arrays
from napari_mouse_seg.networks import DEFAULT_MODEL, RGB_MODEL
from napari_mouse_seg.pipeline import usual_model


def section(seed: int = 0) -> np.ndarray:
    """(Y, X, 3): dark spots on a bright ground."""
    pixels = np.random.default_rng(seed).integers(215, 245, (90, 110, 1)) + np.zeros(3, int)
    pixels[20:40, 30:60] = (120, 70, 150)
    return pixels.astype(np.uint8)


@pytest.mark.parametrize(
    ("pixels", "name"),
    [
        pytest.param(section(), RGB_MODEL, id="stained"),
        pytest.param(section().astype(np.uint16) * 257, RGB_MODEL, id="stained, 16 bit"),
        pytest.param(section().astype(np.float32) / 255, RGB_MODEL, id="stained, real numbers"),
        pytest.param(255 - section(), DEFAULT_MODEL, id="fluorescence as a picture"),
        pytest.param(section()[..., 0], DEFAULT_MODEL, id="grey"),
    ],
)
def test_a_stained_section_in_rgb_gets_its_own_model(pixels: np.ndarray, name: str) -> None:
    image = from_arrays([pixels], axes="YXS" if pixels.ndim == 3 else "YX")
    assert usual_model(image).card.name == name
