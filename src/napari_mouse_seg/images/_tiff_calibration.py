"""Pixel size and channel names of a TIFF: OME-XML, ImageJ, Aperio's description, resolution tags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from napari_mouse_seg.images._image import Calibration
from napari_mouse_seg.images._units import pixel_size, to_um

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage, TiffPageSeries

_RESOLUTION_UNITS = {2: "inch", 3: "cm", 4: "mm", 5: "um"}

# Programs write 72 to 600 dots per inch into any file; a microscope's pixel is smaller than these.
_MAX_TAG_PIXEL_UM = 20.0
_PRINTER_UNIT_UM = 10_000.0

_MPP = re.compile(r"\bMPP\s*=\s*([0-9.]+(?:[eE][-+]?\d+)?)")


def tiff_calibration(tiff: TiffFile, series: TiffPageSeries) -> Calibration:
    """Return what the file says of one of its series; the most specific source that knows a pixel size wins."""
    found = Calibration()
    if tiff.is_ome and tiff.ome_metadata:
        found = _from_ome(tiff, series)
    elif tiff.is_imagej and tiff.imagej_metadata:
        found = _from_imagej(tiff.imagej_metadata, series.keyframe)
    if found.pixel_size_um is not None:
        return found
    size = _from_description(series.keyframe.description) or _from_tags(series.keyframe)
    return Calibration(size, found.z_step_um, found.channel_names)


def _from_ome(tiff: TiffFile, series: TiffPageSeries) -> Calibration:
    """Attributes of Pixels and Channel of the series' Image; nothing if the XML is damaged."""
    try:
        root = ElementTree.fromstring(tiff.ome_metadata or "")
    except ElementTree.ParseError:
        return Calibration()
    pixels = _pixels_of(root, tiff, series)
    if pixels is None:
        return Calibration()
    z, y, x = (to_um(pixels.get(f"PhysicalSize{axis}"), pixels.get(f"PhysicalSize{axis}Unit", "µm")) for axis in "ZYX")
    names = tuple(channel.get("Name", "") for channel in pixels.findall("{*}Channel"))
    return Calibration(pixel_size(y, x), z, names if all(names) else ())


def _pixels_of(root: ElementTree.Element, tiff: TiffFile, series: TiffPageSeries) -> ElementTree.Element | None:
    """Pixels of the Image that a series was made of; tifffile makes none of an Image without data in the file."""
    described = root.findall("{*}Image/{*}Pixels")
    stored = [pixels for pixels in described if pixels.find("{*}TiffData") is not None] or described
    alike = [pixels for pixels in stored if (pixels.get("SizeY"), pixels.get("SizeX")) == _size_texts(series)]
    before = list(tiff.series)[: list(tiff.series).index(series)]
    number = sum(_size_texts(other) == _size_texts(series) for other in before)
    return alike[number] if number < len(alike) else None


def _size_texts(series: TiffPageSeries) -> tuple[str, str]:
    """Rows and columns as OME-XML writes them."""
    return str(series.keyframe.imagelength), str(series.keyframe.imagewidth)


def _from_imagej(metadata: dict[str, Any], page: TiffPage) -> Calibration:
    """ImageJ's unit with the resolution tags, its spacing along Z, and its labels where there is one per channel.

    ImageJ takes the dots per inch of a screen or printer over as a calibration in inches or centimetres.
    """
    unit = str(metadata.get("unit", ""))
    y, x = (to_um(size, unit) for size in _tag_sizes(page))
    labels = metadata.get("Labels")
    names = tuple(str(label) for label in labels) if isinstance(labels, (list, tuple)) else ()
    size = pixel_size(y, x)
    if size is not None and (to_um(1, unit) or 0) >= _PRINTER_UNIT_UM and max(size) > _MAX_TAG_PIXEL_UM:
        return Calibration(channel_names=names)
    return Calibration(size, to_um(metadata.get("spacing"), unit), names)


def _from_description(description: str) -> tuple[float, float] | None:
    """Aperio's micrometres per pixel."""
    match = _MPP.search(description)
    size = to_um(match.group(1), "um") if match else None
    return pixel_size(size, size)


def _from_tags(page: TiffPage) -> tuple[float, float] | None:
    """Resolution tags with a length unit, unless they are a screen's or printer's."""
    unit = _RESOLUTION_UNITS.get(int(page.tags.valueof("ResolutionUnit", 1)))
    y, x = (to_um(size, unit) for size in _tag_sizes(page))
    size = pixel_size(y, x)
    return size if size is not None and max(size) <= _MAX_TAG_PIXEL_UM else None


def _tag_sizes(page: TiffPage) -> tuple[float | None, float | None]:
    """Units per pixel along Y and X."""
    sizes = []
    for name in ("YResolution", "XResolution"):
        value = page.tags.valueof(name)
        numerator, denominator = value if isinstance(value, tuple) and len(value) == 2 else (0, 0)
        sizes.append(denominator / numerator if numerator else None)
    return sizes[0], sizes[1]
