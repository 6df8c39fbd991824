"""Labels as a pyramidal, tiled, compressed OME-TIFF.

Deflate, not zstd: every reader opens it, and on label images it is as small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg._atomic import replacing
from napari_mouse_seg.export._source import level_positions, level_shape, level_steps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_mouse_seg.export._source import LabelImage

_TILE_PX = 512
_CLASSIC_TIFF_BYTES = 2**31


def write_tiff(path: Path, image: LabelImage, *, overwrite: bool = False) -> None:
    """Write labels as uint32 OME-TIFF; coarser levels (SubIFDs) keep every second, fourth, … pixel.

    Tiles are streamed: memory does not grow with the image.

    Parameters
    ----------
    path
        Ends in ``.tif``.
    image
        Labels; the pixel size goes into the OME-XML and the resolution tags.
    overwrite
        Whether an existing file may be replaced.

    Raises
    ------
    ExportError
        If the file exists already or cannot be written.
    """
    from tifffile import TiffWriter

    steps = level_steps(image.shape)
    big = 4 * image.shape[0] * image.shape[1] > _CLASSIC_TIFF_BYTES
    with replacing(path, overwrite=overwrite) as temporary, TiffWriter(temporary, bigtiff=big, ome=True) as writer:
        for step in steps:
            finest = step == 1
            writer.write(
                _tiles(image, step),
                shape=level_shape(image.shape, step),
                dtype=np.uint32,
                tile=(_TILE_PX, _TILE_PX),
                photometric="minisblack",
                compression="zlib",
                compressionargs={"level": 5},
                subifds=len(steps) - 1 if finest else 0,
                subfiletype=0 if finest else 1,
                metadata=_ome_metadata(image) if finest else None,
                **_resolution(image.pixel_size_um, step),
            )


def _tiles(image: LabelImage, step: int) -> Iterator[NDArray[np.uint32]]:
    """Full tiles in file order, padded with background."""
    rows, columns = level_shape(image.shape, step)
    for y in range(0, rows, _TILE_PX):
        picked_rows = level_positions(image.shape[0], step, y, min(y + _TILE_PX, rows))
        for x in range(0, columns, _TILE_PX):
            picked_columns = level_positions(image.shape[1], step, x, min(x + _TILE_PX, columns))
            tile = np.zeros((_TILE_PX, _TILE_PX), np.uint32)
            tile[: len(picked_rows), : len(picked_columns)] = image.sample(picked_rows, picked_columns)
            yield tile


def _ome_metadata(image: LabelImage) -> dict[str, Any]:  # Any: tifffile takes strings and numbers
    metadata: dict[str, Any] = {"axes": "YX", "Name": image.name}
    if image.pixel_size_um is not None:
        height, width = image.pixel_size_um
        metadata |= {"PhysicalSizeY": height, "PhysicalSizeX": width}
        metadata |= {"PhysicalSizeYUnit": "µm", "PhysicalSizeXUnit": "µm"}
    return metadata


def _resolution(pixel_size_um: tuple[float, float] | None, step: int) -> dict[str, Any]:  # Any: as above
    if pixel_size_um is None:
        return {}
    height, width = (size * step for size in pixel_size_um)
    return {"resolution": (1e4 / width, 1e4 / height), "resolutionunit": "CENTIMETER"}
