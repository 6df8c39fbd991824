"""Which model is used when none is named."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.scenes import stained_section
from napari_mouse_seg import from_arrays
from napari_mouse_seg.networks import DEFAULT_MODEL, RGB_MODEL
from napari_mouse_seg.pipeline import usual_model


def with_gaps() -> np.ndarray:
    pixels = stained_section().astype(np.float32) / 255
    pixels[:10] = np.nan
    pixels[10:20] = np.inf
    return pixels


def test_a_pyramid_is_judged_by_a_level_that_shows_something() -> None:
    levels = [np.tile(stained_section(), (6, 5, 1))]
    while max(levels[-1].shape[:2]) > 1:
        levels.append(levels[-1][::2, ::2])
    assert levels[-1].shape == (1, 1, 3)
    assert usual_model(from_arrays(levels, axes="YXS")).card.name == RGB_MODEL


@pytest.mark.parametrize(
    ("pixels", "name"),
    [
        pytest.param(stained_section(), RGB_MODEL, id="stained"),
        pytest.param(stained_section().astype(np.uint16) * 257, RGB_MODEL, id="stained, 16 bit"),
        pytest.param(stained_section().astype(np.float32) / 255, RGB_MODEL, id="stained, real numbers"),
        pytest.param(stained_section().astype(np.float32), RGB_MODEL, id="stained, real numbers up to 255"),
        pytest.param(with_gaps(), RGB_MODEL, id="stained, not all of them numbers"),
        pytest.param(255 - stained_section(), DEFAULT_MODEL, id="fluorescence as a picture"),
        pytest.param((255 - stained_section()).astype(np.float32), DEFAULT_MODEL, id="the same in real numbers"),
        pytest.param(stained_section()[..., 0], DEFAULT_MODEL, id="grey"),
    ],
)
def test_a_stained_section_in_rgb_gets_its_own_model(pixels: np.ndarray, name: str) -> None:
    image = from_arrays([pixels], axes="YXS" if pixels.ndim == 3 else "YX")
    assert usual_model(image).card.name == name
