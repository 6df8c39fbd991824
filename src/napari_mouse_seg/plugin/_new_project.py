"""The project that begins with an image's first patch."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mouse_seg.errors import ProjectError
from napari_mouse_seg.events import Event, Finished
from napari_mouse_seg.plans import ProjectPlan
from napari_mouse_seg.plugin._scene import Scene, image_path, reference

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from napari_mouse_seg.pipeline import PatchCut, SegmentJob
    from napari_mouse_seg.plans import ImageReference
    from napari_mouse_seg.plugin._paint_kind import PaintKind
    from napari_mouse_seg.session import TrainSession


@dataclass(frozen=True, slots=True)
class FirstPatch:
    """What a project begins with.

    Attributes
    ----------
    cut
        The patch.
    fingerprint
        Of the image; empty if that is in no file.
    """

    cut: PatchCut
    fingerprint: str


def cut_first_patch(scene: Scene, job: SegmentJob, largest_px: int) -> Generator[Event, None, None]:
    """Like ``cut_patch``, but the last event carries a ``FirstPatch``."""
    from napari_mouse_seg.images import image_fingerprint
    from napari_mouse_seg.pipeline import cut_patch

    path = image_path(scene.layer)
    for event in cut_patch(job, largest_px):
        if isinstance(event, Finished):
            yield Finished(FirstPatch(event.result, "" if path is None else image_fingerprint(path)))
        else:
            yield event


def create_project(
    session: TrainSession, kind: PaintKind, scene: Scene, job: SegmentJob, base: str, first: FirstPatch
) -> Iterator[str]:
    """Begin a project where the user wants it, or else beside the image or, if need be, under the home folder.

    A name that another image's project has is left to that.

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
    first
        The first patch, which the caller adds.

    Yields
    ------
    str
        What the user ought to know of it.

    Raises
    ------
    ProjectError
        If it can be begun nowhere.
    """
    from napari_mouse_seg.projects import project_places

    cut = first.cut
    expected, polarity = job.source.intensity.polarity, cut.intensity.polarity
    if polarity != expected and kind.kind == "objects":
        yield f"Most of the image is {expected}, so objects are taken to be {polarity}."
    plan = ProjectPlan(
        kind=kind.kind,
        classes=kind.classes,
        image=reference(scene).replace(fingerprint=first.fingerprint),
        network_shape=job.network_shape,
        limits=cut.limits,
        colour_limits=cut.colour_limits,
        intensity=cut.intensity,
        pixel_size_um=job.network_pixel_um,
        base=base,
    )
    yield from _create(session, plan, project_places(plan.image) if scene.folder is None else (scene.folder,))


def _create(session: TrainSession, plan: ProjectPlan, places: tuple[Path, ...]) -> Iterator[str]:
    """Begin it at the first of some places where that can be done."""
    from napari_mouse_seg.projects import free_folder, relinked

    image, reason = plan.image, ""
    for place in places:
        folder = free_folder(place)
        if image.path:
            plan = plan.replace(image=relinked(image, Path(image.path), folder, image.fingerprint))
        try:
            session.create(folder, plan)
        except ProjectError as error:
            if place == places[-1]:
                raise
            may_write = os.access(place.parent, os.W_OK)
            reason = str(error) if may_write else "The image's folder cannot be written to."
            continue
        if reason:
            yield f"{reason} The project therefore lies in {folder}."
        elif folder != place:
            yield f"{_owner(place, image)}, so this one lies in {folder.name}."
        return


def _owner(place: Path, image: ImageReference) -> str:
    """Say whose place is taken."""
    from napari_mouse_seg.projects import read_reference

    known = read_reference(place)
    if known is None:
        return f"{place} is taken"
    return f"{place.name} is the project of {known.name if known.path == image.path else known.path or known.name}"


def is_empty(folder: Path) -> bool:
    """Return whether a folder is there with nothing in it but hidden files, as file managers leave them."""
    try:
        return all(name.startswith(".") for name in os.listdir(folder))
    except OSError:
        return False
