"""How large the objects of an image are, before any network has seen it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SMOOTH_PX = 1.0
_LEAST_RADIUS_PX = 1.5
_LEAST_OBJECTS = 5


def estimate_diameter(image: NDArray[np.float32]) -> float | None:
    """Estimate the typical diameter of bright, roundish objects on a darker ground.

    The foreground is found by Otsu's threshold (1979). The peaks of its distance transform are the radii of the
    largest discs that fit in, touching objects included; their median, weighted by the discs' area, is hardly moved by
    specks. The result scales with the image.

    Parameters
    ----------
    image
        (Y, X) intensities, stretched and compressed as for a network.

    Returns
    -------
    float or None
        In pixels; None if there are too few objects to tell, or nothing stands out.
    """
    smooth = ndimage.gaussian_filter(image, _SMOOTH_PX)
    if smooth.min() == smooth.max():
        return None
    distance = ndimage.distance_transform_edt(smooth > threshold_otsu(smooth))  # type: ignore[no-untyped-call]  # scikit-image
    radii = _peak_radii(ndimage.gaussian_filter(distance.astype(np.float32), _SMOOTH_PX), distance)
    if len(radii) < _LEAST_OBJECTS:
        return None
    order = np.argsort(radii)
    weight = np.cumsum(radii[order] ** 2)
    return float(2 * radii[order][np.searchsorted(weight, weight[-1] / 2)])


def _peak_radii(smooth: NDArray[np.float32], distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distances at local peaks, each the largest within its own radius."""
    is_peak = (smooth == ndimage.maximum_filter(smooth, 5)) & (distance >= _LEAST_RADIUS_PX)
    y, x = np.nonzero(is_peak)
    radii = distance[y, x]
    kept: list[int] = []
    taken = np.zeros(distance.shape, np.bool_)
    for index in np.argsort(-radii, kind="stable"):
        if taken[y[index], x[index]]:
            continue
        kept.append(int(index))
        reach = int(radii[index])
        taken[max(0, y[index] - reach) : y[index] + reach + 1, max(0, x[index] - reach) : x[index] + reach + 1] = True
    return radii[kept]
