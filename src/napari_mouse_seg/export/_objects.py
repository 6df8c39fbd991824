"""One object at a time, with bounded memory, from labels of any size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_mouse_seg.export._source import LabelImage

BAND_PIXELS = 1 << 22
_CELL_PX = 1024
MAX_CROP_PIXELS = 1 << 26


@dataclass(frozen=True, slots=True)
class ObjectTable:
    """Ids in ascending order with areas, sums of coordinates and bounding boxes.

    Attributes
    ----------
    ids, areas
        One entry an object; area in pixels.
    moments
        Sums of y, x, y², x² and xy over each object's pixels, shape (n, 5), float64.
    boxes
        Half-open y0, x0, y1, x1, shape (n, 4).
    intensity
        Sum, minimum, maximum and number of the finite samples, shape (n, channels, 4); no channel without an image.
        Where there is no such sample, the minimum is above the maximum.
    """

    ids: NDArray[np.uint32]
    areas: NDArray[np.int64]
    moments: NDArray[np.float64]
    boxes: NDArray[np.int64]
    intensity: NDArray[np.float64]


class ObjectMask(NamedTuple):
    """One object: its position in the table, its box, and its pixels in the box.

    Where the box is too large to be held, an entry of the mask stands for ``step`` by ``step`` pixels, and is true if
    any of them is of the object.
    """

    row: int
    box: Box
    mask: NDArray[np.bool_]
    step: int = 1


def tabulate(image: LabelImage) -> ObjectTable:
    """Gather sums of every object in one pass over bands of rows."""
    rows, columns = image.shape
    band_rows = max(1, BAND_PIXELS // max(1, columns))
    parts = [_tabulate_band(image, y, min(y + band_rows, rows)) for y in range(0, rows, band_rows)]
    return _merge(parts)


def masks(image: LabelImage, table: ObjectTable) -> Iterator[ObjectMask]:
    """Yield every object's mask, reading neighbours together.

    Objects are grouped by the cell of a coarse grid in which their box begins. Of boxes of more than
    ``MAX_CROP_PIXELS`` a coarser mask is made, in bands.
    """
    boxes = table.boxes
    cells = np.lexsort((boxes[:, 1] // _CELL_PX, boxes[:, 0] // _CELL_PX))
    keys = boxes[cells, :2] // _CELL_PX
    edges = np.flatnonzero(np.any(np.diff(keys, axis=0) != 0, axis=1)) + 1
    for group in np.split(cells, edges):
        yield from _group_masks(image, table, group)


def _group_masks(image: LabelImage, table: ObjectTable, group: NDArray[np.intp]) -> Iterator[ObjectMask]:
    sides = table.boxes[group, 2:] - table.boxes[group, :2]
    readable = sides[:, 0] * sides[:, 1] <= MAX_CROP_PIXELS
    for index in group[~readable]:
        yield _coarse_mask(image, table, int(index))
    near = np.all(sides <= 2 * _CELL_PX, axis=1)
    for chosen in (group[readable & near], *group[readable & ~near][:, None]):
        if chosen.size == 0:
            continue
        y0, x0 = (int(value) for value in table.boxes[chosen, :2].min(axis=0))
        y1, x1 = (int(value) for value in table.boxes[chosen, 2:].max(axis=0))
        window = image.read(slice(y0, y1), slice(x0, x1))
        for index in chosen:
            box = Box(*map(int, table.boxes[index]))
            yield ObjectMask(int(index), box, window[box.shift(-y0, -x0).slices] == table.ids[index])


def _coarse_mask(image: LabelImage, table: ObjectTable, index: int) -> ObjectMask:
    box = Box(*map(int, table.boxes[index]))
    step = int(np.ceil(np.sqrt(box.area / MAX_CROP_PIXELS)))
    height, width = (-(-length // step) for length in box.shape)
    mask = np.zeros((height, width), np.bool_)
    rows = max(1, BAND_PIXELS // (step * box.shape[1]))
    for top in range(0, height, rows):
        y0 = box.y0 + top * step
        band = image.read(slice(y0, min(box.y1, y0 + rows * step)), slice(box.x0, box.x1)) == table.ids[index]
        bottom = -(-band.shape[0] // step)
        padded = np.pad(band, ((0, bottom * step - band.shape[0]), (0, width * step - band.shape[1])))
        mask[top : top + bottom] = padded.reshape(bottom, step, width, step).any((1, 3))
    return ObjectMask(index, box, mask, step)


def _tabulate_band(image: LabelImage, y0: int, y1: int) -> ObjectTable:
    labels = image.read(slice(y0, y1), slice(0, image.shape[1]))
    y, x = np.nonzero(labels)
    values = labels[y, x]
    ids, inverse = np.unique(values, return_inverse=True)
    y = y + y0
    sums = [
        np.bincount(inverse, weights=weight, minlength=ids.size)
        for weight in (y, x, y.astype(float) ** 2, x.astype(float) ** 2, y.astype(float) * x)
    ]
    n_channels = 0 if image.plane is None else image.plane.n_channels
    intensity = np.zeros((ids.size, n_channels, 4))
    if image.plane is not None and ids.size:
        pixels = image.plane.read(0, Box(y0, 0, y1, image.shape[1]))[labels > 0].astype(float)
        for channel, samples in enumerate(pixels.reshape(len(values), n_channels).T):
            intensity[:, channel] = _intensity(samples, inverse, ids.size)
    areas = np.bincount(inverse, minlength=ids.size)
    return ObjectTable(ids, areas, np.stack(sums, axis=1), _boxes(y, x, inverse, ids.size), intensity)


def _boxes(y: NDArray[np.intp], x: NDArray[np.intp], inverse: NDArray[np.intp], n: int) -> NDArray[np.int64]:
    boxes = np.empty((n, 4), np.int64)
    for column, positions in enumerate((y, x)):
        boxes[:, column], boxes[:, column + 2] = _extremes(positions, inverse, n)
    boxes[:, 2:] += 1
    return boxes


def _intensity(samples: NDArray[np.float64], inverse: NDArray[np.intp], n: int) -> NDArray[np.float64]:
    finite = np.isfinite(samples)
    samples, inverse = samples[finite], inverse[finite]
    low, high = _extremes(samples, inverse, n)
    counts = np.bincount(inverse, minlength=n)
    return np.stack([np.bincount(inverse, weights=samples, minlength=n), low, high, counts], axis=1)


def _extremes(
    values: NDArray[np.intp] | NDArray[np.float64], inverse: NDArray[np.intp], n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Minimum and maximum of each object's values."""
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(low, inverse, values)
    np.maximum.at(high, inverse, values)
    return low, high


def _merge(parts: list[ObjectTable]) -> ObjectTable:
    """Join the bands' tables: an object that spans bands becomes one row."""
    ids, inverse = np.unique(np.concatenate([part.ids for part in parts]), return_inverse=True)
    n = ids.size
    areas = np.zeros(n, np.int64)
    np.add.at(areas, inverse, np.concatenate([part.areas for part in parts]))
    moments = np.zeros((n, 5))
    np.add.at(moments, inverse, np.concatenate([part.moments for part in parts]))
    corners = np.concatenate([part.boxes for part in parts])
    boxes = np.empty((n, 4), np.int64)
    for column in range(4):
        low, high = _extremes(corners[:, column], inverse, n)
        boxes[:, column] = low if column < 2 else high
    found = np.concatenate([part.intensity for part in parts])
    intensity = np.zeros((n, *found.shape[1:]))
    for added in (0, 3):
        np.add.at(intensity[..., added], inverse, found[..., added])
    for channel in range(found.shape[1]):
        intensity[:, channel, 1] = _extremes(found[:, channel, 1], inverse, n)[0]
        intensity[:, channel, 2] = _extremes(found[:, channel, 2], inverse, n)[1]
    return ObjectTable(ids, areas, moments, boxes, intensity)
