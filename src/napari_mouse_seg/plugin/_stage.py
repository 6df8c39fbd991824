"""The image that is painted in a viewer, and what of it the viewer shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image

from napari_mouse_seg.plugin._preview import Place
from napari_mouse_seg.plugin._reader import SERIES
from napari_mouse_seg.plugin._scene import Scene, file_channel, image_path
from napari_mouse_seg.plugin._viewport import look, show_planes
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from pathlib import Path

    from napari.components import ViewerModel

    from napari_mouse_seg.plans import ImageReference, PatchPlan
    from napari_mouse_seg.plugin._layer_list import ImageLayerList
    from napari_mouse_seg.plugin._viewport import View
    from napari_mouse_seg.projects import Project

_AXES = {"T": "time point", "Z": "plane"}


class Stage:
    """One image at most, at the channel and plane that are painted.

    Parameters
    ----------
    viewer
        Shows it.
    images
        Of the viewer; the one that is chosen may be another one while a round is at work.

    Attributes
    ----------
    scene
        The image; None if there is none.
    """

    def __init__(self, viewer: ViewerModel, images: ImageLayerList) -> None:
        self._viewer = viewer
        self._images = images
        self.scene: Scene | None = None

    def set_layer(self, layer: Image | None) -> None:
        """Take a layer's image where the viewer stands; None for no image.

        Raises
        ------
        UnsupportedImageError
            If its pixels or axes cannot be used.
        """
        self.scene = None
        if layer is not None:
            self.scene = Scene.of(layer, look(self._viewer, layer).planes)

    def look_again(self) -> bool:
        """Take the pixels that the layer has now; return whether planes and patches lie on them as before.

        If they do not, there is no image any more.
        """
        if self.scene is not None:
            self.scene = self.scene.anew()
        return self.scene is not None

    def set_channel(self, index: int) -> None:
        """Take another channel."""
        if self.scene is not None:
            self.scene = self.scene.at(index, self.scene.plan.plane_t, self.scene.plan.plane_z)

    def set_folder(self, folder: Path) -> None:
        """Let the next project of this image begin in a folder."""
        if self.scene is not None:
            self.scene = replace(self.scene, folder=folder)

    def set_reference(self, image: ImageReference) -> None:
        """Take the channel and plane that a project was painted on.

        The layer may hold all channels now where it held one then, and the other way round.
        """
        if self.scene is not None:
            channel = image.channel if image.file_channel is None else image.file_channel
            self.scene = self.scene.at(channel if self.scene.image.n_channels > 1 else 0, image.plane_t, image.plane_z)

    def channel_layers(self) -> dict[int, str]:
        """Return the names of the layers that hold channels of the image's file, by channel."""
        path = None if self.scene is None else image_path(self.scene.layer)
        if self.scene is None or path is None:
            return {}
        series = self.scene.layer.metadata.get(SERIES)
        layers = [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, Image) and image_path(layer) == path and layer.metadata.get(SERIES) == series
        ]
        return {channel: layer.name for layer in layers if (channel := file_channel(layer)) is not None}

    def follow_sliders(self) -> None:
        """Take the plane that the viewer shows."""
        view = self.view()
        if self.scene is not None and view is not None and view.planes:
            self.scene = self.scene.at_planes(view.planes)

    def view(self) -> View | None:
        """Return what of the image the viewer shows; None if there is no image."""
        return None if self.scene is None else look(self._viewer, self.scene.layer)

    def place(self, project: Project | None) -> Place | None:
        """Return the visible region of the plane that is painted, on a project's grid; None if nothing is visible."""
        scene, view = self.scene, self.view()
        if scene is None or view is None or view.box is None:
            return None
        grid = None if project is None else project.plan.network_shape
        return Place(scene.layer, scene.image, scene.planes, scene.plan, view.box, grid)

    def other_plane(self) -> str:
        """Return why a project cannot be painted on the plane that is shown; empty if it is the project's."""
        scene, view = self.scene, self.view()
        if scene is None or view is None or not view.planes:
            return ""
        shown = dict(zip(scene.image.axes, view.planes, strict=False))
        painted = dict(zip(scene.image.axes, scene.planes, strict=False))
        other = [axis for axis in _AXES if axis in shown and shown[axis] != painted[axis]]
        if not other:
            return ""
        mine = ", ".join(f"{_AXES[axis]} {painted[axis]}" for axis in other)
        theirs = ", ".join(f"{_AXES[axis]} {shown[axis]}" for axis in other)
        return f"This project is painted on {mine}, and the viewer shows {theirs}; a project keeps to one plane."

    def go_to_plane(self) -> None:
        """Move the viewer's sliders to the plane that is painted."""
        if self.scene is not None:
            show_planes(self._viewer, self.scene.layer, self.scene.planes)

    def add_problem(self, project: Project | None) -> str:
        """Return why no patch can be added, in words; empty if one can."""
        scene, view = self.scene, self.view()
        if scene is None or view is None:
            return "There is no image to paint."
        if scene.layer is not self._images.current:
            return f"Training works on “{scene.layer.name}”; patches of another image can be added when it has ended."
        if project is not None and project.read_only:
            return project.read_only_reason
        return view.box_reason or ("" if project is None else self.other_plane())


def place_of_patch(scene: Scene, project: Project, patch: PatchPlan) -> Place:
    """Return the part of the image that a patch covers, on the grid of its project."""
    y, x = scene.pixel_scale(project)
    box = Box(*patch.box)
    region = Box(int(box.y0 * y), int(box.x0 * x), int(np.ceil(box.y1 * y)), int(np.ceil(box.x1 * x)))
    plan = scene.plan.replace(polarity=project.plan.intensity.polarity)
    return Place(scene.layer, scene.image, scene.planes, plan, region, project.plan.network_shape)
