"""One plane of an image: boxes and samples of its levels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.errors import PlanError
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from napari_mouse_seg.images._image import MultiscaleImage

_BAND_PIXELS = 4_000_000
_SAMPLE_PIXELS = 4_000_000


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

    @property
    def pixel_aspect(self) -> float:
        """Width of a pixel over its height; 1 if its size is unknown."""
        size = self.pixel_size_um
        return 1.0 if size is None else size[1] / size[0]

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

    def sample(self, max_pixels: int = _SAMPLE_PIXELS) -> NDArray[Any]:
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

    def sample_steps(self, max_pixels: int = _SAMPLE_PIXELS) -> Generator[tuple[int, int], None, NDArray[Any]]:
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
