"""Image + model + plan → one frozen job, or an error that says what to change.

Reads no pixels and loads no torch, so that a form may call it at every change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_mouse_seg.errors import PlanError
from napari_mouse_seg.inference import SourcePlan, choose_level
from napari_mouse_seg.tiling import Box, TileGrid, plan_tiles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_mouse_seg.images import ImagePlane, MultiscaleImage
    from napari_mouse_seg.networks import Model, ModelCard
    from napari_mouse_seg.plans import InstancesPlan, SegmentPlan

_SAME_SIZE = 0.05
SAME_OBJECTS = 0.2
"""Objects this near to the size that a model knows are left as they are: resampling costs detail."""

_FEW_PIXELS = 0.5
_MOST_ENLARGED = 16
"""How many times pixel sizes may enlarge an image; beyond it, they are wrong rather than coarse."""


@dataclass(frozen=True, slots=True)
class SegmentJob:
    """Everything one run needs, checked.

    Attributes
    ----------
    image, plane
        The image, and the channel and plane of it.
    model, plan
        As given.
    source
        Level, network grid and normalisation.
    grid
        Tiles over the network's grid.
    box
        What was asked for, on the network's grid.
    warnings
        What does not fit, in words for users.
    """

    image: MultiscaleImage
    plane: ImagePlane
    model: Model
    plan: SegmentPlan
    source: SourcePlan
    grid: TileGrid
    box: Box
    warnings: tuple[str, ...]

    @property
    def device(self) -> str:
        """The device asked for; which one ``auto`` became stands in the result."""
        return self.plan.device

    @property
    def instances(self) -> InstancesPlan:
        """Thresholds: the plan's, or the model's. Areas have none, so a plan's change nothing there."""
        card = self.model.card
        return card.instances if card.makes_areas or self.plan.instances is None else self.plan.instances

    @property
    def network_shape(self) -> tuple[int, int]:
        """Rows and columns of the network's grid over the whole image."""
        return self.source.network_shape

    @property
    def bounds(self) -> Box:
        """The whole image on the network's grid."""
        return self.grid.bounds

    @property
    def pixel_scale(self) -> tuple[float, float]:
        """Image pixels (level 0) per network pixel, along Y and X."""
        return (
            self.plane.shape[0] / self.source.network_shape[0],
            self.plane.shape[1] / self.source.network_shape[1],
        )

    @property
    def network_pixel_um(self) -> float | None:
        """Length of a network pixel in µm; None if it is unknown, or the pixels are not square."""
        if self.plane.pixel_size_um is None:
            return None
        y, x = (size * step for size, step in zip(self.plane.pixel_size_um, self.pixel_scale, strict=True))
        return y if abs(x / y - 1) <= _SAME_SIZE else None

    @property
    def series(self) -> int | None:
        """Number of the image in its file; None if the file holds no other."""
        return None if self.image.series is None else self.image.series.index

    @property
    def key(self) -> tuple[object, ...]:
        """What scores depend on; jobs with equal keys share them."""
        plan = self.plan
        return (
            id(self.image),
            (plan.channel, plan.plane_t, plan.plane_z),
            self.model.sha256,
            self.source,
            self.grid,
            plan.flips,
            plan.device,
        )


def resolve(
    image: MultiscaleImage,
    model: Model,
    plan: SegmentPlan,
    region: Box | None = None,
    *,
    network_shape: tuple[int, int] | None = None,
) -> SegmentJob:
    """Check everything and decide level, scale and tiles.

    Parameters
    ----------
    image
        A lazy image.
    model
        A model with its card.
    plan
        Channel, plane, scale, device, tiles and thresholds.
    region
        In image pixels (level 0); None is the full image.
    network_shape
        Rows and columns of the network's grid over the whole image, such as that of a project's patches; None for the
        one that follows from scale, diameter or pixel sizes.

    Returns
    -------
    SegmentJob
        Ready for ``segment``.

    Raises
    ------
    PlanError
        If the channel, plane, scale, tile or region does not fit the image or the model.
    """
    card = model.card
    plane = image.plane(channel=plan.channel, t=plan.plane_t, z=plan.plane_z)
    is_sized = network_shape is not None or plan.scale is not None or plan.object_diameter_px is not None
    network_shape = network_shape or _network_shape(plane, card, plan)
    level = choose_level(plane.level_shapes, network_shape)
    intensity = card.intensity if plan.polarity == "model" else card.intensity.replace(polarity=plan.polarity)
    source = SourcePlan(level, network_shape, card.architecture.in_channels, intensity)
    halo_px = card.halo_px if plan.halo_px is None else plan.halo_px
    if plan.core_px % card.stride_px:
        raise PlanError(
            f"The tile of {plan.core_px} px is no multiple of the model's stride of {card.stride_px} px.", "core_px"
        )
    grid = plan_tiles(network_shape, plan.core_px, halo_px, card.stride_px)
    box = grid.bounds if region is None else _to_network(region, plane.shape, network_shape)
    if box.area == 0:
        raise PlanError("The visible region lies outside the image; pan back to it.")
    warnings = (*_left_out(image, plan), *_warnings(plane, model, plan, network_shape, is_sized=is_sized))
    return SegmentJob(image, plane, model, plan, source, grid, box, warnings)


