"""Whole-image intensity statistics and the stretch made from them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.errors import ImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_mouse_seg.plans import IntensityPlan

_SMOOTH_PX = 1.0
_HALF = 0.5
_LEAST_SHARE = 1e-3


@dataclass(frozen=True, slots=True)
class IntensityRange:
    """The two raw intensities that map to 0 and 1."""

    low: float
    high: float


def intensity_range(pixels: NDArray[Any], plan: IntensityPlan) -> IntensityRange:
    """Return the raw values that the plan maps to 0 and 1.

    Parameters
    ----------
    pixels
        Any shape, the last two axes are Y and X, and real dtype; NaN and infinities are left out.
    plan
        Which percentiles, and whether Otsu's threshold (1979) stands between them.

    Returns
    -------
    IntensityRange
        ``high`` is always above ``low``.

    Raises
    ------
    ImageError
        If nothing is finite, or the image is constant.
    """
    everything = pixels
    if pixels.dtype.kind == "f":
        pixels = pixels[np.isfinite(pixels)]
    if pixels.size == 0:
        raise ImageError("The image holds no finite pixel (all NaN or empty), so there is nothing to segment.")
    low, high = np.percentile(pixels, [plan.low_percentile, plan.high_percentile])
    if high <= low:
        low, high = float(pixels.min()), float(pixels.max())
    if high <= low:
        rounded = ", in 32 bits" if pixels.dtype.kind == "f" else ""
        raise ImageError(
            f"The image is constant (every pixel is {low:g}{rounded}), so there is nothing to segment; "
            "choose another channel or plane."
        )
    limits = IntensityRange(float(low), float(high))
    return limits if plan.anchor == "percentiles" else _centre_on_otsu(everything, limits, plan)


def _centre_on_otsu(pixels: NDArray[Any], limits: IntensityRange, plan: IntensityPlan) -> IntensityRange:
    """Move the end on the objects' side so that Otsu's threshold becomes one half after stretch and compression."""
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    compressed = normalise(pixels, limits, plan)
    if pixels.ndim > 1:
        compressed = ndimage.gaussian_filter(compressed, [0.0] * (pixels.ndim - 2) + [_SMOOTH_PX] * 2)
    threshold = float(threshold_otsu(compressed))  # type: ignore[no-untyped-call]  # scikit-image
    share = _expand(threshold, plan) / _expand(_HALF, plan)
    span = max(share, _LEAST_SHARE) * (limits.high - limits.low)
    if plan.polarity == "dark":
        return IntensityRange(limits.high - span, limits.high)
    return IntensityRange(limits.low, limits.low + span)


def _expand(value: float, plan: IntensityPlan) -> float:
    """Undo ``compress`` for one value."""
    gain = plan.asinh_gain
    return value if gain == 0 else math.sinh(value * math.asinh(gain)) / gain


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
