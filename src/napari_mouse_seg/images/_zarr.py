"""OME-Zarr 0.4 (zarr format 2) and 0.5 (zarr format 3); older ones as far as they agree with 0.4."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_mouse_seg.errors import DamagedImageError, UnsupportedImageError
from napari_mouse_seg.images._arrays import canonical_axes, check_axes
from napari_mouse_seg.images._build import build_image, level_factor
from napari_mouse_seg.images._cache import ByteCache
from napari_mouse_seg.images._guard import reading
from napari_mouse_seg.images._image import Calibration, MultiscaleImage
from napari_mouse_seg.images._joined import join_colours
from napari_mouse_seg.images._levels import ArrayLevel
from napari_mouse_seg.images._series import choose_series
from napari_mouse_seg.images._stem import image_name
from napari_mouse_seg.images._units import pixel_size, to_um
from napari_mouse_seg.images._zarr_plate import plate_fields
from napari_mouse_seg.images._zarr_series import series_folders, series_names

if TYPE_CHECKING:
    from pathlib import Path

    from napari_mouse_seg.images._series import Series

_GROUP_FILES = ("zarr.json", ".zgroup", ".zattrs")
_OLD_AXES = ("t", "c", "z", "y", "x")


def open_ome_zarr(path: Path, wanted: int | None = None, *, join: bool = True) -> MultiscaleImage:
    """Open an OME-Zarr image; only its metadata is read. Axes of length 1 are left out.

    Parameters
    ----------
    path
        The image's directory, or one that holds several as bioformats2raw writes it.
    wanted
        Which of several; None takes the first.
    join
        Whether three bright channels may become RGB.

    Raises
    ------
    UnsupportedImageError
        If the directory is no OME-Zarr image.
    DamagedImageError
        If metadata or a level is missing or damaged.
    PlanError
        If there is no such image.
    """
    import zarr

    if not any((path / name).is_file() for name in _GROUP_FILES):
        raise UnsupportedImageError(
            f"{path} is a directory but no OME-Zarr image (no zarr.json or .zgroup in it); "
            "give an image file or the directory of an OME-Zarr image."
        )
    with reading(str(path), "the OME-Zarr metadata"):
        group = zarr.open(str(path), mode="r")
        if not isinstance(group, zarr.Group):
            raise UnsupportedImageError(
                f"{path} is a single Zarr array without OME-Zarr metadata; give the image directory around it."
            )
        attributes: dict[str, Any] = dict(group.attrs)  # Any: JSON
        ome = attributes.get("ome", attributes)
        if "bioformats2raw.layout" in ome and (folders := series_folders(path)):
            which = choose_series(path, series_names(path, folders), 0, wanted)
            folder = folders[0 if which is None else which.index]
            if not folder.is_dir():
                raise DamagedImageError(f"{path} has no image {folder.name}, although it lists one; copy it again.")
            return replace(open_ome_zarr(folder, join=join), name=path.name, path=path, series=which)
        multiscale = _first_multiscale(path, ome)
        choose_series(path, [""], 0, wanted)
        image = _image_from_group(path, group, multiscale, ome)
        return join_colours(image) if join else image


def ome_zarr_series(path: Path) -> Series | None:
    """Return which image ``open_ome_zarr`` takes of several; None if there is but one, or none."""
    import zarr

    if not any((path / name).is_file() for name in _GROUP_FILES):
        return None
    with reading(str(path), "the OME-Zarr metadata"):
        attributes: dict[str, Any] = dict(zarr.open(str(path), mode="r").attrs)  # Any: JSON
        if "bioformats2raw.layout" not in attributes.get("ome", attributes):
            return None
        folders = series_folders(path)
        return choose_series(path, series_names(path, folders), 0, None) if folders else None


def _first_multiscale(path: Path, ome: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
    """Return the first image of the group, or raise the reason why there is none."""
    if "plate" in ome or "well" in ome:
        fields = plate_fields(path)
        way = f"open one of its {len(fields)} fields, such as {fields[0]}" if fields else "it lists no field"
        raise UnsupportedImageError(f"{path} is an OME-Zarr plate or well, not an image; {way}.")
    if not ome.get("multiscales"):
        raise UnsupportedImageError(
            f"{path} is a Zarr group without OME-Zarr metadata (no 'multiscales'); give an OME-Zarr image."
        )
    first: dict[str, Any] = ome["multiscales"][0]
    return first


def _image_from_group(path: Path, group: Any, multiscale: dict[str, Any], ome: dict[str, Any]) -> MultiscaleImage:
    """Build the image from checked metadata. ``Any``: zarr's group, and JSON."""
    datasets = multiscale["datasets"]
    arrays = [_array(path, group, str(dataset["path"])) for dataset in datasets]
    axes = multiscale.get("axes", _OLD_AXES)
    names = "".join(str(axis["name"] if isinstance(axis, dict) else axis) for axis in axes).upper()
    units = [axis.get("unit") if isinstance(axis, dict) else None for axis in axes]
    for array in arrays:
        check_axes(str(path), names, array.shape)
    sizes = dict(zip(names, arrays[0].shape, strict=True))
    kept = "".join(axis for axis in canonical_axes(names) if axis in "YXS" or sizes[axis] > 1)
    cache = ByteCache()
    levels = tuple(ArrayLevel(array, names, kept, str(path), cache) for array in arrays)
    scales = [_scales(multiscale, dataset, names) for dataset in datasets]
    shapes = [level.plane_shape for level in levels]
    return build_image(
        image_name(path),
        path,
        kept,
        levels,
        _calibration(names, units, scales[0], ome, sizes.get("C", 1)),
        tuple(_level_scale(shapes[0], shape, scales[0], scale) for shape, scale in zip(shapes, scales, strict=True)),
    )


