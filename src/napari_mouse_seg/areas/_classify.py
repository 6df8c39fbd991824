"""Scores → the class of every pixel. Each pixel stands for itself, so nothing has to be stitched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from numpy.typing import NDArray

    from napari_mouse_seg.tiling import Box

_BAND_PX = 2_000_000


def classify(scores: NDArray[np.uint16], labels: Sequence[int]) -> NDArray[np.uint32]:
    """Return the label of the class with the highest score; of equal ones the first.

    Parameters
    ----------
    scores
        (classes, Y, X), larger is likelier.
    labels
        Of the classes, in the order of the scores.

    Returns
    -------
    NDArray[np.uint32]
        (Y, X).
    """
    lookup = np.asarray(labels, np.uint32)
    classes: NDArray[np.uint32] = lookup[scores.argmax(0)]
    return classes


def classify_bands(
    read: Callable[[Box], NDArray[np.uint16]], region: Box, labels: Sequence[int], out: NDArray[np.uint32]
) -> Generator[tuple[int, int], None, NDArray[np.int64]]:
    """Classify a region in bands of rows; a generator that yields (bands done, bands in all).

    Parameters
    ----------
    read
        Returns the (classes, Y, X) scores of a box.
    region
        Where the scores are complete.
    labels
        Of the classes, in the order of the scores.
    out
        (Y, X) over the region; is written.

    Yields
    ------
    tuple of int
        Progress.

    Returns
    -------
    NDArray[np.int64]
        Pixels of each class, in their order.
    """
    from napari_mouse_seg.tiling import Box

    height = max(1, _BAND_PX // max(1, region.shape[1]))
    tops = range(region.y0, region.y1, height)
    pixels = np.zeros(max(labels) + 1, np.int64)
    for done, top in enumerate(tops, start=1):
        band = Box(top, region.x0, min(top + height, region.y1), region.x1)
        classes = classify(read(band), labels)
        out[band.shift(-region.y0, -region.x0).slices] = classes
        pixels += np.bincount(classes.ravel(), minlength=len(pixels))
        yield done, len(tops)
    return pixels[list(labels)]
