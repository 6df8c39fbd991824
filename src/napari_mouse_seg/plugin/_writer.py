"""The npe2 writer: a labels layer, also a pyramid of one, as a file that other programs read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from napari_mouse_seg.errors import ExportError, UnsupportedImageError
from napari_mouse_seg.plugin._layers import ORIGIN, pixel_size_um

if TYPE_CHECKING:
    from napari_mouse_seg.export import LabelArray, LabelImage
    from napari_mouse_seg.plugin._layers import Origin

_PLACE = ("scale", "rotate", "shear", "affine", "units")
_FORMAT_OF = {
    ".tif": "tiff",
    ".tiff": "tiff",
    ".zarr": "ome-zarr",
    ".csv": "csv",
    ".geojson": "geojson",
    ".png": "overlay",
}


def write_labels(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:  # Any: as npe2 hands it over
    """Write a labels layer; napari has asked whether a file may be replaced.

    A result of the panel *Segment* is written at its image's size, as the command line does, and measured in it.

    Parameters
    ----------
    path
        Its ending says the format: ``.tif`` and ``.tiff`` (pyramidal OME-TIFF), ``.zarr`` (OME-Zarr), ``.csv``
        (measurements), ``.geojson`` (outlines) or ``.png`` (a picture with outlines).
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
    from napari_mouse_seg.export import FORMATS

    target = Path(path)
    FORMATS[format_of(target)].write(target, label_image(data, attributes), overwrite=True)
    return [path]


def format_of(path: Path) -> str:
    """Return the format, of ``export.FORMATS``, that a file's ending says.

    Raises
    ------
    ExportError
        If there is no such format.
    """
    name = _FORMAT_OF.get(path.suffix.lower())
    if name is None:
        raise ExportError(f"{path.name} ends in no known format; give it one of {', '.join(_FORMAT_OF)}.")
    return name


def label_image(data: Any, attributes: Mapping[str, Any]) -> LabelImage:  # Any: as above
    """Return what exporters are given of a labels layer; no pixels are read. As ``write_labels``."""
    from napari_mouse_seg.export import LabelImage

    finest = data[0] if attributes.get("multiscale") or isinstance(data, Sequence) else data
    called = str(attributes.get("name", "labels"))
    labels = _plane_of(finest, called)
    size_um = pixel_size_um(_place_of(len(finest.shape), attributes))
    origin = (attributes.get("metadata") or {}).get(ORIGIN)
    return _over_its_image(labels, size_um, called, origin) or LabelImage(labels, size_um, called)


def _over_its_image(
    labels: LabelArray, size_um: tuple[float, float] | None, name: str, origin: Origin | None
) -> LabelImage | None:
    """Return a result at its image's size, with the image to measure; None if the labels are no result."""
    from napari_mouse_seg.export import LabelImage, at_image_size

    if origin is None or tuple(labels.shape) != origin.job.network_shape:
        return None
    job = origin.job
    y, x = job.pixel_scale
    image_um = None if size_um is None else (size_um[0] / y, size_um[1] / x)
    at_size = at_image_size(labels, (y, x), job.plane.shape)
    return LabelImage(at_size, image_um, name, job.plane, job.model.card.classes)


def _plane_of(labels: Any, name: str) -> LabelArray:
    """Return the one plane of (..., Y, X) labels, without reading it."""
    lead = labels.shape[:-2]
    if any(length != 1 for length in lead):
        raise UnsupportedImageError(f"“{name}” has {int(np.prod(lead))} planes; only labels of one plane can be saved.")
    plane: LabelArray = labels[(0,) * len(lead)] if lead else labels
    return plane


def _place_of(ndim: int, attributes: Mapping[str, Any]) -> Image:  # Any: as above
    """Return an empty layer at the same place; napari knows what the attributes mean."""
    place = {name: attributes[name] for name in _PLACE if attributes.get(name) is not None}
    return Image(np.zeros((1,) * ndim, np.uint8), **place)
