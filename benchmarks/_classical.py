"""The classical way, as a baseline: Otsu's threshold and a watershed of the distance transform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import gaussian, threshold_otsu
from skimage.segmentation import watershed

if TYPE_CHECKING:
    from numpy.typing import NDArray


def classical_labels(pixels: NDArray[np.float32], polarity: str, min_area_px: int = 20) -> NDArray[np.uint32]:
    """Segment (Y, X) grey pixels whose objects are ``"bright"`` or ``"dark"``."""
    smooth = gaussian(pixels if polarity == "bright" else -pixels, 1)
    mask = ndimage.binary_fill_holes(smooth > threshold_otsu(smooth))
    distance = gaussian(ndimage.distance_transform_edt(mask), 1)
    peaks = peak_local_max(distance, min_distance=5, labels=ndimage.label(mask)[0])
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    labels = watershed(-distance, markers, mask=mask)
    labels[np.bincount(labels.ravel())[labels] < min_area_px] = 0
    return labels.astype(np.uint32)
