"""The image that is painted, and the project that goes with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mouse_seg.errors import ProjectError, UnsupportedImageError
from napari_mouse_seg.plans import ImageReference, SegmentPlan
from napari_mouse_seg.plugin._layers import image_of_layer, plane_indices
from napari_mouse_seg.plugin._reader import CHANNEL, PATH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari.layers import Image

    from napari_mouse_seg.images import MultiscaleImage
    from napari_mouse_seg.projects import Project


@dataclass(frozen=True, slots=True)
class Scene:
    """The image that is painted, as the viewer shows it.

    Attributes
    ----------
    layer, image
        The same pixels for the viewer and for the engine.
    planes
        Index along each leading axis.
    plan
        Channel and plane.
    folder
        Where the user wants a new project; None for the usual place.
    """

    layer: Image
    image: MultiscaleImage
    planes: tuple[int, ...]
    plan: SegmentPlan
    folder: Path | None = None

    @classmethod
    def of(cls, layer: Image, planes: tuple[int, ...]) -> Scene:
        """Take a layer at the plane that the viewer shows.

        Raises
        ------
        UnsupportedImageError
            If the layer's pixels or axes cannot be used.
        """
        image = image_of_layer(layer)
        chosen = dict(zip(image.axes, planes, strict=False))
        plan = SegmentPlan(channel=chosen.get("C", 0), plane_t=chosen.get("T", 0), plane_z=chosen.get("Z", 0))
        return cls(layer, image, plane_indices(image, plan), plan)

    def anew(self) -> Scene | None:
        """Return the same place with the pixels that the layer has now; None if they are of another size or kind."""
        try:
            image = image_of_layer(self.layer)
        except UnsupportedImageError:
            return None
        return replace(self, image=image) if _extent(image) == _extent(self.image) else None

    def at(self, channel: int, time: int, depth: int) -> Scene:
        """Return the same image at another channel or plane."""
        plan = self.plan.replace(channel=channel, plane_t=time, plane_z=depth)
        return replace(self, planes=plane_indices(self.image, plan), plan=plan)

    def at_planes(self, planes: tuple[int, ...]) -> Scene:
        """Return the same image and channel where the viewer's sliders stand."""
        chosen = dict(zip(self.image.axes, planes, strict=False))
        return self.at(self.plan.channel, chosen.get("T", 0), chosen.get("Z", 0))

    def pixel_scale(self, project: Project) -> tuple[float, float]:
        """Return image pixels per patch pixel of a project, along Y and X."""
        y, x = (mine / grid for mine, grid in zip(self.image.shape, project.plan.network_shape, strict=True))
        return y, x

    def channel_names(self) -> list[str]:
        """Return a name for each channel."""
        image = self.image
        return list(image.channel_names) or [f"Channel {index}" for index in range(image.n_channels)]


def _extent(image: MultiscaleImage) -> tuple[object, ...]:
    return image.axes, image.shape, image.n_t, image.n_channels, image.n_z


def check_project(project: Project, scene: Scene, channel_layers: Mapping[int, str]) -> None:
    """Refuse a project whose patches would lie elsewhere on this image, and remember where the image lies now.

    Parameters
    ----------
    project
        To be opened.
    scene
        What it would be painted on.
    channel_layers
        Names of the layers that hold channels of the same file, by channel.

    Raises
    ------
    ProjectError
        If the image has another size, its file is another one than was painted, or the layer is another image or
        channel of it.
    """
    painted = project.plan.image
    series = scene.image.series
    if series is not None and painted.series is not None and series.index != painted.series:
        raise ProjectError(
            f"{project.folder.name} was painted on another image of the same file, “{painted.name}”; choose that layer "
            "to go on with it."
        )
    if scene.image.shape != painted.shape:
        raise ProjectError(
            f"{project.folder.name} was painted on an image of {painted.shape[0]} x {painted.shape[1]} px, but "
            f"{scene.layer.name!r} has {scene.image.shape[0]} x {scene.image.shape[1]}; open "
            f"{painted.path or painted.name} first."
        )
    path = image_path(scene.layer)
    if path is not None and str(path) != painted.path and not project.read_only:
        project.relink(path)
    here, there = file_channel(scene.layer), painted.file_channel
    if here is not None and there is not None and here != there:
        words = f"{project.folder.name} was painted on channel “{channel_layers.get(there, painted.name)}”"
        if there in channel_layers:
            raise ProjectError(f"{words}; choose that layer to go on with it.")
        raise ProjectError(f"{words}, which is not in the viewer; open the image again and choose that layer.")


def how_to_see(project: Project) -> str:
    """Say which image to open, so that the patches of a project can be seen."""
    image, found = project.plan.image, project.find_image()
    if found is not None:
        return f"To see the patches and to paint, open its image: {found}"
    if image.path:
        return f"Its image {image.path} is not there any more; open it where it lies now."
    return f"It was painted on the layer “{image.name}”, which was in no file; put that into the viewer again."


def reference(scene: Scene) -> ImageReference:
    """Return what a project remembers of its image, but for the fingerprint and the place beside the project."""
    path, plan = image_path(scene.layer), scene.plan
    return ImageReference(
        path="" if path is None else str(path),
        name=scene.layer.name,
        shape=scene.image.shape,
        channel=plan.channel,
        file_channel=file_channel(scene.layer),
        series=None if scene.image.series is None else scene.image.series.index,
        plane_t=plan.plane_t,
        plane_z=plan.plane_z,
    )


def image_path(layer: Image) -> Path | None:
    """Return the file or folder that a layer was read from; None if it was made in memory.

    Of a field of a plate that is the field's own, and not the plate that was opened.
    """
    opened, own = getattr(layer.source, "path", None), layer.metadata.get(PATH)
    if not opened or not Path(opened).exists():
        return None
    is_part = isinstance(own, str) and Path(own).absolute().is_relative_to(Path(opened).absolute())
    return Path(own if is_part else opened).absolute()


def file_channel(layer: Image) -> int | None:
    """Return which channel of its file a layer holds; None if it holds all of them, or its reader did not say."""
    channel = layer.metadata.get(CHANNEL)
    return channel if isinstance(channel, int) and channel >= 0 else None
