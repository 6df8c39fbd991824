"""Which pixels of a layer the viewer shows: the one adapter from canvas to image pixels.

``layer.corner_pixels`` was rejected: it is relative to the drawn level and widened to chunk borders. The
camera (centre, canvas pixels per world unit) and the canvas size say all that is needed in a 2-D view. Both, and the
grid, moved in napari 0.9 (``viewer.scene``, ``viewer.canvas``); before that they stood on the viewer itself.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.plugin._units import unit_factors
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer
    from numpy.typing import NDArray

_ROUNDING_PX = 1e-6  # A corner this close to a pixel's border is on it.


@dataclass(frozen=True, slots=True)
class View:
    """What of a layer can be segmented as the viewer stands.

    ``planes`` holds one index per leading axis. A reason in words stands where a part is missing:
    ``plane_reason`` when no single plane of the layer is shown, ``box_reason`` when no pixel of it is.
    """

    box: Box | None
    planes: tuple[int, ...]
    plane_reason: str = ""
    box_reason: str = ""


def look(viewer: ViewerModel, layer: Image) -> View:
    """Return the plane shown and the level-0 pixels of it that are on the canvas.

    Parameters
    ----------
    viewer
        The viewer; its grid mode is not supported, because each cell shows another part of the world.
    layer
        An image layer of this viewer, single- or multiscale, with any transform and leading axes.

    Returns
    -------
    View
        ``box`` holds every pixel of level 0 that is at least partly on the canvas. With a rotated layer it
        is the smallest box around the visible part of the image.
    """
    reason = _unsupported(viewer, layer)
    if reason:
        return View(None, (), reason, reason)
    position = np.asarray(viewer.dims.point, dtype=float)
    planes = tuple(int(np.round(index)) for index in _to_data(viewer, layer, position)[:-2])
    if any(not 0 <= index < size for index, size in zip(planes, layer.level_shapes[0], strict=False)):
        reason = f"The sliders stand outside of {layer.name!r}; move them to one of its planes."
        return View(None, (), reason, reason)
    if _grid(viewer).enabled:
        return View(None, planes, "", "Leave the grid view to segment the visible region.")
    box = _visible_box(viewer, layer)
    if box is None:
        return View(None, planes, "", f"{layer.name!r} is outside of the view; move the view back onto it.")
    return View(box, planes)


def view_events(viewer: ViewerModel) -> list[Any]:  # Any: napari is untyped
    """Return the viewer's emitters that can change what ``look`` sees, to connect to."""
    camera = _camera(viewer)
    canvas = [viewer.canvas.events.size] if hasattr(viewer, "canvas") else []
    grid = _grid(viewer)
    dims = viewer.dims.events
    return [
        camera.events.center,
        camera.events.zoom,
        dims.point,
        dims.ndisplay,
        dims.order,
        grid.events.enabled,
        *canvas,
    ]


def fill_view(viewer: ViewerModel, layer: Layer, share: float) -> None:
    """Move the camera to the middle of a layer, which then takes a share, 0 to 1, of the canvas's height or width."""
    camera = _camera(viewer)
    extent = (np.asarray(layer.extent.world) * _to_world_units(viewer, layer))[:, -2:]
    size = np.maximum(extent[1] - extent[0], 1e-9)
    camera.center = (*tuple(camera.center)[:-2], *extent.mean(0).tolist())
    camera.zoom = share * float((np.array(canvas_shape(viewer)) / size).min())


def show_planes(viewer: ViewerModel, layer: Layer, planes: tuple[int, ...]) -> None:
    """Move the sliders to an index along each leading axis of a layer."""
    world = np.asarray(layer.data_to_world((*planes, 0, 0))) * _to_world_units(viewer, layer)
    for axis, position in enumerate(world[:-2].tolist(), viewer.dims.ndim - layer.ndim):
        viewer.dims.set_point(axis, position)


