"""Small image files with known pixels, in the formats that the package reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
import zarr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def pattern(shape: tuple[int, ...], dtype: str = "uint8") -> np.ndarray:
    """Pixels that differ from their neighbours along every axis, so that a shifted or swapped read shows."""
    total = np.zeros(shape, np.int64)
    for number, index in enumerate(np.indices(shape, sparse=True)):
        total = total + index * (2 * number + 3) + (index * index) % 11
    high = {"bool": 2, "uint8": 256, "int8": 128}.get(dtype, 30_000)
    return (total % high).astype(dtype)


def smooth(shape: tuple[int, int], dtype: str = "uint8", samples: int = 0) -> np.ndarray:
    """A slowly varying picture that survives lossy compression."""
    rows, columns = np.indices(shape)
    grey = 60 + 50 * np.sin(rows / 17) + 50 * np.cos(columns / 23) + 40
    if samples:
        grey = np.stack([np.roll(grey, 9 * i, axis=1) for i in range(samples)], axis=-1)
    return grey.astype(dtype)


def halves(pixels: np.ndarray, n_levels: int) -> list[np.ndarray]:
    """A pyramid by taking every second row and column of (..., Y, X) pixels; odd sizes round up."""
    return [pixels[..., :: 2**n, :: 2**n] for n in range(n_levels)]


def write_pyramid_tiff(path: Path, levels: Sequence[np.ndarray], **options: Any) -> Path:
    """Write levels as SubIFDs; an OME-TIFF where the name says so. ``options`` go to tifffile."""
    metadata = options.pop("metadata", None)
    tile = options.pop("tile", (64, 64))
    with tifffile.TiffWriter(path) as writer:
        writer.write(levels[0], subifds=len(levels) - 1, tile=tile, metadata=metadata, **options)
        for level in levels[1:]:
            writer.write(level, subfiletype=1, tile=tile, **options)
    return path


def write_ome_set(folder: Path) -> list[np.ndarray]:
    """Write an image of two channels, each in a file of its own."""
    planes = [pattern((128, 160), "uint16"), pattern((128, 160), "uint16")[::-1]]
    data = "".join(
        f'<TiffData FirstC="{c}" IFD="0" PlaneCount="1"><UUID FileName="c{c}.ome.tif">urn:uuid:{c}</UUID></TiffData>'
        for c in (0, 1)
    )
    for number, plane in enumerate(planes):
        xml = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:{number}">'
            '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="160" SizeY="128" '
            'SizeC="2" SizeZ="1" SizeT="1"><Channel ID="Channel:0:0" Name="DAPI"/>'
            f'<Channel ID="Channel:0:1" Name="GFP"/>{data}</Pixels></Image></OME>'
        )
        tifffile.imwrite(folder / f"c{number}.ome.tif", plane, description=xml, metadata=None)
    return planes


def write_ome_zarr(
    path: Path,
    levels: Sequence[np.ndarray],
    axes: str = "yx",
    *,
    version: str = "0.5",
    scales: Sequence[Sequence[float]] | None = None,
    unit: str | None = "micrometer",
    channels: Sequence[str] = (),
    image_scale: Sequence[float] | None = None,
    chunk: int = 64,
    leading_chunk: int = 1,
) -> Path:
    """Write an OME-Zarr image of version 0.4 or 0.5; a chunk spans ``leading_chunk`` along T, C and Z."""
    group = zarr.open_group(str(path), mode="w", zarr_format=2 if version == "0.4" else 3)
    datasets = []
    for number, level in enumerate(levels):
        sizes = zip(axes, level.shape, strict=True)
        chunks = tuple(min(leading_chunk if axis in "tcz" else chunk, size) for axis, size in sizes)
        array = group.create_array(str(number), shape=level.shape, dtype=level.dtype, chunks=chunks)
        array[...] = level
        scale = list(scales[number]) if scales else [2.0**number if axis in "yx" else 1.0 for axis in axes]
        transforms = [{"type": "scale", "scale": scale}, {"type": "translation", "translation": [0.5] * len(axes)}]
        datasets.append({"path": str(number), "coordinateTransformations": transforms})
    multiscale: dict[str, Any] = {"axes": [_zarr_axis(axis, unit) for axis in axes], "datasets": datasets}
    if image_scale is not None:
        multiscale["coordinateTransformations"] = [{"type": "scale", "scale": list(image_scale)}]
    ome: dict[str, Any] = {"multiscales": [multiscale]}
    if channels:
        ome["omero"] = {"channels": [{"label": label} for label in channels]}
    if version == "0.4":
        multiscale["version"] = version
        group.attrs.update(ome)
    else:
        group.attrs["ome"] = {"version": version, **ome}
    return path


def _zarr_axis(axis: str, unit: str | None) -> dict[str, str]:
    kind = {"t": "time", "c": "channel"}.get(axis, "space")
    return {"name": axis, "type": kind} | ({"unit": unit} if unit and kind == "space" else {})


def write_sparse_tiff(path: Path, side: int = 20_480, tile: int = 512) -> Path:
    """Write a tiled TIFF of which no tile is stored: a large image in a small file."""
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        empty = (b"" for _ in range((side // tile) ** 2))
        writer.write(empty, shape=(side, side), dtype="uint8", tile=(tile, tile), compression="zlib", metadata=None)
    return path


def means(pixels: np.ndarray, n_levels: int) -> list[np.ndarray]:
    """A pyramid whose levels lie exactly over each other: each pixel is the mean of four."""
    levels = [pixels]
    for _ in range(n_levels - 1):
        rows, columns = (size // 2 for size in levels[-1].shape)
        blocks = levels[-1].reshape(rows, 2, columns, 2)
        levels.append(np.round(blocks.mean((1, 3))).astype(pixels.dtype))
    return levels


def write_plate(path: Path, fields: Mapping[str, np.ndarray], *, version: str = "0.5") -> Path:
    """Write an OME-Zarr plate; keys are paths of fields in it, ``A/1/0``, in the order of the metadata."""

    def write_group(folder: Path, key: str, value: object) -> None:
        is_old = version == "0.4"
        group = zarr.open_group(str(folder), mode="w", zarr_format=2 if is_old else 3)
        group.attrs.update({key: value} if is_old else {"ome": {"version": version, key: value}})

    wells: dict[str, list[str]] = {}
    for field in fields:
        well, _, name = field.rpartition("/")
        wells.setdefault(well, []).append(name)
    write_group(path, "plate", {"wells": [{"path": well} for well in wells]})
    for well, names in wells.items():
        write_group(path / well, "well", {"images": [{"path": name} for name in names]})
    for field, pixels in fields.items():
        write_ome_zarr(path / field, [pixels], version=version)
    return path
