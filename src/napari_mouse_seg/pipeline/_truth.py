"""Labels that somebody knows to be right, brought onto the network's grid.

They may lie anywhere over the image, turned and at another resolution, and be known in part only. Resampling the
result onto their grid was rejected: thresholds act on the network's grid, and so must the search for the best ones.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.errors import ImageError
from napari_mouse_seg.pipeline._job import resolve
from napari_mouse_seg.plans import BACKGROUND_LABEL, NOT_PAINTED
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_mouse_seg.pipeline._job import SegmentJob
    from napari_mouse_seg.plans import PaintPlan

LARGEST_PX = 1_500_000
"""More pixels are not compared at a time, so that a search takes seconds."""

CONTEXT_PX = 128
"""Objects are looked at as far around the truth as this, so that its edge does not cut them."""

_ROUNDING_PX = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class PlacedLabels:
    """A label image and where it lies.

    Attributes
    ----------
    levels
        (Y, X) array-likes of integers, the finest first; read where needed only.
    matrix
        (2, 3): takes ``(y, x, 1)`` of a pixel's centre on the network's grid to that on the first level.
    paint
        How to read paint, where 0 is not annotated, 1 is background and higher labels are objects; None for plain
        labels, where 0 is background.
    """

    levels: tuple[Any, ...]  # Any: numpy, dask or zarr arrays
    matrix: NDArray[np.float64]
    paint: PaintPlan | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is known on a part of the network's grid.

    Attributes
    ----------
    box
        The part.
    labels
        (Y, X) integers as they were given; what they mean is told by ``objects`` and ``known``.
    objects
        (Y, X) int32: whole objects 1 to n, 0 elsewhere.
    inside
        (Y, X): on the labels, and segmented.
    known
        (Y, X): where it is known what is there: inside, annotated, and not of an object that is left out.
    n_objects
        Whole objects.
    n_cut
        Objects that are left out, because they reach the edge of what is known, so that nobody can tell their shape.
    is_cropped
        Whether more is known than was taken.
    """

    box: Box
    labels: NDArray[Any]  # Any: the dtype of the layer
    objects: NDArray[np.int32]
    inside: NDArray[np.bool_]
    known: NDArray[np.bool_]
    n_objects: int
    n_cut: int
    is_cropped: bool


def segmented_boxes(job: SegmentJob, regions: Sequence[Box | None]) -> list[Box]:
    """Return regions in image pixels, None for the full image, on the network's grid of a job."""
    return [resolve(job.image, job.model, job.plan, region).box for region in regions]


def box_around(regions: Sequence[Box]) -> Box:
    """Return the smallest box around all.

    Raises
    ------
    ImageError
        If there is none.
    """
    if not regions:
        raise ImageError("Nothing has been segmented yet; segment the region that the labels cover.")
    return functools.reduce(Box.union, regions)


def read_truth(
    placed: PlacedLabels,
    regions: Sequence[Box],
    bounds: Box,
    centre: tuple[float, float] | None = None,
    largest_px: int = LARGEST_PX,
) -> Truth:
    """Sample labels by nearest neighbour wherever something was segmented.

    Parameters
    ----------
    placed
        The labels.
    regions
        What was segmented, on the network's grid.
    bounds
        The whole image; objects at its edge are whole as far as there is an image, and count.
    centre
        What to crop around where there is too much; None for the middle.
    largest_px
        How much is too much.

    Returns
    -------
    Truth
        Over the smallest box around what both know.

    Raises
    ------
    ImageError
        If the labels lie beside all regions.
    """
    everything = box_around(regions).intersect(bounds).intersect(_extent(placed))
    box = _crop(everything, centre, largest_px)
    labels, inside = _sample(placed, box)
    covered = np.zeros(box.shape, np.bool_)
    for region in regions:
        covered[region.intersect(box).shift(-box.y0, -box.x0).slices] = region.intersect(box).area > 0
    inside &= covered
    if not inside.any():
        raise ImageError("These labels lie beside what has been segmented so far; segment the region that they cover.")
    objects, known = _read_labels(labels, placed.paint)
    whole, n_objects, n_cut = _drop_cut(np.where(inside, objects, 0), inside, box, bounds)
    left_out = (objects > 0) & (whole == 0)
    return Truth(box, labels, whole, inside, known & inside & ~left_out, n_objects, n_cut, box != everything)


def _extent(placed: PlacedLabels) -> Box:
    """Return the smallest box of the network's grid around all pixels of the labels."""
    rows, columns = placed.levels[0].shape
    corners = np.array([(y, x) for y in (-0.5, rows - 0.5) for x in (-0.5, columns - 0.5)])
    on_grid = np.linalg.solve(placed.matrix[:, :2], (corners - placed.matrix[:, 2]).T).T
    low = np.ceil(on_grid.min(0) - _ROUNDING_PX).astype(int)
    high = np.floor(on_grid.max(0) + _ROUNDING_PX).astype(int) + 1
    return Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))