def canvas_corners(viewer: ViewerModel) -> NDArray[np.float64]:
    """Return the world coordinates, along the two displayed axes, of the canvas corners.

    Returns
    -------
    NDArray
        Shape (4, 2); in order around the canvas.
    """
    camera = _camera(viewer)
    centre = np.asarray(camera.center, dtype=float)[-2:]
    half = np.asarray(canvas_shape(viewer), dtype=float) / camera.zoom / 2
    signs = np.array([(-1, -1), (-1, 1), (1, 1), (1, -1)], dtype=float)
    corners: NDArray[np.float64] = centre + signs * half
    return corners


def canvas_shape(viewer: ViewerModel) -> tuple[int, int]:
    """Return rows and columns of the canvas in screen pixels."""
    rows, columns = viewer.canvas.size if hasattr(viewer, "canvas") else viewer._canvas_size
    return int(rows), int(columns)


def _camera(viewer: ViewerModel) -> Any:  # Any: napari is untyped
    return viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera


def _grid(viewer: ViewerModel) -> Any:  # Any: napari is untyped
    return viewer.canvas.grid if hasattr(viewer, "canvas") else viewer.grid


def _unsupported(viewer: ViewerModel, layer: Image) -> str:
    if viewer.dims.ndisplay == 3:
        return "The viewer shows 3-D; switch to the 2-D view (button at its lower left) to segment a plane."
    extra = viewer.dims.ndim - layer.ndim
    if {axis - extra for axis in viewer.dims.displayed} != {layer.ndim - 2, layer.ndim - 1}:
        return f"The viewer does not show the rows and columns of {layer.name!r}; restore the order of the axes."
    return ""


def _visible_box(viewer: ViewerModel, layer: Image) -> Box | None:
    position = np.asarray(viewer.dims.point, dtype=float)
    polygon = []
    for corner in canvas_corners(viewer):
        position[list(viewer.dims.displayed)] = corner
        polygon.append(_to_data(viewer, layer, position)[-2:])
    rows, columns = (int(size) for size in layer.level_shapes[0][-2:])
    inside = _clip_to_image(np.array(polygon), rows, columns)
    if len(inside) == 0:
        return None
    low = np.floor(inside.min(axis=0) + 0.5 + _ROUNDING_PX).astype(int)
    high = np.ceil(inside.max(axis=0) + 0.5 - _ROUNDING_PX).astype(int)
    box = Box(*low.tolist(), *high.tolist()).intersect(Box(0, 0, rows, columns))
    return box if box.area else None


def _to_data(viewer: ViewerModel, layer: Layer, position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the pixel of a layer at a position in the viewer's world."""
    pixel: NDArray[np.float64] = layer.world_to_data(position[-layer.ndim :] / _to_world_units(viewer, layer))
    return pixel


def _to_world_units(viewer: ViewerModel, layer: Layer) -> NDArray[np.float64]:
    """Return what makes a layer's own coordinates those of the viewer, along each of its axes."""
    return unit_factors(getattr(layer, "units", None), getattr(viewer.dims, "units", None), layer.ndim)


def _clip_to_image(polygon: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.float64]:
    """Return the convex polygon's part within the image, whose pixels reach half a pixel around their centres."""
    for axis, size in enumerate((rows, columns)):
        polygon = _clip_below(polygon, axis, size - 0.5)
        polygon = _clip_below(polygon * -1, axis, 0.5) * -1
    return polygon


def _clip_below(polygon: NDArray[np.float64], axis: int, limit: float) -> NDArray[np.float64]:
    """Cut off what lies above ``limit`` (Sutherland and Hodgman 1974)."""
    kept = []
    for start, end in itertools.pairwise([*polygon, *polygon[:1]]):
        if start[axis] <= limit:
            kept.append(start)
        if (start[axis] <= limit) != (end[axis] <= limit):
            kept.append(start + (end - start) * (limit - start[axis]) / (end[axis] - start[axis]))
    return np.array(kept, dtype=float).reshape(-1, 2)
