"""One row of measurements an object, in µm where the pixel size is known.

scikit-image's ``regionprops_table`` was rejected for whole images: it needs the labels and the
image in memory at once. The definitions are its own, and the tests compare.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np

from napari_mouse_seg._atomic import replacing
from napari_mouse_seg.export._areas import measure_areas
from napari_mouse_seg.export._objects import masks, tabulate

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_mouse_seg.export._objects import ObjectTable
    from napari_mouse_seg.export._source import LabelImage

_BBOX = ("bbox_y0_px", "bbox_x0_px", "bbox_y1_px", "bbox_x1_px")
_SQUARE_TOLERANCE = 0.01


def measure_objects(image: LabelImage) -> dict[str, NDArray[np.generic]]:
    """Return the measurements of every object, one array a column.

    Column names carry the unit: ``_um`` and ``_um2`` where the pixel size is known, else ``_px`` and
    ``_px2``. Centroids count from the centre of the first pixel, as napari places a layer; the bounding box
    is in pixels, half-open. With an image there are ``mean_intensity``, ``min_intensity`` and
    ``max_intensity`` (for RGB one of each a channel, ending in ``_red``, ``_green``, ``_blue``), of those pixels that
    are finite, and NaN where none is.
    ``perimeter`` is NaN where pixels are not square (it would have no exact meaning); it and ``solidity`` are
    approximate where an object's box holds more than 67 million pixels.

    Memory grows with the number of objects, not with the image.

    Parameters
    ----------
    image
        Labels, pixel size, and the image to measure intensities in.

    Returns
    -------
    dict
        Columns in order; all have one entry an object, ids ascending.
    """
    table = tabulate(image)
    size = image.pixel_size_um or (1.0, 1.0)
    unit = "px" if image.pixel_size_um is None else "um"
    centroids = table.moments[:, :2] / np.maximum(table.areas, 1)[:, None]
    areas = table.areas * size[0] * size[1]
    columns: dict[str, NDArray[np.generic]] = {
        "label": table.ids,
        f"centroid_y_{unit}": centroids[:, 0] * size[0],
        f"centroid_x_{unit}": centroids[:, 1] * size[1],
        f"area_{unit}2": areas,
        f"equivalent_diameter_{unit}": 2 * np.sqrt(areas / np.pi),
    }
    columns |= dict(zip(_BBOX, table.boxes.T, strict=True))
    columns[f"perimeter_{unit}"], columns["solidity"] = _shapes(image, table, size)
    columns["eccentricity"] = _eccentricity(table, centroids, size)
    return columns | _intensities(table)


def write_measurements(path: Path, image: LabelImage, *, overwrite: bool = False) -> None:
    """Write the measurements of every object, or of every class, as CSV; unknown values are empty.

    Parameters
    ----------
    path
        Ends in ``.csv``.
    image
        See ``measure_objects`` and, for labels with classes, ``measure_areas``.
    overwrite
        Whether an existing file may be replaced.

    Raises
    ------
    ExportError
        If the file exists already or cannot be written.
    """
    with replacing(path, overwrite=overwrite) as temporary:
        columns = measure_areas(image) if image.classes else measure_objects(image)
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows([_cell(value) for value in row] for row in zip(*columns.values(), strict=True))


def _cell(value: np.generic | str | float) -> str:
    if isinstance(value, (str, int, np.integer)):
        return str(value)
    number = float(value)
    return "" if not np.isfinite(number) else str(int(number)) if number.is_integer() else f"{number:.10g}"


def _shapes(
    image: LabelImage, table: ObjectTable, size: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Perimeter and solidity, from each object's mask."""
    from skimage.measure import perimeter
    from skimage.morphology import convex_hull_image

    square = abs(size[0] - size[1]) <= _SQUARE_TOLERANCE * max(size)
    length = np.sqrt(size[0] * size[1]) if square else np.nan
    perimeters, solidities = np.full((2, len(table.ids)), np.nan)
    for row, _, mask, step in masks(image, table):
        perimeters[row] = length * step * perimeter(mask, 4)  # type: ignore[no-untyped-call]  # skimage
        hull = convex_hull_image(mask)  # type: ignore[no-untyped-call]  # skimage
        solidities[row] = mask.sum() / hull.sum()
    return perimeters, solidities


def _eccentricity(table: ObjectTable, centroids: NDArray[np.float64], size: tuple[float, float]) -> NDArray[np.float64]:
    """Eccentricity of the ellipse with the same second moments; 0 is a circle or a single pixel."""
    means = table.moments[:, 2:] / np.maximum(table.areas, 1)[:, None]
    y, x = centroids.T
    yy = (means[:, 0] - y * y) * size[0] ** 2
    xx = (means[:, 1] - x * x) * size[1] ** 2
    yx = (means[:, 2] - y * x) * size[0] * size[1]
    half_sum, spread = (yy + xx) / 2, np.sqrt(((yy - xx) / 2) ** 2 + yx**2)
    major, minor = half_sum + spread, np.maximum(half_sum - spread, 0)
    ratio = np.divide(minor, major, out=np.ones_like(major), where=table.areas > 1)
    eccentricity: NDArray[np.float64] = np.sqrt(1 - ratio)
    return eccentricity


def _intensities(table: ObjectTable) -> dict[str, NDArray[np.generic]]:
    n_channels = table.intensity.shape[1]
    endings = ("",) if n_channels == 1 else ("_red", "_green", "_blue")[:n_channels]
    columns: dict[str, NDArray[np.generic]] = {}
    for channel, ending in enumerate(endings[:n_channels]):
        total, low, high, counts = table.intensity[:, channel].T
        columns[f"mean_intensity{ending}"] = np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
        columns[f"min_intensity{ending}"] = np.where(counts > 0, low, np.nan)
        columns[f"max_intensity{ending}"] = np.where(counts > 0, high, np.nan)
    return columns
