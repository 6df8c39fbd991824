"""Lazy multi-level images and their intensity statistics; no torch."""

from napari_mouse_seg.images._arrays import from_arrays
from napari_mouse_seg.images._hash import image_files, image_fingerprint, image_hash
from napari_mouse_seg.images._image import MultiscaleImage
from napari_mouse_seg.images._intensity import IntensityRange, compress, intensity_range, normalise, stretch
from napari_mouse_seg.images._levels import Level
from napari_mouse_seg.images._open import IMAGE_SUFFIXES, list_series, open_image
from napari_mouse_seg.images._plane import ImagePlane
from napari_mouse_seg.images._sample import sample_path
from napari_mouse_seg.images._series import Series
from napari_mouse_seg.images._stained import looks_stained
from napari_mouse_seg.images._stem import file_name, image_name, image_stem, result_stem, zarr_root
from napari_mouse_seg.images._zarr_plate import plate_fields

__all__ = [
    "IMAGE_SUFFIXES",
    "ImagePlane",
    "IntensityRange",
    "Level",
    "MultiscaleImage",
    "Series",
    "compress",
    "file_name",
    "from_arrays",
    "image_files",
    "image_fingerprint",
    "image_hash",
    "image_name",
    "image_stem",
    "intensity_range",
    "list_series",
    "looks_stained",
    "normalise",
    "open_image",
    "plate_fields",
    "result_stem",
    "sample_path",
    "stretch",
    "zarr_root",
]
