"""From the levels that a file stores to a checked image."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from napari_mouse_seg.errors import UnsupportedImageError
from napari_mouse_seg.images._coarse import add_coarse_levels
from napari_mouse_seg.images._image import Calibration, MultiscaleImage

if TYPE_CHECKING:
    from pathlib import Path

    from napari_mouse_seg.images._levels import Level
    from napari_mouse_seg.images._series import Series


def build_image(
    name: str,
    path: Path | None,
    axes: str,
    levels: tuple[Level, ...],
    calibration: Calibration,
    level_scales: tuple[tuple[float, float], ...] | None = None,
    series: Series | None = None,
) -> MultiscaleImage:
    """Check levels against each other, add computed ones where they are needed, and make the image.

    Parameters
    ----------
    name, path, axes, calibration, series
        As in ``MultiscaleImage``; channel names are dropped when their number is wrong.
    levels
        As stored, finest first.
    level_scales
        One for each level; None takes the ratio of the shapes, as ``level_factor``.

    Returns
    -------
    MultiscaleImage
        With at least one level of at most ``COARSEST_MAX_PIXELS`` pixels.

    Raises
    ------
    UnsupportedImageError
        If a level is empty, larger than the one before, or of another dtype.
    """
    _check_levels(str(path or name), levels)
    shapes = [level.plane_shape for level in levels]
    full_rows, full_columns = shapes[0]
    ratios = [(level_factor(full_rows, rows), level_factor(full_columns, columns)) for rows, columns in shapes]
    scales = list(level_scales or ratios)
    extended = add_coarse_levels(levels)
    for _ in extended[len(levels) :]:
        scales.append((2 * scales[-1][0], 2 * scales[-1][1]))
    n_channels = levels[0].shape[axes.index("C")] if "C" in axes else 1
    if len(calibration.channel_names) != n_channels:
        calibration = Calibration(calibration.pixel_size_um, calibration.z_step_um)
    return MultiscaleImage(name, path, axes, extended, tuple(scales), calibration, len(levels), series)


def level_factor(full: int, size: int) -> float:
    """Return level-0 pixels per pixel along one axis: a whole number where that, rounded down or up, gives the size.

    Parameters
    ----------
    full, size
        Rows or columns of level 0, and of the level.
    """
    ratio = full / max(1, size)  # an empty level is refused with its own message
    factor = max(1, round(ratio))
    return float(factor) if size in (full // factor, -(-full // factor)) else ratio


def _check_levels(name: str, levels: tuple[Level, ...]) -> None:
    """Refuse levels that are empty or do not belong together."""
    for number, level in enumerate(levels):
        if level.size == 0:
            raise UnsupportedImageError(f"{name} has no pixels: level {number} has the shape {level.shape}.")
    for number, (finer, level) in enumerate(pairwise(levels), start=1):
        if level.ndim != finer.ndim or level.dtype != finer.dtype:
            raise UnsupportedImageError(
                f"{name} is no pyramid: level {number} is {level.dtype} {level.shape}, the one before "
                f"{finer.dtype} {finer.shape}. Give levels of one dtype and the same axes."
            )
        if any(size > before for size, before in zip(level.shape, finer.shape, strict=True)):
            raise UnsupportedImageError(
                f"{name} is no pyramid: level {number} has the shape {level.shape}, larger than the one before "
                f"{finer.shape}. Give the finest level first."
            )
