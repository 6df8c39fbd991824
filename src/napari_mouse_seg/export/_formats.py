"""The formats by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_mouse_seg.export._geojson import write_geojson
from napari_mouse_seg.export._measurements import write_measurements
from napari_mouse_seg.export._ome_zarr import write_ome_zarr
from napari_mouse_seg.export._overlay import write_overlay
from napari_mouse_seg.export._tiff import write_tiff

if TYPE_CHECKING:
    from pathlib import Path

    from napari_mouse_seg.export._source import Exporter


@dataclass(frozen=True, slots=True)
class LabelFormat:
    """How a format is called, what its files end in, and what writes them."""

    name: str
    ending: str
    write: Exporter

    def path(self, folder: Path, stem: str) -> Path:
        """Return where an image's file goes."""
        return folder / f"{stem}{self.ending}"


FORMATS = {
    entry.name: entry
    for entry in (
        LabelFormat("tiff", ".tif", write_tiff),
        LabelFormat("ome-zarr", ".ome.zarr", write_ome_zarr),
        LabelFormat("csv", ".csv", write_measurements),
        LabelFormat("overlay", "_overlay.png", write_overlay),
        LabelFormat("geojson", ".geojson", write_geojson),
    )
}
"""Every format by name."""

LABEL_FORMATS = ("tiff", "ome-zarr")
"""Formats that hold the labels themselves."""
