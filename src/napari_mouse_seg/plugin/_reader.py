"""The npe2 reader: image files become multiscale layers, label images become layers of labels.

A channel is a layer of its own. ``channel_axis`` was rejected: it slices every level with dask, which costs a graph
for each view.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from napari_mouse_seg.errors import MouseSegError
    from napari_mouse_seg.images import ImagePlane, Level, MultiscaleImage

    PathOrPaths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
    LayerData = tuple[Any, dict[str, Any], str]  # Any: napari's layer data and arguments

PATH = "mouse_seg_path"
"""Key in a layer's metadata of the file or folder that it is of, which may lie in the one that was opened."""

CHANNEL = "mouse_seg_channel"
"""Key in a layer's metadata of the channel of the file that it holds."""

SERIES = "mouse_seg_series"
"""Key of which image of a file that holds several it is: a number from 0, and the names of all."""

_CHUNK_PX = 1024
_MAX_READ_PIXELS = 16_000_000
_MAX_EDITABLE_PIXELS = 16_000_000
_SAMPLE_PIXELS = 1_000_000
_MOST_SERIES = 16
_MOST_TOLD = 5
_PATCH_PX = 256
_PATCHES_PER_SIDE = 5
_LIMIT_PERCENTILES = (0.5, 99.8)
_TWO_COLORMAPS = ("magenta", "green")
_COLORMAPS = ("cyan", "yellow", "magenta", "red", "green", "blue")


def get_reader(path: PathOrPaths) -> Callable[[PathOrPaths], list[LayerData]] | None:
    """Return the reader if the names of all paths end like images or lie in one, otherwise None; nothing is opened.

    Parameters
    ----------
    path
        One path, or several.
    """
    from napari_mouse_seg.images import IMAGE_SUFFIXES, zarr_root

    roots = [zarr_root(Path(one)).name.lower() for one in _paths(path)]
    return read if roots and all(name.endswith(IMAGE_SUFFIXES) for name in roots) else None


def read(path: PathOrPaths) -> list[LayerData]:
    """Open images as layers without reading more than a coarse level, for the contrast limits.

    Parameters
    ----------
    path
        One path, or several; each gives its own layers.

    Returns
    -------
    list of (data, arguments, "image" or "labels")
        One for each channel. Labels, which are of uint32, can be painted in up to 16 million pixels. Of a file with
        several images (positions, regions) the one that ``open_image`` takes is visible, and up to 15 more can be.
        ``metadata`` holds ``mouse_seg_path``, ``mouse_seg_axes`` (of the layer's data), ``mouse_seg_channel`` and
        ``mouse_seg_series``.

    Raises
    ------
    ImageError
        If a file is missing, damaged or not supported.
    """
    return [layer for one in _paths(path) for layer in _file_layers(one)]


def _paths(path: PathOrPaths) -> list[str | os.PathLike[str]]:
    """One path or several, as a list."""
    return [path] if isinstance(path, (str, os.PathLike)) else list(path)


def _file_layers(path: str | os.PathLike[str]) -> list[LayerData]:
    """One layer for each channel of each image of a file or plate."""
    from napari_mouse_seg.images import list_series, open_image, plate_fields

    if fields := plate_fields(Path(path)):
        names = [field.relative_to(path).as_posix() for field in fields]
        return _several(path, names, 0, lambda number: open_image(fields[number], labels=True))
    series = list_series(path)
    if series is None:
        return _layers(open_image(path, labels=True))
    return _several(path, series.names, series.index, lambda number: open_image(path, series=number, labels=True))


