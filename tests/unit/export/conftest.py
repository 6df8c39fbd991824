"""Labels drawn with a known answer, and an image under them."""

import numpy as np
import pytest

from napari_mouse_seg.export import LabelImage
from napari_mouse_seg.images import from_arrays


@pytest.fixture
def labels():
    """Object 3: a 4 x 6 block; object 70000: an L of 12 px; object 9: one pixel."""
    drawn = np.zeros((40, 50), np.uint32)
    drawn[10:14, 20:26] = 3
    drawn[20:24, 30:32] = 70000
    drawn[22:24, 32:34] = 70000
    drawn[39, 49] = 9
    return drawn


@pytest.fixture
def plane():
    rows, columns = np.indices((40, 50))
    return from_arrays([(100 * rows + columns).astype(np.uint16)], axes="YX", name="field").plane()


@pytest.fixture
def image(labels, plane):
    return LabelImage(labels, (0.5, 0.5), "field", plane)


@pytest.fixture
def large():
    """1100 x 1300 px with an object a tile corner."""
    drawn = np.zeros((1100, 1300), np.uint32)
    drawn[500:530, 500:540] = 5
    drawn[1000:1100, 1200:1300] = 2**32 - 1
    return drawn
