"""Image plane → normalised network input on the network's own grid.

Every output pixel is computed from its own global position, so that it does not depend on the tile
it is read for. Resizing tile by tile with a library call was rejected: it anchors the grid at the tile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.errors import ImageError
from napari_mouse_seg.images import IntensityRange, compress, intensity_range, stretch
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_mouse_seg.images import ImagePlane
    from napari_mouse_seg.plans import IntensityPlan


_SAME_PX = 1e-3
"""Grids that drift apart by less over the whole image are one grid."""


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """Which level is read and how it is resampled.

    Attributes
    ----------
    level
        Index into the plane's levels.
    network_shape
        Rows and columns of the network's grid over the whole image.
    in_channels
        1 or 3.
    intensity
        Stretch and compression.
    """

    level: int
    network_shape: tuple[int, int]
    in_channels: int
    intensity: IntensityPlan


def choose_level(level_shapes: tuple[tuple[int, int], ...], network_shape: tuple[int, int]) -> int:
    """Return the coarsest level that is still at least as fine as the network's grid (1 % is forgiven)."""
    fine = [
        index
        for index, shape in enumerate(level_shapes)
        if all(mine >= 0.99 * wanted for mine, wanted in zip(shape, network_shape, strict=True))
    ]
    return max(fine, default=0)


class Source:
    """Reads boxes of network input.

    Parameters
    ----------
    plane
        Channel and plane of an image.
    plan
        Level, grid and normalisation.
    """

    def __init__(self, plane: ImagePlane, plan: SourcePlan) -> None:
        self._plane = plane
        self._plan = plan
        self._known: tuple[IntensityRange, float] | None = None

    def restore(self, limits: IntensityRange, median: float) -> None:
        """Take ``limits`` and ``median`` from an earlier run over the same plane instead of reading the image."""
        self._known = (limits, median)

    @property
    def limits(self) -> IntensityRange:
        """Whole-image intensity range.

        Raises
        ------
        ImageError
            If the image is constant or holds nothing finite.
        """
        return self._statistics()[0]

    @property
    def polarity(self) -> str:
        """Whether objects are taken to be ``"bright"`` or ``"dark"``."""
        return self._plan.intensity.polarity

    @property
    def median(self) -> float:
        """Median of the whole image after the stretch, 0 to 1: above one half most of it is as bright as objects."""
        return self._statistics()[1]

    def _level_steps(self) -> tuple[float, float]:
        """Level pixels per network pixel, by the level's real scale factors: sizes need not quite divide."""
        scales = self._plane.level_scales[self._plan.level]
        y, x = (
            full / network / scale
            for full, network, scale in zip(self._plane.shape, self._plan.network_shape, scales, strict=True)
        )
        return y, x

    def prepare(self) -> Iterator[tuple[int, int]]:
        """Read the whole-image statistics from a coarse level, once; yields (bands done, bands in all).

        Raises
        ------
        ImageError
            If the image is constant or holds nothing finite.
        """
        if self._known is not None:
            return
        pixels = yield from self._plane.sample_steps()
        self._known = self._measure(pixels)

    def _statistics(self) -> tuple[IntensityRange, float]:
        if self._known is None:
            self._known = self._measure(self._plane.sample())
        return self._known

    def _measure(self, pixels: NDArray[Any]) -> tuple[IntensityRange, float]:
        try:
            return measure_intensities(pixels, self._plan.in_channels, self._plan.intensity)
        except ImageError as error:
            raise ImageError(f"{self._plane.name}: {error}") from error

    def read(self, box: Box) -> NDArray[np.float32]:
        """Return normalised input, (C, Y, X) float32; what lies beyond the image is mirrored.

        Parameters
        ----------
        box
            On the network's grid; may reach beyond it.
        """
        pixels = self._resample(box, lambda raw: stretch(raw, self.limits, self._plan.intensity))
        return np.ascontiguousarray(compress(pixels, self._plan.intensity))

    def read_raw(self, box: Box) -> NDArray[np.float32]:
        """Return intensities as in the file at the network's resolution, (C, Y, X) float32."""
        return np.ascontiguousarray(self._resample(box, lambda raw: raw.astype(np.float32)))

    def _resample(self, box: Box, prepare: Callable[[NDArray[Any]], NDArray[np.float32]]) -> NDArray[np.float32]:
        rows, columns = self._plane.level_shapes[self._plan.level]
        y_step, x_step = self._level_steps()
        y_taps = _taps(box.y0, box.y1, y_step, rows)
        x_taps = _taps(box.x0, box.x1, x_step, columns)
        (top, bottom), (left, right) = y_taps.span, x_taps.span
        crop = Box(top, left, bottom, right)
        pixels = prepare(to_channels(self._plane.read(self._plan.level, crop), self._plan.in_channels))
        return _apply(_apply(pixels, y_taps, crop.y0, axis=1), x_taps, crop.x0, axis=2)


