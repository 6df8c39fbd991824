"""A multi-level image and one plane of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.errors import PlanError
from napari_mouse_seg.images._levels import Level, SelectedLevel
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from numpy.typing import NDArray

_BAND_PIXELS = 4_000_000
_PLAN_FIELDS = {"T": "plane_t", "C": "channel", "Z": "plane_z"}
_AXIS_NAMES = {"T": "time point", "C": "channel", "Z": "plane"}


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a file says about its pixels.

    Attributes
    ----------
    pixel_size_um
        Along Y and X; None if unknown.
    z_step_um
        Distance of planes; None if unknown.
    channel_names
        One for each channel, or none.
    """

    pixel_size_um: tuple[float, float] | None = None
    z_step_um: float | None = None
    channel_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class MultiscaleImage:
    """An image with levels of decreasing size; nothing is read before it is asked for.

    Files are opened for each read and closed again, so there is nothing to close and threads may read at once.

    Attributes
    ----------
    name
        File name or layer name.
    path
        File or directory; None for arrays.
    axes
        ``YX`` after any of ``TCZ`` in file order, before ``S`` for RGB. Length-1 axes of files are left out.
    levels
        Lazy read-only arrays, finest first, with all axes; see ``Level``.
    level_scales
        For each level, level-0 pixels per pixel along Y and X; real numbers.
    calibration
        Pixel size and channel names.
    n_stored_levels
        Levels after these are computed from the last of them.
    """

    name: str
    path: Path | None
    axes: str
    levels: tuple[Level, ...]
    level_scales: tuple[tuple[float, float], ...]
    calibration: Calibration
    n_stored_levels: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of level 0."""
        return self.levels[0].plane_shape

    @property
    def level_shapes(self) -> tuple[tuple[int, int], ...]:
        """Rows and columns of each level."""
        return tuple(level.plane_shape for level in self.levels)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the pixels as read: uint8, uint16, int16 or float32."""
        return self.levels[0].dtype

    @property
    def is_rgb(self) -> bool:
        """Whether pixels are red, green and blue; alpha is dropped."""
        return self.axes.endswith("S")

    @property
    def n_channels(self) -> int:
        """Length of C; 1 without it, also for RGB."""
        return self._size("C")

    @property
    def n_t(self) -> int:
        """Number of time points."""
        return self._size("T")

    @property
    def n_z(self) -> int:
        """Number of planes along Z."""
        return self._size("Z")

    @property
    def pixel_size_um(self) -> tuple[float, float] | None:
        """Along Y and X at level 0, in micrometres; None if unknown."""
        return self.calibration.pixel_size_um

    @property
    def z_step_um(self) -> float | None:
        """Distance of planes in micrometres; None if unknown."""
        return self.calibration.z_step_um

    @property
    def channel_names(self) -> tuple[str, ...]:
        """One for each channel, or empty."""
        return self.calibration.channel_names

    def plane(self, channel: int = 0, t: int = 0, z: int = 0) -> ImagePlane:
        """Choose one plane.

        Parameters
        ----------
        channel, t, z
            Indices from 0; RGB counts as one channel.

        Returns
        -------
        ImagePlane
            Nothing is read yet.

        Raises
        ------
        PlanError
            If an index is outside the image.
        """
        chosen = {"T": t, "C": channel, "Z": z}
        for axis, index in chosen.items():
            if not 0 <= index < self._size(axis):
                raise PlanError(
                    f"{self.name} has no {_AXIS_NAMES[axis]} {index}: "
                    f"choose one from 0 to {self._size(axis) - 1} along {axis}.",
                    _PLAN_FIELDS[axis],
                )
        return ImagePlane(self, tuple(chosen[axis] for axis in self.axes[: self._n_leading]))

    def channel_levels(self, channel: int) -> tuple[Level, ...]:
        """Return the levels of one channel, without the C axis."""
        if "C" not in self.axes:
            return self.levels
        position = self.axes.index("C")
        return tuple(SelectedLevel(level, position, channel) for level in self.levels)

    @property
    def _n_leading(self) -> int:
        return len(self.levels[0].leading_shape)

    def _size(self, axis: str) -> int:
        """Length of an axis, 1 if there is none."""
        return self.levels[0].shape[self.axes.index(axis)] if axis in self.axes else 1


