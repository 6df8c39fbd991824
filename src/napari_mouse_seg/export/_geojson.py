"""Outlines as GeoJSON, as QuPath reads and writes them: one feature an object, in image pixels."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from napari_mouse_seg._atomic import replacing
from napari_mouse_seg.export._objects import masks, tabulate

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_mouse_seg.export._source import LabelImage
    from napari_mouse_seg.tiling import Box

_Ring = list[list[float]]


def write_geojson(path: Path, image: LabelImage, *, overwrite: bool = False) -> None:
    """Write every object's outline as a polygon; objects in several pieces become multi-polygons.

    Coordinates are x, y in image pixels with (0, 0) at the corner of the first pixel, as QuPath
    counts. Features are written one by one: memory does not grow with their number. Objects
    whose box holds more than 67 million pixels are left out.

    Parameters
    ----------
    path
        Ends in ``.geojson``.
    image
        Labels at the image's size.
    overwrite
        Whether an existing file may be replaced.

    Raises
    ------
    ExportError
        If the file exists already or cannot be written.
    """
    table = tabulate(image)
    with replacing(path, overwrite=overwrite) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        separator = "\n"
        for row, box, mask in masks(image, table):
            if mask is not None:
                file.write(separator + json.dumps(_feature(int(table.ids[row]), box, mask)))
                separator = ",\n"
        file.write("\n]}\n")


def _feature(label: int, box: Box, mask: NDArray[np.bool_]) -> dict[str, Any]:  # Any: nested JSON
    polygons = _polygons(mask, box)
    single = len(polygons) == 1
    return {
        "type": "Feature",
        "id": str(uuid4()),
        "geometry": {
            "type": "Polygon" if single else "MultiPolygon",
            "coordinates": polygons[0] if single else polygons,
        },
        "properties": {"objectType": "detection", "name": str(label), "measurements": {"label": label}},
    }


def _polygons(mask: NDArray[np.bool_], box: Box) -> list[list[_Ring]]:
    """Rings along the half-level contour: for each piece its outline, then its holes."""
    from skimage.measure import find_contours

    padded = np.pad(mask, 1).astype(np.float32)
    contours = find_contours(padded, 0.5, fully_connected="low")  # type: ignore[no-untyped-call]  # skimage
    rings = [ring - 1 for ring in contours]
    outlines = [ring for ring in rings if _signed_area(ring) > 0]
    holes = [ring for ring in rings if _signed_area(ring) < 0]
    polygons = [[_coordinates(ring, box)] for ring in outlines]
    for hole in holes:
        owners = [index for index, ring in enumerate(outlines) if _inside(hole, ring)]
        if owners:
            smallest = min(owners, key=lambda index: _signed_area(outlines[index]))
            polygons[smallest].append(_coordinates(hole, box))
    return polygons


def _inside(hole: NDArray[np.float64], ring: NDArray[np.float64]) -> bool:
    from skimage.measure import points_in_poly

    return bool(points_in_poly(hole[:1], ring)[0])  # type: ignore[no-untyped-call]  # skimage


def _signed_area(ring: NDArray[np.float64]) -> float:
    """Shoelace area; find_contours winds outlines the positive way and holes the negative way here."""
    y, x = ring.T
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) / 2)


def _coordinates(ring: NDArray[np.float64], box: Box) -> _Ring:
    return [[float(x) + box.x0 + 0.5, float(y) + box.y0 + 0.5] for y, x in ring]