def measure_intensities(
    pixels: NDArray[Any], in_channels: int, intensity: IntensityPlan
) -> tuple[IntensityRange, float]:
    """Return the intensity range and the median after the stretch of a sample of a whole image.

    Parameters
    ----------
    pixels
        (Y, X) or (Y, X, 3), as of ``ImagePlane.sample``.
    in_channels
        Of the network.
    intensity
        Of the network.

    Raises
    ------
    ImageError
        If the image is constant or holds nothing finite.
    """
    sample = to_channels(pixels, in_channels)
    limits = intensity_range(sample, intensity)
    return limits, float(np.median(stretch(sample, limits, intensity)))


@dataclass(frozen=True, slots=True)
class _Taps:
    """For each output position: source positions (n, taps) and weights of the same shape."""

    index: NDArray[np.intp]
    weight: NDArray[np.float32]

    @property
    def span(self) -> tuple[int, int]:
        """First source position used, and one past the last."""
        return int(self.index.min()), int(self.index.max()) + 1


def _taps(start: int, stop: int, factor: float, level_size: int) -> _Taps:
    """Triangle filter over ``factor`` level pixels a network pixel; the identity where that is 1."""
    position = np.arange(start, stop)
    if abs(factor - 1) * level_size < _SAME_PX:
        return _Taps(_mirror(position, level_size)[:, None], np.ones((len(position), 1), np.float32))
    centre = (position + 0.5) * factor - 0.5
    reach = max(1.0, factor)
    index = np.floor(centre - reach).astype(np.intp)[:, None] + np.arange(int(2 * reach) + 3)
    weight = np.clip(1 - np.abs(index - centre[:, None]) / reach, 0, None)
    weight /= weight.sum(1, keepdims=True)
    return _Taps(_mirror(index, level_size), weight.astype(np.float32))


def _mirror(index: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """Reflect positions beyond [0, size) back in, edge pixel repeated, as often as needed."""
    folded = np.mod(index, 2 * size)
    return np.where(folded < size, folded, 2 * size - 1 - folded)


def _apply(pixels: NDArray[np.float32], taps: _Taps, origin: int, axis: int) -> NDArray[np.float32]:
    """Weighted sum of shifted copies along one axis of (C, Y, X)."""
    index = taps.index - origin
    if index.shape[1] == 1:
        return np.take(pixels, index[:, 0], axis=axis)
    shape = [1, 1, 1]
    shape[axis] = len(index)
    out: NDArray[np.float32] | None = None
    for tap in range(index.shape[1]):
        weight = taps.weight[:, tap]
        if not weight.any():
            continue
        part = np.take(pixels, index[:, tap], axis=axis) * weight.reshape(shape)
        out = part if out is None else out + part
    return pixels if out is None else out


def to_channels(pixels: NDArray[Any], in_channels: int) -> NDArray[Any]:
    """Turn (Y, X) or (Y, X, 3) pixels into (in_channels, Y, X): RGB to its mean, grey repeated."""
    if pixels.ndim == 2:
        return np.broadcast_to(pixels, (in_channels, *pixels.shape))
    if in_channels == 1:
        grey: NDArray[Any] = pixels.mean(-1, dtype=np.float32)
        return grey[None]
    return np.moveaxis(pixels, -1, 0)