@dataclass(frozen=True, slots=True, eq=False)
class ImagePlane:
    """One (Y, X) or RGB plane of an image at all its levels.

    Attributes
    ----------
    image
        Where it comes from.
    leading
        Index along each axis before Y, at level 0.
    """

    image: MultiscaleImage
    leading: tuple[int, ...]

    @property
    def name(self) -> str:
        """Of the image."""
        return self.image.name

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of level 0."""
        return self.image.shape

    @property
    def level_shapes(self) -> tuple[tuple[int, int], ...]:
        """Rows and columns of each level."""
        return self.image.level_shapes

    @property
    def level_scales(self) -> tuple[tuple[float, float], ...]:
        """Level-0 pixels per pixel of each level, along Y and X."""
        return self.image.level_scales

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the pixels as read."""
        return self.image.dtype

    @property
    def n_channels(self) -> int:
        """3 for RGB, otherwise 1."""
        return 3 if self.image.is_rgb else 1

    @property
    def pixel_size_um(self) -> tuple[float, float] | None:
        """Along Y and X at level 0, in micrometres; None if unknown."""
        return self.image.pixel_size_um

    def read(self, level: int, box: Box) -> NDArray[Any]:
        """Read one box of one level, and nothing else.

        Parameters
        ----------
        level
            0 is the finest.
        box
            In pixels of that level, inside it.

        Returns
        -------
        NDArray
            (Y, X), or (Y, X, 3) for RGB. Do not write into it: it may be shared with a cache.

        Raises
        ------
        PlanError
            If there is no such level, or the box leaves it.
        DamagedImageError
            If the file cannot be read there.
        """
        levels = self.image.levels
        if not 0 <= level < len(levels):
            raise PlanError(f"{self.name} has no level {level}: choose one from 0 to {len(levels) - 1}.")
        rows, columns = levels[level].plane_shape
        if not (0 <= box.y0 <= box.y1 <= rows and 0 <= box.x0 <= box.x1 <= columns):
            raise PlanError(
                f"Rows {box.y0} to {box.y1}, columns {box.x0} to {box.x1} are outside level {level} of {self.name}, "
                f"which has {rows} rows and {columns} columns."
            )
        return levels[level].plane(self._leading_at(level), box)

    def sample(self, max_pixels: int = 4_000_000) -> NDArray[Any]:
        """Read the whole plane, coarse enough to have about ``max_pixels`` pixels or fewer.

        Takes the finest level that is small enough. If none is, every n-th row and column of the coarsest level,
        read in bands. The result depends on the image and ``max_pixels`` alone.

        Parameters
        ----------
        max_pixels
            At least 1.

        Returns
        -------
        NDArray
            (Y, X), or (Y, X, 3) for RGB.

        Raises
        ------
        PlanError
            If ``max_pixels`` is below 1.
        DamagedImageError
            If the file cannot be read.
        """
        steps = self.sample_steps(max_pixels)
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                pixels: NDArray[Any] = stop.value
                return pixels

    def sample_steps(self, max_pixels: int = 4_000_000) -> Generator[tuple[int, int], None, NDArray[Any]]:
        """Do what ``sample`` does, band by band, so that it can be given up; a coarse level may cost a full read.

        Yields
        ------
        tuple of int
            Bands read, of how many.

        Returns
        -------
        NDArray
            As ``sample``.
        """
        if max_pixels < 1:
            raise PlanError(f"A sample of {max_pixels} pixels is empty; ask for at least 1.")
        fits = [level for level, shape in enumerate(self.level_shapes) if math.prod(shape) <= max_pixels]
        level = fits[0] if fits else len(self.level_shapes) - 1
        rows, columns = self.level_shapes[level]
        step = 1 if fits else math.ceil(math.sqrt(rows * columns / max_pixels))
        while math.ceil(rows / step) * math.ceil(columns / step) > max_pixels:
            step += 1
        # Of a computed level each row costs the rows of the stored level that it is made of.
        source_rows, source_columns = self.level_shapes[min(level, self.image.n_stored_levels - 1)]
        band = max(1, _BAND_PIXELS * rows // (source_rows * source_columns * step)) * step
        starts = range(0, rows, band)
        bands = []
        for done, y in enumerate(starts, start=1):
            bands.append(self.read(level, Box(y, 0, min(y + band, rows), columns))[::step, ::step])
            yield done, len(starts)
        return np.concatenate(bands)

    def _leading_at(self, level: int) -> tuple[int, ...]:
        """Leading indices at a level; a level may have fewer planes than level 0."""
        sizes = zip(self.image.levels[0].leading_shape, self.image.levels[level].leading_shape, strict=True)
        return tuple(index * size // full for index, (full, size) in zip(self.leading, sizes, strict=True))
