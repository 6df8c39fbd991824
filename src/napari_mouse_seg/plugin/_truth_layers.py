"""The labels layers of a viewer that a result can be compared with, and where they lie on the network's grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels

from napari_mouse_seg.errors import UnsupportedImageError
from napari_mouse_seg.plugin._layer_list import LayerList
from napari_mouse_seg.plugin._layers import AID, OUTLINES
from napari_mouse_seg.plugin._units import unit_factors

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer
    from numpy.typing import NDArray

    from napari_mouse_seg.pipeline import PlacedLabels
    from napari_mouse_seg.plans import PaintPlan

_FAR_PX = 1000.0
_LEVEL_PX = 1e-3
_ALTERED = ("data", "set_data", "paint", "labels_update", "scale", "translate", "rotate", "shear", "affine", "units")


class LabelsLayerList(LayerList[Labels]):
    """Labels layers; none is chosen until the user does, and none again when the chosen one is gone.

    Parameters
    ----------
    viewer
        Whose layers are followed.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__(viewer, _is_labels, _altering)

    @property
    def is_patch(self) -> bool:
        """Whether the chosen layer is the paint of a patch."""
        return self._current is not None and AID in self._current.metadata

    def choose(self, position: int) -> None:
        """Choose by position; -1 for none."""
        self._current = self._at(position)
        self.listed.emit()

    def _on_list(self, event: Any = None) -> None:  # Any: napari's event
        before = self._layers
        super()._on_list(event)
        if self._current not in self._layers:
            self._current = None
        if self._layers != before:
            self.listed.emit()


@dataclass(frozen=True, slots=True)
class Grid:
    """A network's grid in the viewer.

    Attributes
    ----------
    layer
        Shows the image.
    pixel_scale
        Image pixels per network pixel.
    planes
        Index along each leading axis of the image.
    """

    layer: Image
    pixel_scale: tuple[float, float]
    planes: tuple[int, ...]


def place_labels(labels: Labels, grid: Grid, point: tuple[float, ...], paint: PaintPlan | None) -> PlacedLabels:
    """Return where the plane of a labels layer lies that meets a grid; nothing is read.

    Parameters
    ----------
    labels
        Single- or multiscale, with any transform and leading axes.
    grid
        Of the network.
    point
        World position of the viewer's sliders, for axes that the labels have and the image has not.
    paint
        How to read the labels if they are paint.

    Raises
    ------
    UnsupportedImageError
        If the labels have no plane there, or one that is tilted against the image's.
    """
    from napari_mouse_seg.pipeline import PlacedLabels

    origin = _to_labels(labels, grid, point, (0.0, 0.0))
    steps = [(_to_labels(labels, grid, point, far) - origin) / _FAR_PX for far in ((_FAR_PX, 0.0), (0.0, _FAR_PX))]
    matrix = np.stack([*steps, origin], axis=1)
    lead, matrix = matrix[:-2], matrix[-2:]
    if np.abs(lead[:, :2]).max(initial=0.0) > _LEVEL_PX or abs(np.linalg.det(matrix[:, :2])) < _LEVEL_PX**2:
        raise UnsupportedImageError(f"{labels.name!r} is tilted against the image; choose labels in the image's plane.")
    index = tuple(int(place) for place in np.rint(lead[:, 2]))
    levels = tuple(labels.data) if labels.multiscale else (labels.data,)
    if any(not 0 <= place < size for place, size in zip(index, levels[0].shape, strict=False)):
        raise UnsupportedImageError(f"{labels.name!r} has no labels at the plane that was segmented.")
    return PlacedLabels(tuple(Plane(level, index) for level in levels), matrix, paint)


@dataclass(frozen=True, slots=True)
class Plane:
    """A (Y, X) view of an array with leading axes that reads no more than is asked for."""

    array: Any  # Any: numpy, dask or zarr
    index: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.array.shape[-2:]
        return int(rows), int(columns)

    def __getitem__(self, slices: tuple[slice, slice]) -> NDArray[Any]:  # Any: the dtype of the labels
        """Read a part."""
        return np.asarray(self.array[(*self.index, *slices)])


def _to_labels(labels: Labels, grid: Grid, point: tuple[float, ...], pixel: tuple[float, float]) -> NDArray[np.float64]:
    """Return the labels layer's pixel position at a pixel of a grid, by way of the world."""
    image = grid.layer
    inner = [(place + 0.5) * scale - 0.5 for place, scale in zip(pixel, grid.pixel_scale, strict=True)]
    here = np.asarray(image.data_to_world((*grid.planes, *inner)), dtype=float)
    here *= unit_factors(getattr(image, "units", None), getattr(labels, "units", None), image.ndim)
    world = np.asarray(point, dtype=float)
    ndim = max(image.ndim, labels.ndim)
    world = np.concatenate([np.zeros(max(0, ndim - len(world))), world])
    world[-image.ndim :] = here
    at: NDArray[np.float64] = np.asarray(labels.world_to_data(world[-labels.ndim :]), dtype=float)
    return at


def _is_labels(layer: Layer) -> bool:
    return isinstance(layer, Labels) and OUTLINES not in layer.metadata


def _altering(layer: Labels) -> list[Any]:  # Any: napari's events
    """Events after which other labels may be there; some are of newer versions of napari only."""
    names = [name for name in _ALTERED if hasattr(layer.events, name)]
    if layer.multiscale:
        names.remove("set_data")  # Comes whenever the view moves.
    return [getattr(layer.events, name) for name in names]
