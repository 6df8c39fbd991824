"""A multi-level image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_mouse_seg.errors import PlanError
from napari_mouse_seg.images._dtypes import LABEL_DTYPE
from napari_mouse_seg.images._levels import Level, SelectedLevel
from napari_mouse_seg.images._plane import ImagePlane

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from napari_mouse_seg.images._series import Series


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


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
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
    series
        Which image of its file it is; None if the file holds no other.
    files
        Those that the planes lie in, where they are several (an OME-TIFF in parts): first that of the first plane.
    """

    name: str
    path: Path | None
    axes: str
    levels: tuple[Level, ...]
    level_scales: tuple[tuple[float, float], ...]
    calibration: Calibration
    n_stored_levels: int
    series: Series | None = None
    files: tuple[Path, ...] = ()

    @property
    def sources(self) -> tuple[Path, ...]:
        """Files or the directory that the pixels come from; empty for arrays."""
        return self.files or (() if self.path is None else (self.path,))

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
        """Of the pixels as read: uint8, uint16, int16 or float32; uint32 of labels."""
        return self.levels[0].dtype

    @property
    def holds_labels(self) -> bool:
        """Whether the values are ids of objects and no intensities."""
        return self.dtype == LABEL_DTYPE

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

    def forget(self) -> None:
        """Give back the memory of decoded pieces; they are read again when they are needed."""
        for level in self.levels:
            level.forget()

    @property
    def _n_leading(self) -> int:
        return len(self.levels[0].leading_shape)

    def _size(self, axis: str) -> int:
        """Length of an axis, 1 if there is none."""
        return self.levels[0].shape[self.axes.index(axis)] if axis in self.axes else 1
