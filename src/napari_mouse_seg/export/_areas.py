"""Measurements and outlines of areas: one row, or one feature, a class."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from napari_mouse_seg.export._polygons import polygons
from napari_mouse_seg.plans import BACKGROUND_LABEL
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_mouse_seg.export._source import LabelImage
    from napari_mouse_seg.plans import ClassPlan

_BAND_PX = 1 << 22
_MAX_OUTLINED_PX = 1 << 25


def measure_areas(image: LabelImage) -> dict[str, list[Any]]:  # Any: text and numbers
    """Return one entry a class in every column: label, name, pixels, shares, area.

    The first share is that of all that is labelled; in the second the background (label 1) is left out on both sides.

    The area is in µm² where the pixel size is known, else in pixels. With an image there is the mean intensity of each
    channel over its finite pixels. A class that has none has no mean: NaN. Labels of no class, which somebody may have
    painted, count nowhere.

    Parameters
    ----------
    image
        Labels with their classes, pixel size, and the image to measure intensities in.
    """
    labels = [entry.label for entry in image.classes]
    pixels, sums, samples = _count(image, max(labels) + 1)
    counts = pixels[labels]
    unit, size = ("px", (1.0, 1.0)) if image.pixel_size_um is None else ("um", image.pixel_size_um)
    columns: dict[str, list[Any]] = {  # Any: as above
        "label": labels,
        "class": [entry.name for entry in image.classes],
        "pixels": counts.tolist(),
        "share": (counts / max(1, counts.sum())).tolist(),
        "share_without_background": _without_background(labels, counts),
        f"area_{unit}2": (counts * size[0] * size[1]).tolist(),
    }
    endings = ("",) if len(sums) == 1 else ("_red", "_green", "_blue")
    for ending, total, n in zip(endings, sums[:, labels], samples[:, labels], strict=False):
        means = np.divide(total, n, out=np.full(len(labels), np.nan), where=n > 0)
        columns[f"mean_intensity{ending}"] = means.tolist()
    return columns


def area_features(image: LabelImage) -> Iterator[str]:
    """Yield one GeoJSON feature a class, as QuPath reads annotations; classes that are nowhere are left out.

    Images of more than 34 million pixels are outlined at a fraction of their resolution, so that memory stays bounded;
    the coordinates are those of the image.
    """
    step = max(1, int(np.ceil(np.sqrt(image.shape[0] * image.shape[1] / _MAX_OUTLINED_PX))))
    rows, columns = (np.minimum(np.arange(0, size, step) + step // 2, size - 1) for size in image.shape)
    shown = image.sample(rows, columns)
    for entry in image.classes:
        mask = shown == entry.label
        if mask.any():
            yield json.dumps(_feature(entry, mask, step))


def _without_background(labels: list[int], counts: NDArray[np.int64]) -> list[float]:
    others = sum(int(count) for label, count in zip(labels, counts, strict=True) if label != BACKGROUND_LABEL)
    return [
        np.nan if label == BACKGROUND_LABEL or not others else int(count) / others
        for label, count in zip(labels, counts, strict=True)
    ]


def _count(image: LabelImage, n: int) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return pixels by label, (n,), and sums and numbers of finite samples by channel and label, (channels, n)."""
    rows, columns = image.shape
    n_channels = 0 if image.plane is None else image.plane.n_channels
    pixels, sums, counts = np.zeros(n, np.int64), np.zeros((n_channels, n)), np.zeros((n_channels, n), np.int64)
    height = max(1, _BAND_PX // max(1, columns))
    for top in range(0, rows, height):
        bottom = min(top + height, rows)
        labels = image.read(slice(top, bottom), slice(0, columns)).ravel()
        labels = np.where(labels < n, labels, 0)
        pixels += np.bincount(labels, minlength=n)
        if image.plane is not None:
            band = image.plane.read(0, Box(top, 0, bottom, columns)).reshape(-1, n_channels)
            for channel, samples in enumerate(band.T):
                finite = np.isfinite(samples)
                sums[channel] += np.bincount(labels[finite], weights=samples[finite].astype(float), minlength=n)
                counts[channel] += np.bincount(labels[finite], minlength=n)
    return pixels, sums, counts


def _feature(entry: ClassPlan, mask: NDArray[np.bool_], step: int) -> dict[str, Any]:  # Any: nested JSON
    colour = [int(entry.colour[place : place + 2], 16) for place in (1, 3, 5)]
    return {
        "type": "Feature",
        "id": str(uuid4()),
        "geometry": {"type": "MultiPolygon", "coordinates": list(_pieces(mask, step))},
        "properties": {"objectType": "annotation", "classification": {"name": entry.name, "color": colour}},
    }


def _pieces(mask: NDArray[np.bool_], step: int) -> Iterator[list[list[list[float]]]]:
    """Outline each connected piece by itself: the work then grows with the number of pieces, not with its square."""
    from scipy import ndimage

    pieces, _ = ndimage.label(mask)
    for number, place in enumerate(ndimage.find_objects(pieces), start=1):
        corners = (place[0].start, place[1].start, place[0].stop, place[1].stop)
        yield from polygons(pieces[place] == number, Box(*(int(corner) * step for corner in corners)), step)