def _crop(box: Box, centre: tuple[float, float] | None, largest_px: int) -> Box:
    """Return the part of a box around a centre that is not too large, as square as can be."""
    if box.area <= largest_px:
        return box
    rows, columns = box.shape
    height = min(rows, max(int(largest_px**0.5), largest_px // columns))
    width = min(columns, largest_px // height)
    middle = centre or ((box.y0 + box.y1) / 2, (box.x0 + box.x1) / 2)
    y0 = min(max(round(middle[0] - height / 2), box.y0), box.y1 - height)
    x0 = min(max(round(middle[1] - width / 2), box.x0), box.x1 - width)
    return Box(y0, x0, y0 + height, x0 + width)


def _sample(placed: PlacedLabels, box: Box) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the labels at the pixels of a box, and which pixels lie on them."""
    shape = placed.levels[0].shape
    rows, columns = np.ogrid[box.y0 : box.y1, box.x0 : box.x1]
    # Positions count from the pixel's upper left corner, so that levels differ by a factor alone.
    y, x = (one * rows + two * columns + start + 0.5 + _ROUNDING_PX for one, two, start in placed.matrix)
    inside = (y >= 0) & (x >= 0) & (y < shape[0]) & (x < shape[1])
    if not inside.any():
        return np.zeros(box.shape, np.int32), inside
    level = _choose_level(placed)
    y_index = _index(y, level.shape[0] / shape[0], level.shape[0])
    x_index = _index(x, level.shape[1] / shape[1], level.shape[1])
    y0, x0 = int(y_index[inside].min()), int(x_index[inside].min())
    y1, x1 = int(y_index[inside].max()) + 1, int(x_index[inside].max()) + 1
    part = np.asarray(level[y0:y1, x0:x1])
    sampled = part[np.clip(y_index - y0, 0, y1 - y0 - 1), np.clip(x_index - x0, 0, x1 - x0 - 1)]
    sampled[~inside] = 0
    return sampled, inside


def _index(position: NDArray[np.float64], factor: float, size: int) -> NDArray[np.intp]:
    return np.clip(np.floor(position * factor), 0, size - 1).astype(np.intp)


def _choose_level(placed: PlacedLabels) -> Any:  # Any: an array
    """Return the coarsest level that is not coarser than the network's grid."""
    step = max(1.0, float(np.linalg.norm(placed.matrix[:, :2], axis=0).min()))
    rows = placed.levels[0].shape[0]
    fine = [level for level in placed.levels if rows / level.shape[0] <= step * 1.01]
    return fine[-1]


def _read_labels(labels: NDArray[Any], paint: PaintPlan | None) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return objects (0 elsewhere), and where it is known what is there."""
    values = labels.astype(np.int64)
    if paint is None:
        return values, np.ones(labels.shape, np.bool_)
    known = np.ones(labels.shape, np.bool_) if paint.rest_is_background else values != NOT_PAINTED
    return np.where(values > BACKGROUND_LABEL, values, 0), known


def _drop_cut(
    objects: NDArray[np.int64], inside: NDArray[np.bool_], box: Box, bounds: Box
) -> tuple[NDArray[np.int32], int, int]:
    """Return the objects that no edge cuts, numbered anew, with their number and that of the others."""
    ids, numbered = _renumber(objects)
    is_cut = np.zeros(len(ids), np.bool_)
    is_cut[numbered[_beside(~inside, box, bounds)]] = True
    background = ids == 0
    keep = ~is_cut & ~background
    lookup = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return lookup[numbered], int(keep.sum()), int((is_cut & ~background).sum())


def _renumber(objects: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ids that occur, and for each pixel the place of its id among them."""
    if objects.min() < 0 or objects.max() > objects.size:
        ids, numbered = np.unique(objects, return_inverse=True)
        return ids, numbered.reshape(objects.shape)
    occurs = np.bincount(objects.ravel()) > 0  # Many times faster than sorting.
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[objects]


def _beside(outside: NDArray[np.bool_], box: Box, bounds: Box) -> NDArray[np.bool_]:
    """Return the pixels next to one outside, or at an edge of the box that is none of the image."""
    near = outside.copy()
    near[1:] |= outside[:-1]
    near[:-1] |= outside[1:]
    near[:, 1:] |= outside[:, :-1]
    near[:, :-1] |= outside[:, 1:]
    for mine, whole, line in (
        (box.y0, bounds.y0, near[0]),
        (box.x0, bounds.x0, near[:, 0]),
        (box.y1, bounds.y1, near[-1]),
        (box.x1, bounds.x1, near[:, -1]),
    ):
        if mine != whole:
            line[:] = True
    return near
