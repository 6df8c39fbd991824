"""Images from arrays that are already there: a layer's data, dask, zarr."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from napari_mouse_seg.errors import UnsupportedImageError
from napari_mouse_seg.images._build import build_image
from napari_mouse_seg.images._dtypes import refuse_labels
from napari_mouse_seg.images._image import Calibration, MultiscaleImage
from napari_mouse_seg.images._levels import ArrayLevel

if TYPE_CHECKING:
    from collections.abc import Sequence


def from_arrays(
    levels: Any,  # Any: one duck-typed array, or several
    axes: str,
    *,
    name: str = "image",
    pixel_size_um: tuple[float, float] | None = None,
    channel_names: Sequence[str] = (),
    z_step_um: float | None = None,
) -> MultiscaleImage:
    """Make an image of arrays, without reading them.

    Parameters
    ----------
    levels
        One array, or a sequence of arrays of decreasing size. NumPy, dask, zarr, or anything with ``shape``,
        ``dtype`` and slicing. They are not copied; make a new image after changing their pixels, as computed
        levels are cached.
    axes
        One letter for each axis: Y and X, any of T, C, Z, and S for RGB or RGBA samples.
    name
        For messages.
    pixel_size_um
        Along Y and X at the finest level, if known.
    channel_names
        One for each channel, or none.
    z_step_um
        Distance of planes, if known.

    Returns
    -------
    MultiscaleImage
        Its axes are in the order of ``axes``, with Y, X and S moved to the end.

    Raises
    ------
    UnsupportedImageError
        If axes, shape, dtype or sizes are not supported.
    """
    _check_sizes(name, pixel_size_um, z_step_um)
    arrays = [levels] if hasattr(levels, "dtype") else list(levels)
    if not arrays:
        raise UnsupportedImageError(f"{name} has no levels; give at least one array.")
    axes = axes.upper()
    for array in arrays:
        check_axes(name, axes, tuple(array.shape))
        refuse_labels(array.dtype, name)
    ordered = canonical_axes(axes)
    wrapped = tuple(ArrayLevel(array, axes, ordered, name) for array in arrays)
    return build_image(name, None, ordered, wrapped, Calibration(pixel_size_um, z_step_um, tuple(channel_names)))


def _check_sizes(name: str, pixel_size_um: tuple[float, float] | None, z_step_um: float | None) -> None:
    sizes = (*(pixel_size_um or ()), *(() if z_step_um is None else (z_step_um,)))
    is_pair = pixel_size_um is None or len(pixel_size_um) == len("YX")
    if not is_pair or not all(isfinite(size) and size > 0 for size in sizes):
        raise UnsupportedImageError(
            f"{name} has pixels of {pixel_size_um} µm and planes {z_step_um} µm apart; give two sizes above 0 for the "
            "pixels, and None for what is not known."
        )


def canonical_axes(axes: str) -> str:
    """Return the axes with Y, X and S moved to the end."""
    return "".join(axis for axis in axes if axis not in "YXS") + "YX" + ("S" if "S" in axes else "")


def check_axes(name: str, axes: str, shape: tuple[int, ...]) -> None:
    """Raise ``UnsupportedImageError`` unless the axes are known, complete, unique and fit the shape."""
    if len(set(axes)) != len(axes) or not {"Y", "X"} <= set(axes) <= set("TCZYXS"):
        raise UnsupportedImageError(
            f"{name} has the axes {axes or 'none'!r}; supported are Y and X with any of T, C, Z, and S for RGB."
        )
    if len(axes) != len(shape):
        raise UnsupportedImageError(f"{name} has {len(shape)} dimensions {shape}, but {len(axes)} axes {axes!r}.")
    if "S" in axes and shape[axes.index("S")] not in (3, 4):
        raise UnsupportedImageError(
            f"{name} has {shape[axes.index('S')]} samples along S; RGB has 3 and RGBA 4. Call the axis C instead."
        )
