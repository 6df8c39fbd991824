"""A picture to look at: the image, stretched, with the objects' outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg._atomic import replacing
from napari_mouse_seg.export._source import level_positions, level_shape
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_mouse_seg.export._source import IntensityPlane, LabelImage

_MAX_SIDE_PX = 2000
_BAND_PX = 1 << 24
_OUTLINE = (255, 200, 0)
_PERCENTILES = (0.5, 99.8)


def write_overlay(path: Path, image: LabelImage, *, overwrite: bool = False) -> None:
    """Write an RGB PNG with outlines; images over 2000 px a side are shown at a fraction of their size.

    A single channel is stretched between percentiles 0.5 and 99.8 and shown in grey; 8-bit RGB is shown
    as it is. Without an image the ground is black. Outlines lie inside the objects, so that
    touching ones are told apart; areas have the colours of their classes.

    Parameters
    ----------
    path
        Ends in ``.png``.
    image
        Labels and the image under them.
    overwrite
        Whether an existing file may be replaced.

    Raises
    ------
    ExportError
        If the file exists already or cannot be written.
    """
    from PIL import Image

    with replacing(path, overwrite=overwrite) as temporary:
        Image.fromarray(_draw(image)).save(temporary, format="PNG")


def _draw(image: LabelImage) -> NDArray[np.uint8]:
    from skimage.segmentation import find_boundaries

    step = -(-max(image.shape) // _MAX_SIDE_PX)
    shape = level_shape(image.shape, step)
    rows, columns = (level_positions(length, step, 0, count) for length, count in zip(image.shape, shape, strict=True))
    canvas = np.zeros((*shape, 3), np.uint8)
    if image.plane is not None:
        canvas[:] = _ground(image.plane, rows, columns)
    labels = image.sample(rows, columns)
    outlines = find_boundaries(labels, mode="inner")  # type: ignore[no-untyped-call]  # skimage
    canvas[outlines] = _OUTLINE
    for entry in image.classes:
        colour = tuple(int(entry.colour[place : place + 2], 16) for place in (1, 3, 5))
        canvas[outlines & (labels == entry.label)] = colour
    return canvas


def _ground(plane: IntensityPlane, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Display intensities, (Y, X, 3), from the coarsest level that is fine enough, read in bands."""
    sizes = enumerate(plane.level_shapes)
    level = max((index for index, size in sizes if size[0] >= len(rows) and size[1] >= len(columns)), default=0)
    height, width = plane.level_shapes[level]
    y, x = _onto(rows, plane.shape[0], height), _onto(columns, plane.shape[1], width)
    parts = []
    for part in np.split(y, np.flatnonzero(np.diff(y // max(1, _BAND_PX // width))) + 1):
        top = int(part[0])
        band = plane.read(level, Box(top, 0, int(part[-1]) + 1, width))
        parts.append(band[np.ix_(part - top, x)])
    return _stretch(np.concatenate(parts))


def _onto(positions: NDArray[np.intp], length: int, coarse_length: int) -> NDArray[np.intp]:
    """Coarse-level pixel under the centre of each finest-level pixel."""
    return np.minimum(((positions + 0.5) * coarse_length / length).astype(np.intp), coarse_length - 1)


def _stretch(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if pixels.ndim == 3 and pixels.dtype == np.uint8:
        return pixels
    values = np.nan_to_num(pixels.astype(np.float32), posinf=0, neginf=0)
    low, high = np.percentile(values, _PERCENTILES)
    grey = np.clip((values - low) / max(high - low, 1e-12), 0, 1) * 255
    shown: NDArray[np.uint8] = grey.astype(np.uint8) if pixels.ndim == 3 else grey.astype(np.uint8)[..., None]
    return shown
