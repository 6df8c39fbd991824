"""The project that begins with an image's first patch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_mouse_seg.errors import ProjectError
from napari_mouse_seg.plans import ProjectPlan
from napari_mouse_seg.plugin._scene import Scene, project_folder, reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_mouse_seg.pipeline import PatchCut, SegmentJob
    from napari_mouse_seg.plugin._paint_kind import PaintKind
    from napari_mouse_seg.session import TrainSession


def create_project(
    session: TrainSession, kind: PaintKind, scene: Scene, job: SegmentJob, base: str, cut: PatchCut
) -> Iterator[str]:
    """Begin a project beside the image, or under the home folder where that cannot be written to.

    Parameters
    ----------
    session
        Holds the project afterwards.
    kind
        What is painted.
    scene
        The image.
    job
        Of the base model on the first patch.
    base
        Value for ``ProjectPlan.base``.
    cut
        The first patch.

    Yields
    ------
    str
        What the user ought to know of it.

    Raises
    ------
    ProjectError
        If it can be begun nowhere.
    """
    intensity = job.source.intensity
    if cut.mostly_bright:
        intensity = intensity.replace(polarity="dark" if intensity.polarity == "bright" else "bright")
        if kind.kind == "objects":
            yield f"Most of the image is bright, so objects are taken to be {intensity.polarity}."
    size = job.plane.pixel_size_um
    plan = ProjectPlan(
        kind=kind.kind,
        classes=kind.classes,
        image=reference(scene),
        network_shape=job.network_shape,
        limits=cut.limits,
        intensity=intensity,
        pixel_size_um=None if size is None else size[0] * job.pixel_scale[0],
        base=base,
    )
    folder = project_folder(scene.layer)
    try:
        session.create(folder, plan)
    except ProjectError:
        elsewhere = Path.home() / "mouse-seg" / folder.name
        if elsewhere == folder:
            raise
        session.create(elsewhere, plan)
        yield f"The image's folder cannot be written to, so the project lies in {elsewhere}."
