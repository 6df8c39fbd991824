"""What a patch of a new network is measured by."""

from __future__ import annotations

import numpy as np
import pytest

from napari_mouse_seg.events import Finished
from napari_mouse_seg.images import from_arrays, intensity_range
from napari_mouse_seg.pipeline import cut_patch, resolve
from napari_mouse_seg.plans import SegmentPlan
from napari_mouse_seg.plugin._patch_adding import _stand_in

BLUE = np.zeros((96, 128, 3), np.uint8)
BLUE[..., 2] = np.random.default_rng(0).integers(20, 220, BLUE.shape[:2])


@pytest.mark.parametrize("pixels", [BLUE, BLUE[..., 2]], ids=["colours", "grey"])
def test_a_new_network_sees_the_range_of_the_channels_it_will_see(pixels: np.ndarray) -> None:
    image = from_arrays([pixels], "YXS" if pixels.ndim == 3 else "YX")
    model = _stand_in(image)
    assert model.card.architecture.in_channels == (3 if pixels.ndim == 3 else 1)
    (*_, last) = cut_patch(resolve(image, model, SegmentPlan(scale=1.0)), 64)
    assert isinstance(last, Finished)
    seen = intensity_range(pixels.astype(np.float32), model.card.intensity)
    np.testing.assert_allclose(last.result.limits, (seen.low, seen.high), rtol=0.02)