def _network_shape(plane: ImagePlane, card: ModelCard, plan: SegmentPlan) -> tuple[int, int]:
    """Size of the network's grid: by the user's scale, or the objects, or the pixel sizes, or the image's own."""
    model_um = card.pixel_size_um
    snap = _SAME_SIZE
    if plan.scale is not None:
        factors = (plan.scale, plan.scale)
        snap = 0.0
    elif plan.object_diameter_px is not None and card.object_diameter_px is not None:
        factor = card.object_diameter_px / plan.object_diameter_px
        factors = (factor, factor * plane.pixel_aspect)
        snap = SAME_OBJECTS
    elif plane.pixel_size_um is not None and model_um is not None:
        factors = (plane.pixel_size_um[0] / model_um, plane.pixel_size_um[1] / model_um)
        _check_enlarged(max(factors), max(plane.pixel_size_um), card)
    else:
        factors = (1.0, 1.0)
    if all(abs(factor - 1) <= snap for factor in factors):
        return plane.shape
    shape = tuple(round(size * factor) for size, factor in zip(plane.shape, factors, strict=True))
    if min(shape) < 1:
        raise PlanError(
            f"At a scale of {factors[0]:.3g} the image of {plane.shape[0]} x {plane.shape[1]} pixels vanishes; "
            "check the pixel size or set the scale.",
            "scale",
        )
    return shape[0], shape[1]


def _check_enlarged(factor: float, pixel_size_um: float, card: ModelCard) -> None:
    """Refuse pixel sizes that are no microscope's: the network's grid would be hundreds of times the image."""
    if factor <= _MOST_ENLARGED:
        return
    diameter = "" if card.object_diameter_px is None else " or the diameter of the objects"
    raise PlanError(
        f"The file says {pixel_size_um:g} µm per pixel and the model {card.name} works at {card.pixel_size_um:g}, "
        f"which would enlarge the image {factor:.0f} times (at most {_MOST_ENLARGED}); set the scale{diameter}.",
        "scale",
    )


def _to_network(region: Box, shape: tuple[int, int], network_shape: tuple[int, int]) -> Box:
    """Map a box of image pixels onto the network's grid, outwards, and clip it."""
    y, x = network_shape[0] / shape[0], network_shape[1] / shape[1]
    box = Box(
        math.floor(region.y0 * y + 1e-9),
        math.floor(region.x0 * x + 1e-9),
        math.ceil(region.y1 * y - 1e-9),
        math.ceil(region.x1 * x - 1e-9),
    )
    return box.intersect(Box(0, 0, *network_shape))


def _left_out(image: MultiscaleImage, plan: SegmentPlan) -> Iterator[str]:
    """Say what of the file and the image is not segmented, where nobody has chosen."""
    series = image.series
    if series is not None and not series.is_chosen:
        count, number = len(series.names), series.index
        yield (
            f"The file holds {count} images; only number {number} (“{series.name}”) is segmented. "
            "Choose another with series, on the command line --series."
        )
    counts = {
        "channel": ("channels", image.n_channels),
        "plane_t": ("time points", image.n_t),
        "plane_z": ("planes", image.n_z),
    }
    for field, (words, count) in counts.items():
        if count > 1 and field not in plan.model_fields_set:
            option = "--" + field.replace("_", "-")
            yield (
                f"The image has {count} {words}; only the first is segmented. "
                f"Choose another with {field}, on the command line {option}."
            )


def _warnings(
    plane: ImagePlane, model: Model, plan: SegmentPlan, network_shape: tuple[int, int], *, is_sized: bool
) -> Iterator[str]:
    """Say what of the image does not fit what the model was trained on."""
    card = model.card
    if plane.n_channels == 3 and card.modality in ("fluorescence", "electron"):
        from napari_mouse_seg.networks import RGB_MODEL

        yield (
            f"The model {card.name} is for {card.modality} images of one channel; this image is RGB. "
            f"Its mean over the channels is used; for nuclei in a stained section take {RGB_MODEL}."
        )
    elif plane.n_channels == 1 and card.architecture.in_channels == 3:
        yield f"The model {card.name} is for RGB images; one channel of this image is used, repeated three times."
    if plan.object_diameter_px is not None and card.object_diameter_px is None:
        yield f"The model {card.name} does not say how large its objects are, so the object diameter is not used."
    if not is_sized and card.pixel_size_um is not None and plane.pixel_size_um is None:
        unknown = f"The pixel size of the image is unknown; the model works at {card.pixel_size_um:g} µm per pixel. "
        yield unknown + (
            "Measure the objects, or set the scale, if they look much larger or smaller than usual."
            if card.object_diameter_px is not None
            else "Set the scale if the image is much coarser or finer than that."
        )
    scale = network_shape[0] / plane.shape[0]
    if scale > 1 / _FEW_PIXELS:
        yield (
            f"The image is {scale:.1f} times coarser than what the model was trained on, "
            "so small objects may be missed."
        )
