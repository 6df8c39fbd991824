"""Random changes of intensity, on the stretched pixels: what another microscope, stain or exposure would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_mouse_seg.plans import AugmentationPlan


def change_intensity(
    pixels: NDArray[np.float32], plan: AugmentationPlan, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Change polarity, blur, gamma, gain, illumination, stain, offset and noise of a stretched (C, Y, X) patch."""
    if plan.invert_probability > 0 and rng.random() < plan.invert_probability:
        pixels = np.clip(1 - pixels, 0, None)
    if rng.random() < 0.3 and plan.max_blur_px > 0:
        sigma = rng.uniform(0, plan.max_blur_px)
        pixels = ndimage.gaussian_filter(pixels, (0, sigma, sigma), truncate=3)
    if rng.random() < 0.4:
        pixels = pixels ** np.float32(2 ** rng.uniform(-plan.gamma_log2, plan.gamma_log2))
    if rng.random() < 0.6:
        pixels = pixels * np.float32(2 ** rng.uniform(-plan.gain_log2, plan.gain_log2))
    if rng.random() < 0.3 and plan.gradient_log2 > 0:
        pixels = pixels * _illumination(pixels.shape[1:], rng.uniform(-1, 1, 2) * plan.gradient_log2)
    if len(pixels) == 3 and rng.random() < 0.6:
        factors = np.exp2(rng.uniform(-plan.stain_log2, plan.stain_log2, (3, 1, 1))).astype(np.float32)
        # Grey in three channels stays grey: tinted it would teach that colour says nothing.
        pixels = pixels * (factors if (pixels != pixels[:1]).any() else np.float32(1))
    if rng.random() < 0.3:
        pixels = pixels + np.float32(rng.uniform(-plan.max_offset, plan.max_offset))
    if rng.random() < 0.4:
        sigma = rng.uniform(0, plan.max_noise)
        pixels = pixels + np.float32(sigma) * rng.standard_normal(pixels.shape, dtype=np.float32)
    return np.clip(pixels, 0, None)


def _illumination(shape: tuple[int, ...], octaves: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return (Y, X) factors, 1 in the middle, that change by ``octaves`` from edge to edge along Y and along X."""
    y, x = (
        np.exp2(slope * np.linspace(-0.5, 0.5, size)).astype(np.float32)
        for slope, size in zip(octaves, shape, strict=True)
    )
    factors: NDArray[np.float32] = y[:, None] * x
    return factors