def _array(path: Path, group: Any, name: str) -> Any:  # Any: zarr's group and array
    """Open one level."""
    import zarr

    try:
        array = group[name]
    except KeyError as error:
        raise DamagedImageError(
            f"{path} has no level {name!r}, although its metadata list it; copy it again."
        ) from error
    if not isinstance(array, zarr.Array):
        raise DamagedImageError(f"{path}: level {name!r} is no array; export the image again.")
    return array


def _scales(multiscale: dict[str, Any], dataset: dict[str, Any], axes: str) -> dict[str, float]:  # Any: JSON
    """Length of a pixel along each axis: the level's scale times that of the whole image; empty without both."""
    lengths: dict[str, float] = {}
    for transforms in (dataset, multiscale):
        for transform in transforms.get("coordinateTransformations") or ():
            if transform.get("type") == "scale":
                for axis, factor in zip(axes, transform["scale"], strict=True):
                    lengths[axis] = lengths.get(axis, 1.0) * float(factor)
    return lengths


def _level_scale(
    full: tuple[int, int], shape: tuple[int, int], finest: dict[str, float], scale: dict[str, float]
) -> tuple[float, float]:
    """Level-0 pixels per pixel, from the metadata where they agree with the shapes within a pixel.

    Some writers give every level the same scale, or round it.
    """
    factors = []
    for axis, n_full, n_level in zip("YX", full, shape, strict=True):
        factor = scale.get(axis, 1.0) / finest.get(axis, 1.0) if finest.get(axis, 1.0) > 0 else 0.0
        fits = factor > 0 and abs(n_full / factor - n_level) <= 1
        factors.append(factor if fits else level_factor(n_full, n_level))
    return factors[0], factors[1]


def _calibration(
    axes: str, units: list[str | None], scale: dict[str, float], ome: dict[str, Any], n_channels: int
) -> Calibration:
    """Pixel size where axes have a scale and a unit of length, and channel names."""
    z, y, x = (to_um(scale.get(axis), units[axes.index(axis)]) if axis in axes else None for axis in "ZYX")
    channels = (ome.get("omero") or {}).get("channels") or []
    names = tuple(str((channel or {}).get("label") or "") for channel in channels)
    return Calibration(pixel_size(y, x), z, names if len(names) == n_channels and all(names) else ())
