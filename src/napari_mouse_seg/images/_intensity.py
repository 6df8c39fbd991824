"""Whole-image intensity statistics and the stretch made from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.errors import ImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_mouse_seg.plans import IntensityPlan


@dataclass(frozen=True, slots=True)
class IntensityRange:
    """The two raw intensities that map to 0 and 1."""

    low: float
    high: float


def intensity_range(pixels: NDArray[Any], plan: IntensityPlan) -> IntensityRange:
    """Return the raw values at the plan's percentiles.

    Parameters
    ----------
    pixels
        Any shape and real dtype; NaN and infinities are left out.
    plan
        Which percentiles.

    Returns
    -------
    IntensityRange
        ``high`` is always above ``low``.

    Raises
    ------
    ImageError
        If nothing is finite, or the image is constant.
    """
    if pixels.dtype.kind == "f":
        pixels = pixels[np.isfinite(pixels)]
    if pixels.size == 0:
        raise ImageError("The image holds no finite pixel (all NaN or empty), so there is nothing to segment.")
    low, high = np.percentile(pixels, [plan.low_percentile, plan.high_percentile])
    if high <= low:
        low, high = float(pixels.min()), float(pixels.max())
    if high <= low:
        raise ImageError(
            f"The image is constant (every pixel is {low:g}), so there is nothing to segment; "
            "choose another channel or plane."
        )
    return IntensityRange(float(low), float(high))


def stretch(pixels: NDArray[Any], limits: IntensityRange, plan: IntensityPlan) -> NDArray[np.float32]:
    """Map raw intensities linearly so that ``low`` is 0 and ``high`` is 1, clipped to [0, max_value].

    Dark objects are inverted first. NaN becomes 0. Shape is kept; the result is float32.
    """
    scale = np.float32(1.0 / (limits.high - limits.low))
    out = (pixels.astype(np.float32) - np.float32(limits.low)) * scale
    if plan.polarity == "dark":
        np.subtract(np.float32(1), out, out=out)
    if pixels.dtype.kind == "f":
        np.nan_to_num(out, copy=False)
    return np.clip(out, np.float32(0), np.float32(plan.max_value), out=out)


def compress(pixels: NDArray[np.float32], plan: IntensityPlan) -> NDArray[np.float32]:
    """Apply the plan's asinh compression to stretched pixels; 0 stays 0 and 1 stays 1."""
    if plan.asinh_gain == 0:
        return pixels
    gain = np.float32(plan.asinh_gain)
    out: NDArray[np.float32] = np.arcsinh(pixels * gain) * np.float32(1 / np.arcsinh(gain))
    return out


def normalise(pixels: NDArray[Any], limits: IntensityRange, plan: IntensityPlan) -> NDArray[np.float32]:
    """Stretch and compress raw pixels into network input; shape is kept."""
    return compress(stretch(pixels, limits, plan), plan)
