"""Masks → polygons with holes, in the coordinates of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_mouse_seg.tiling import Box

_Ring = list[list[float]]


def polygons(mask: NDArray[np.bool_], box: Box, step: int = 1) -> list[list[_Ring]]:
    """Return the rings along the half-level contour: for each piece its outline, then its holes.

    Parameters
    ----------
    mask
        (Y, X) over ``box``.
    box
        Where the mask lies in the image.
    step
        Side, in image pixels, of what an entry of the mask stands for.

    Returns
    -------
    list of list of ring
        A ring is a list of x, y in image pixels, with (0, 0) at the corner of the first pixel.
    """
    from skimage.measure import find_contours

    padded = np.pad(mask, 1).astype(np.float32)
    contours = find_contours(padded, 0.5, fully_connected="low")  # type: ignore[no-untyped-call]  # skimage
    rings = [ring - 1 for ring in contours]
    outlines = [ring for ring in rings if _signed_area(ring) > 0]
    holes = [ring for ring in rings if _signed_area(ring) < 0]
    found = [[_coordinates(ring, box, step)] for ring in outlines]
    for hole in holes:
        owners = [index for index, ring in enumerate(outlines) if _inside(hole, ring)]
        if owners:
            smallest = min(owners, key=lambda index: _signed_area(outlines[index]))
            found[smallest].append(_coordinates(hole, box, step))
    return found


def _inside(hole: NDArray[np.float64], ring: NDArray[np.float64]) -> bool:
    from skimage.measure import points_in_poly

    return bool(points_in_poly(hole[:1], ring)[0])  # type: ignore[no-untyped-call]  # skimage


def _signed_area(ring: NDArray[np.float64]) -> float:
    """Shoelace area; find_contours winds outlines the positive way and holes the negative way here."""
    y, x = ring.T
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) / 2)


def _coordinates(ring: NDArray[np.float64], box: Box, step: int) -> _Ring:
    return [[(float(x) + 0.5) * step + box.x0, (float(y) + 0.5) * step + box.y0] for y, x in ring]
