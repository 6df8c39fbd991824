"""Labels as OME-Zarr (NGFF 0.5 on zarr format 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg._atomic import replacing
from napari_mouse_seg.export._source import level_positions, level_shape, level_steps

if TYPE_CHECKING:
    from pathlib import Path

    from napari_mouse_seg.export._source import LabelImage

_CHUNK_PX = 1024
_NGFF_VERSION = "0.5"


def write_ome_zarr(path: Path, image: LabelImage, *, overwrite: bool = False) -> None:
    """Write labels as a multiscale uint32 label image; coarser levels keep every second, fourth, … pixel.

    Chunks are streamed: memory does not grow with the image. Each level carries its own scale and
    the half-pixel translation of its blocks' centres, so that levels lie exactly over each other.

    Parameters
    ----------
    path
        Ends in ``.ome.zarr``.
    image
        Labels; without a pixel size the axes have no unit and the finest scale is 1.
    overwrite
        Whether an existing folder may be replaced.

    Raises
    ------
    ExportError
        If the folder exists already or cannot be written.
    """
    import zarr

    steps = level_steps(image.shape)
    with replacing(path, overwrite=overwrite) as temporary:
        group = zarr.open_group(str(temporary), mode="w", zarr_format=3, attributes={"ome": _metadata(image, steps)})
        for level, step in enumerate(steps):
            array = group.create_array(
                str(level),
                shape=level_shape(image.shape, step),
                chunks=(_CHUNK_PX, _CHUNK_PX),
                dtype=np.uint32,
                fill_value=0,
                dimension_names=("y", "x"),
            )
            _fill(array, image, step)


def _fill(array: Any, image: LabelImage, step: int) -> None:  # Any: zarr's array is typed by its store
    """Write one level chunk by chunk."""
    rows, columns = array.shape
    for y in range(0, rows, _CHUNK_PX):
        picked_rows = level_positions(image.shape[0], step, y, min(y + _CHUNK_PX, rows))
        for x in range(0, columns, _CHUNK_PX):
            picked_columns = level_positions(image.shape[1], step, x, min(x + _CHUNK_PX, columns))
            block = image.sample(picked_rows, picked_columns)
            array[y : y + block.shape[0], x : x + block.shape[1]] = block


def _metadata(image: LabelImage, steps: tuple[int, ...]) -> dict[str, Any]:  # Any: nested JSON
    unit = {} if image.pixel_size_um is None else {"unit": "micrometer"}
    size = image.pixel_size_um or (1.0, 1.0)
    datasets = [
        {
            "path": str(level),
            "coordinateTransformations": [
                {"type": "scale", "scale": [pixel * step for pixel in size]},
                {"type": "translation", "translation": [pixel * (step - 1) / 2 for pixel in size]},
            ],
        }
        for level, step in enumerate(steps)
    ]
    axes = [{"name": name, "type": "space"} | unit for name in "yx"]
    return {
        "version": _NGFF_VERSION,
        "multiscales": [{"name": image.name, "axes": axes, "datasets": datasets, "type": "nearest"}],
        "image-label": {"version": _NGFF_VERSION},
    }
