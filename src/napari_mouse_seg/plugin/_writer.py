"""The npe2 writer: a labels layer, also a pyramid of one, as a file that other programs read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.errors import ExportError, UnsupportedImageError

if TYPE_CHECKING:
    from napari_mouse_seg.export import LabelArray

_FORMAT_OF = {".tif": "tiff", ".tiff": "tiff", ".zarr": "ome-zarr", ".csv": "csv", ".geojson": "geojson"}


def write_labels(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:  # Any: as npe2 hands it over
    """Write a labels layer; napari has asked whether a file may be replaced.

    Parameters
    ----------
    path
        Its ending says the format: ``.tif`` and ``.tiff`` (pyramidal OME-TIFF), ``.zarr`` (OME-Zarr), ``.csv``
        (measurements) or ``.geojson`` (outlines).
    data
        (..., Y, X) integers with one plane, or a sequence of them, the finest first, of which that one is written.
    attributes
        Of the layer.

    Returns
    -------
    list of str
        The path.

    Raises
    ------
    ExportError
        If there is no such format, or the disk refuses.
    UnsupportedImageError
        If the labels have several planes.
    """
    from napari_mouse_seg.export import FORMATS, LabelImage

    target = Path(path)
    name = _FORMAT_OF.get(target.suffix.lower())
    if name is None:
        raise ExportError(f"{target.name} ends in no known format; give it one of {', '.join(_FORMAT_OF)}.")
    finest = data[0] if attributes.get("multiscale") or isinstance(data, Sequence) else data
    labels = _plane_of(finest, str(attributes.get("name", "labels")))
    image = LabelImage(labels, _pixel_size_um(attributes), str(attributes.get("name", "labels")))
    FORMATS[name].write(target, image, overwrite=True)
    return [path]


def _plane_of(labels: Any, name: str) -> LabelArray:
    """Return the one plane of (..., Y, X) labels, without reading it."""
    lead = labels.shape[:-2]
    if any(length != 1 for length in lead):
        raise UnsupportedImageError(f"“{name}” has {int(np.prod(lead))} planes; only labels of one plane can be saved.")
    plane: LabelArray = labels[(0,) * len(lead)] if lead else labels
    return plane


def _pixel_size_um(attributes: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return height and width of a pixel in µm; None if the layer's units are no lengths."""
    units = tuple(attributes.get("units") or ())[-2:]
    sizes = []
    for step, unit in zip(tuple(attributes.get("scale", ()))[-2:], units, strict=False):
        quantity = float(step) * unit
        if not quantity.check("[length]") or float(step) <= 0:
            return None
        sizes.append(float(quantity.to("micrometer").magnitude))
    return (sizes[0], sizes[1]) if len(sizes) == 2 else None
