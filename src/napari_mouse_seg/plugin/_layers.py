"""napari layers ↔ images and labels: nothing else in the package knows how a layer holds its data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels

from napari_mouse_seg.errors import UnsupportedImageError
from napari_mouse_seg.images import Series, from_arrays
from napari_mouse_seg.plugin._class_colours import class_display
from napari_mouse_seg.plugin._reader import SERIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_mouse_seg.images import MultiscaleImage
    from napari_mouse_seg.pipeline import Canvas, SegmentJob
    from napari_mouse_seg.plans import ClassPlan, SegmentPlan

AID = "mouse-seg aid"
"""Key in the metadata of layers that only help painting and are no images of the user's."""

OUTLINES = "mouse-seg outlines"
"""Key in the metadata of labels layers that hold the outlines of objects only, to look at."""

ORIGIN = "mouse-seg origin"
"""Key in the metadata of labels layers of what they were made from, an ``Origin``."""

_LEADING = {0: "", 1: "T", 2: "TZ", 3: "TCZ"}


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """The job that labels come from; it goes with copies of their layer as it is."""

    job: SegmentJob

    def __deepcopy__(self, _memo: dict[int, Any]) -> Origin:  # Any: as copy wants it
        return self


def image_of_layer(layer: Image) -> MultiscaleImage:
    """Return a lazy image over a layer's arrays; nothing is read or copied.

    Parameters
    ----------
    layer
        Single- or multiscale, of any reader, with up to three leading axes. Leading axes are told by the
        layer's axis labels; where those are the default, two are time and plane, a third is the channel.

    Returns
    -------
    MultiscaleImage
        With the pixel size in micrometres if the layer's units are lengths.

    Raises
    ------
    UnsupportedImageError
        If the layer has more leading axes, or pixels of an unsupported type.
    """
    levels = list(layer.data) if layer.multiscale else [layer.data]
    axes = leading_axes(layer) + "YX" + ("S" if layer.rgb else "")
    image = from_arrays(levels, axes=axes, name=layer.name, pixel_size_um=pixel_size_um(layer))
    return replace(image, series=_series_of(layer))


def _series_of(layer: Image) -> Series | None:
    """Return which image of its file a layer holds; None if its reader did not say, or it holds no other."""
    said = layer.metadata.get(SERIES)
    if not isinstance(said, dict):
        return None
    index, names = said.get("index"), tuple(map(str, said.get("names", ())))
    return Series(index, names, is_chosen=True) if isinstance(index, int) and 0 <= index < len(names) else None


def plane_indices(image: MultiscaleImage, plan: SegmentPlan) -> tuple[int, ...]:
    """Return the index along each axis before Y of the plane that a plan chooses."""
    index = {"T": plan.plane_t, "C": plan.channel, "Z": plan.plane_z}
    return tuple(index[axis] for axis in image.axes if axis in index)


def plane_words(image: MultiscaleImage, plan: SegmentPlan) -> str:
    """Return which plane of an image a plan chooses, to be put behind its name; empty if there is but one."""
    axes = (axis for axis in image.axes if axis in "TCZ")
    return "".join(f", {axis.lower()} {index}" for axis, index in zip(axes, plane_indices(image, plan), strict=True))


def leading_axes(layer: Image) -> str:
    """Return one letter of T, C and Z for each axis before Y.

    Raises
    ------
    UnsupportedImageError
        If there are too many axes.
    """
    extra = layer.ndim - 2
    if extra not in _LEADING:
        raise UnsupportedImageError(
            f"{layer.name!r} has {extra} axes beside rows and columns; at most 3 (time, channel, plane) can be used."
        )
    labels = getattr(layer, "axis_labels", ())[:extra]
    letters = "".join(str(label)[:1].upper() for label in labels)
    if len(set(letters)) == extra and set(letters) <= set("TCZ"):
        return letters
    return _LEADING[extra]