def _several(
    path: str | os.PathLike[str], names: Sequence[str], first: int, open_one: Callable[[int], MultiscaleImage]
) -> list[LayerData]:
    """Return the layers of several images, those of the visible one last; a damaged one hides no other."""
    from napari_mouse_seg.errors import MouseSegError

    numbers = sorted({first, *range(min(len(names), _MOST_SERIES))})
    opened: dict[int, list[LayerData]] = {}
    troubles: dict[int, MouseSegError] = {}
    for number in numbers:
        try:
            image = open_one(number)
            opened[number] = _layers(image)
        except MouseSegError as error:
            troubles[number] = error
            continue
        if number != first:
            image.forget()  # Nobody looks at it yet, and each holds some megabytes.
    if not opened:
        raise troubles[first]
    shown = first if first in opened else next(iter(opened))
    _tell(path, names, numbers, troubles)
    # The last is the one that napari makes active and panels take.
    ordered = sorted(opened, key=lambda number: (number == shown, number))
    return [
        (data, arguments | {"visible": number == shown}, kind)
        for number in ordered
        for data, arguments, kind in opened[number]
    ]


def _tell(
    path: str | os.PathLike[str], names: Sequence[str], numbers: Sequence[int], troubles: Mapping[int, MouseSegError]
) -> None:
    """Say what of a file is not shown."""
    texts = [f"{names[number]}: {error}" for number, error in [*troubles.items()][:_MOST_TOLD]]
    if len(troubles) > _MOST_TOLD:
        texts.append(f"{len(troubles) - _MOST_TOLD} more cannot be opened either.")
    left = [name for number, name in enumerate(names) if number not in numbers]
    if left:
        more = f" and {len(left) - _MOST_TOLD} more" if len(left) > _MOST_TOLD else ""
        texts.append(f"Of its {len(names)} images these are not opened: {', '.join(left[:_MOST_TOLD])}{more}.")
    if texts:
        from napari.utils.notifications import show_warning

        show_warning(f"{os.fspath(path)}: {' '.join(texts)}")


def _layers(image: MultiscaleImage) -> list[LayerData]:
    """One layer for each channel."""
    make = _label_layer if image.holds_labels else _image_layer
    return [make(image, channel) for channel in range(image.n_channels)]


def _label_layer(image: MultiscaleImage, channel: int) -> LayerData:
    """Return data and arguments of one channel of labels; small ones are read, since napari edits arrays only."""
    levels = image.channel_levels(channel)
    if levels[0].size <= _MAX_EDITABLE_PIXELS:
        data: Any = np.asarray(levels[0][...])
        return data, _placed(image, channel) | {"multiscale": False}, "labels"
    wrapped = [_as_dask(level) for level in levels]
    arguments = {"multiscale": len(wrapped) > 1, "cache": False}
    return (wrapped if len(wrapped) > 1 else wrapped[0]), _placed(image, channel) | arguments, "labels"


