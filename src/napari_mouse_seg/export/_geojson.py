"""Outlines as GeoJSON, as QuPath reads and writes them: one feature an object or a class, in image pixels."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from napari_mouse_seg._atomic import replacing
from napari_mouse_seg.export._areas import area_features
from napari_mouse_seg.export._objects import masks, tabulate
from napari_mouse_seg.export._polygons import polygons

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_mouse_seg.export._source import LabelImage


def write_geojson(path: Path, image: LabelImage, *, overwrite: bool = False) -> None:
    """Write every object's outline as a polygon; objects in several pieces, and areas, become multi-polygons.

    Coordinates are x, y in image pixels with (0, 0) at the corner of the first pixel, as QuPath
    counts. Features are written one by one: memory does not grow with their number. Objects
    whose box holds more than 67 million pixels are outlined at a fraction of their resolution.

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
    features = area_features(image) if image.classes else _object_features(image)
    with replacing(path, overwrite=overwrite) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        separator = "\n"
        for feature in features:
            file.write(separator + feature)
            separator = ",\n"
        file.write("\n]}\n")


def _object_features(image: LabelImage) -> Iterator[str]:
    table = tabulate(image)
    for row, box, mask, step in masks(image, table):
        yield json.dumps(_feature(int(table.ids[row]), polygons(mask, box, step)))


def _feature(label: int, found: list[Any]) -> dict[str, Any]:  # Any: nested JSON
    single = len(found) == 1
    return {
        "type": "Feature",
        "id": str(uuid4()),
        "geometry": {
            "type": "Polygon" if single else "MultiPolygon",
            "coordinates": found[0] if single else found,
        },
        "properties": {"objectType": "detection", "name": str(label), "measurements": {"label": label}},
    }
