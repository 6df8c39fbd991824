"""Results as files: one module a format, all called in the same way.

Heavy libraries are imported when a file is written, so a command can list the formats at once.
"""

from napari_mouse_seg._atomic import replacing
from napari_mouse_seg.export._at_size import at_image_size, number_anew
from napari_mouse_seg.export._formats import FORMATS, LABEL_FORMATS, LabelFormat
from napari_mouse_seg.export._geojson import write_geojson
from napari_mouse_seg.export._interrupt import WritingStopped, interruptible
from napari_mouse_seg.export._measurements import measure_objects, write_measurements
from napari_mouse_seg.export._ome_zarr import write_ome_zarr
from napari_mouse_seg.export._overlay import write_overlay
from napari_mouse_seg.export._record import (
    InputRecord,
    ModelRecord,
    RunRecord,
    describe_input,
    read_record,
    versions,
    write_record,
)
from napari_mouse_seg.export._source import Exporter, IntensityPlane, LabelArray, LabelImage
from napari_mouse_seg.export._tiff import write_tiff

__all__ = [
    "FORMATS",
    "LABEL_FORMATS",
    "Exporter",
    "InputRecord",
    "IntensityPlane",
    "LabelArray",
    "LabelFormat",
    "LabelImage",
    "ModelRecord",
    "RunRecord",
    "WritingStopped",
    "at_image_size",
    "describe_input",
    "interruptible",
    "measure_objects",
    "number_anew",
    "read_record",
    "replacing",
    "versions",
    "write_geojson",
    "write_measurements",
    "write_ome_zarr",
    "write_overlay",
    "write_record",
    "write_tiff",
]