def pixel_size_um(layer: Image) -> tuple[float, float] | None:
    """Return the world length of one pixel along Y and X in micrometres; None if the units are no lengths."""
    units = getattr(layer, "units", None)
    if units is None:
        return None
    sizes = []
    for axis in (layer.ndim - 2, layer.ndim - 1):
        step = np.zeros(layer.ndim)
        step[axis] = 1
        length = float(np.linalg.norm(_world_vector(layer, step)))
        quantity = length * units[axis]
        if not quantity.check("[length]") or length == 0:
            return None
        sizes.append(float(quantity.to("micrometer").magnitude))
    return sizes[0], sizes[1]


def make_labels_layer(
    layer: Image,
    canvas: Canvas[Any],
    pixel_scale: tuple[float, float],
    planes: tuple[int, ...],
    name: str,
    classes: Sequence[ClassPlan] = (),
) -> Labels:
    """Make a labels layer that lies on the image layer's plane.

    Parameters
    ----------
    layer
        The image layer.
    canvas
        Shown as it is, without a copy: a plain layer that can be painted in, or a pyramid when it is large.
    pixel_scale
        Image pixels per label pixel.
    planes
        Index along each leading axis of the image; the labels show on that plane only.
    name
        Of the new layer.
    classes
        What the labels mean, if they are areas; empty for objects.

    Returns
    -------
    Labels
        Not yet in a viewer.
    """
    data = labels_data(canvas, len(planes))
    place = placement(layer, (0, 0), pixel_scale, planes)
    display = class_display(classes, hide_background=True) if classes else {}
    return Labels(data, multiscale=isinstance(data, list), name=name, **place, **display)


def shows(layer: Labels, canvas: Canvas[Any]) -> bool:
    """Return whether a labels layer shows the canvas itself; its data may have been replaced by something else."""
    first = layer.data[0] if layer.multiscale else layer.data
    return isinstance(first, np.ndarray) and np.may_share_memory(first, canvas.array)


def placement(
    layer: Image, origin: tuple[int, int], pixel_scale: tuple[float, float], planes: tuple[int, ...]
) -> dict[str, Any]:  # Any: arguments of a napari layer
    """Return where a layer of network pixels lies over an image layer.

    Parameters
    ----------
    layer
        The image layer; its transform is composed with that from network to image pixels,
        ``p0 = (p + 0.5) * pixel_scale - 0.5``.
    origin
        Network pixel of the new layer's first pixel.
    pixel_scale
        Image pixels per network pixel.
    planes
        Index along each leading axis of the image.
    """
    step = np.array([1.0] * len(planes) + list(pixel_scale))
    corner = [(first + 0.5) * scale - 0.5 for first, scale in zip(origin, pixel_scale, strict=True)]
    offset = np.array([*planes, *corner], dtype=float)
    options: dict[str, Any] = {}  # Any: only of napari versions that have them
    for key in ("units", "axis_labels"):
        if hasattr(layer, key):
            options[key] = getattr(layer, key)
    return {
        "scale": np.asarray(layer.scale) * step,
        "translate": np.asarray(layer.translate) + _before_affine(layer, _world_vector(layer, offset)),
        "rotate": layer.rotate,
        "shear": layer.shear,
        "affine": layer.affine,
        **options,
    }


def labels_data(canvas: Canvas[Any], n_leading: int) -> NDArray[np.uint32] | list[NDArray[np.uint32]]:
    """Return what a labels layer of the canvas holds: views of its memory, several levels if it is large."""
    lead = (np.newaxis,) * n_leading
    levels = [level[lead] for level in canvas.levels()]
    return levels[0] if canvas.is_editable or len(levels) == 1 else levels


def _world_vector(layer: Image, vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where the layer's transform takes a step, without its translation."""
    step: NDArray[np.float64] = np.subtract(layer.data_to_world(vector), layer.data_to_world(np.zeros_like(vector)))
    return step


def _before_affine(layer: Image, vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Undo the linear part of ``layer.affine``, which napari applies after scale, rotation and translation."""
    solved: NDArray[np.float64] = np.linalg.solve(layer.affine.linear_matrix, vector)
    return solved
