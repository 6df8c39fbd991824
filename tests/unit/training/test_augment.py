"""Random changes of intensity."""

from __future__ import annotations

import numpy as np

from napari_mouse_seg.plans import AugmentationPlan
from napari_mouse_seg.training._augment import change_intensity

STILL = dict.fromkeys(("gain_log2", "gamma_log2", "gradient_log2", "max_offset", "max_noise"), 0.0)


def test_inversion_exchanges_dark_and_bright_and_stays_above_zero() -> None:
    plan = AugmentationPlan(**STILL, max_blur_px=0, invert_probability=1)
    pixels = np.array([[[0.0, 0.25, 1.0, 1.5]]], np.float32)
    out = change_intensity(pixels, plan, np.random.default_rng(0))
    np.testing.assert_allclose(out, [[[1, 0.75, 0, 0]]], atol=1e-6)


def test_a_stain_changes_and_grey_in_three_channels_does_not() -> None:
    plan = AugmentationPlan(**STILL, max_blur_px=0, stain_log2=1)
    grey = np.tile(np.linspace(0, 1, 16, dtype=np.float32).reshape(1, 4, 4), (3, 1, 1))
    stained = grey * np.array([1, 0.5, 0.8], np.float32).reshape(3, 1, 1)
    n_changed = 0
    for seed in range(20):
        np.testing.assert_array_equal(change_intensity(grey, plan, np.random.default_rng(seed)), grey)
        n_changed += not np.array_equal(change_intensity(stained, plan, np.random.default_rng(seed)), stained)
    assert n_changed > 5
