"""How large the objects of an image are, before any network has seen it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SMOOTH_PX = 1.0
_LEAST_RADIUS_PX = 1.5


@dataclass(frozen=True, slots=True)
class Discs:
    """The largest discs that fit into the foreground of an image, one for each roundish object.

    Attributes
    ----------
    centres
        (n, 2) rows and columns.
    radii
        (n,) in pixels.
    """

    centres: NDArray[np.float64]
    radii: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.radii)

    def diameter(self, share: float = 0.5) -> float:
        """Return the diameter up to which the smaller discs make up this share of all discs' area.

        Weighted by area, the median (0.5) is hardly moved by specks. There must be a disc.
        """
        order = np.argsort(self.radii)
        weight = np.cumsum(self.radii[order] ** 2)
        return float(2 * self.radii[order][np.searchsorted(weight, weight[-1] * share)])


def find_discs(image: NDArray[np.float32]) -> Discs:
    """Find bright, roundish objects on a darker ground, as discs.

    The foreground is found by Otsu's threshold (1979). The peaks of its distance transform are the radii of the
    largest discs that fit in, touching objects included. The radii scale with the image.

    Parameters
    ----------
    image
        (Y, X) intensities, stretched and compressed as for a network.

    Returns
    -------
    Discs
        In pixels; none if nothing stands out.
    """
    smooth = ndimage.gaussian_filter(image, _SMOOTH_PX)
    if smooth.min() == smooth.max():
        return Discs(np.zeros((0, 2)), np.zeros(0))
    distance = ndimage.distance_transform_edt(smooth > threshold_otsu(smooth))  # type: ignore[no-untyped-call]  # scikit-image
    return _peaks(ndimage.gaussian_filter(distance.astype(np.float32), _SMOOTH_PX), distance)


def _peaks(smooth: NDArray[np.float32], distance: NDArray[np.float64]) -> Discs:
    """Return local peaks of the distance, each the largest within its own radius."""
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
    return Discs(np.stack([y[kept], x[kept]], axis=1).astype(np.float64), radii[kept])