def _image_layer(image: MultiscaleImage, channel: int) -> LayerData:
    """Return data and arguments of one channel of intensities."""
    levels = [_as_dask(level) for level in image.channel_levels(channel)]
    arguments = _placed(image, channel) | {
        "multiscale": len(levels) > 1,
        "rgb": image.is_rgb,
        "cache": False,  # levels have their own cache, and dask's would read whole chunks
    }
    if not image.is_rgb:
        arguments["contrast_limits"] = _contrast_limits(image.plane(channel=channel, z=image.n_z // 2), image)
    if image.n_channels > 1:
        colormaps = _TWO_COLORMAPS if image.n_channels == 2 else _COLORMAPS
        arguments |= {"colormap": colormaps[channel % len(colormaps)], "blending": "additive"}
    return (levels if len(levels) > 1 else levels[0]), arguments, "image"


def _placed(image: MultiscaleImage, channel: int) -> dict[str, Any]:  # Any: napari's arguments
    """Return what layers of both kinds have: name, place, and where the pixels come from."""
    axes = image.axes.replace("C", "")
    scale, units = _scale(image, axes.removesuffix("S"))
    return {
        "name": _layer_name(image, channel),
        "scale": scale,
        "units": units,
        "axis_labels": tuple(axes.removesuffix("S").lower()),
        "metadata": {PATH: str(image.path), "mouse_seg_axes": axes, CHANNEL: channel} | _numbered(image),
    }


def _numbered(image: MultiscaleImage) -> dict[str, Any]:  # Any: JSON values
    """Return which image of its file this is, where there are several."""
    return {} if image.series is None else {SERIES: {"index": image.series.index, "names": list(image.series.names)}}


def _layer_name(image: MultiscaleImage, channel: int) -> str:
    """File name without suffix, and field, image and channel where there are several."""
    name, is_field, field = image.name.partition(".zarr/")
    name = f"{name} – {field}" if is_field else name
    for suffix in (".zarr", ".tiff", ".tif", ".ome"):
        name = name[: -len(suffix)] if name.lower().endswith(suffix) else name
    if image.series is not None:
        name = f"{name} – {image.series.name}"
    if image.n_channels == 1:
        return name
    return f"{name} – {image.channel_names[channel] if image.channel_names else f'channel {channel}'}"


def _scale(image: MultiscaleImage, axes: str) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Step and unit along each axis; pixels where the size is not known."""
    y, x = image.pixel_size_um or (None, None)
    steps = {"Y": y, "X": x, "Z": image.z_step_um if y is not None else None}
    known = [steps.get(axis) for axis in axes]
    return tuple(1.0 if step is None else step for step in known), tuple("pixel" if s is None else "µm" for s in known)


def _as_dask(level: Level) -> Any:  # Any: dask carries no types
    """Wrap a level so that napari reads only what it shows; the graph has one task for about a million pixels."""
    import dask.array as da

    n_leading = len(level.leading_shape)
    samples = level.shape[-1:] if level.is_rgb else ()
    sides = (_chunk_side(own, size) for own, size in zip(level.chunks, level.plane_shape, strict=True))
    return da.from_array(  # type: ignore[no-untyped-call]  # dask carries no types
        level,
        chunks=((1,) * n_leading + (*sides, *samples)),
        name=False,
        lock=False,
        meta=np.empty((0,) * level.ndim, level.dtype),
    )


def _chunk_side(own: int, size: int) -> int:
    """Return the multiple of the stored chunk that is at least ``_CHUNK_PX``."""
    return min(size, -(-_CHUNK_PX // own) * own)


def _contrast_limits(plane: ImagePlane, image: MultiscaleImage) -> tuple[float, float]:
    """Percentiles of a coarse sample; the range of the dtype, or 0 to 1, where all pixels are equal."""
    pixels = _coarse_pixels(plane, image)
    pixels = pixels[np.isfinite(pixels)]
    if pixels.size:
        low, high = (float(value) for value in np.percentile(pixels, _LIMIT_PERCENTILES))
        if high > low:
            return low, high
        low, high = float(pixels.min()), float(pixels.max())
        if high > low:
            return low, high
    return (0.0, 1.0) if image.dtype.kind == "f" else (0.0, float(np.iinfo(image.dtype).max))


def _coarse_pixels(plane: ImagePlane, image: MultiscaleImage) -> NDArray[Any]:
    """Pixels of a coarse level, or patches of the coarsest stored one where that is large."""
    stored = image.n_stored_levels - 1
    rows, columns = image.level_shapes[stored]
    if rows * columns <= _MAX_READ_PIXELS:
        return plane.sample(_SAMPLE_PIXELS)
    bounds = Box(0, 0, rows, columns)
    patches = [
        Box(0, 0, _PATCH_PX, _PATCH_PX).shift(
            (2 * i + 1) * rows // (2 * _PATCHES_PER_SIDE), (2 * j + 1) * columns // (2 * _PATCHES_PER_SIDE)
        )
        for i in range(_PATCHES_PER_SIDE)
        for j in range(_PATCHES_PER_SIDE)
    ]
    return np.concatenate([plane.read(stored, patch.intersect(bounds)).ravel() for patch in patches])
