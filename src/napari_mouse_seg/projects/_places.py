"""Which project belongs to an image: beside its file, or in the home folder where that one cannot be written to.

Images of one name share a place, as ``field.png`` and ``field.tif`` do; the project of the second lies in
``field-2.mouse-seg``, and so on. Names with the format in them were turned down: they say what nobody asks.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import datetime
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mouse_seg.errors import ImageError, ProjectError
from napari_mouse_seg.projects._files import read_plan
from napari_mouse_seg.projects._image_link import find_image
from napari_mouse_seg.projects._layout import Layout, default_folder, free_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari_mouse_seg.plans import ImageReference

_SUFFIX = ".mouse-seg"
_FEW_PROJECTS = 4  # Read in some 10 ms.


def project_places(image: ImageReference) -> tuple[Path, ...]:
    """Return the folders that the project of an image is made in, the preferred one first."""
    home = Path.home() / "mouse-seg"
    if image.path:
        beside = default_folder(Path(image.path))
        return beside, home / beside.name
    name = "".join(letter if letter.isalnum() or letter in "-_ " else "_" for letter in image.name)
    return (home / f"{name}{_SUFFIX}",)


def rescue_folder(project: Path) -> Path:
    """Return a free folder in the home folder for what a project's own folder does not take now."""
    return free_path(Path.home() / "mouse-seg" / "rescued", f"{project.name}-{datetime.now():%Y%m%d-%H%M%S}")


def free_folder(place: Path) -> Path:
    """Return a place, or the same with the first number from 2 at which no project and no file lies."""
    numbered = (_with_number(place, number) for number in count(1))
    return next(folder for folder in numbered if not Layout(folder).is_project and not os.path.isfile(folder))


class FingerprintNeededError(ProjectError):
    """Only the image's fingerprint tells; for a large OME-Zarr it takes seconds."""


def find_project(
    image: ImageReference, left: Mapping[Path, ImageReference] | None = None, *, quick: bool = False
) -> Path | None:
    """Return the folder of an image's project, the one that was left last if it is known; None if there is none.

    Beside the file, the image is known by its path or by its fingerprint; in the home folder only by the latter, which
    is calculated if need be. So is a file that was renamed: its project is one beside it whose own image is gone. An
    image that was made in memory is known by its name and size. Channels that are layers have projects of their own.

    Where no project is the image's own, that at the first place is returned nevertheless, unless it belongs to another
    file that is still there: it can be told then why it does not fit.

    Parameters
    ----------
    image
        As the viewer has it now; relative path and fingerprint need not be filled in.
    left
        Images of projects that were open before, wherever they lie, the last one last.
    quick
        Whether to fail where the image has to be read.

    Raises
    ------
    FingerprintNeededError
        If ``quick`` and only the fingerprint could tell, or many projects lie beside the image.
    """
    fingerprint = cache(partial(_need_fingerprint if quick else _fingerprint, image))
    for folder, last in reversed([*(left or {}).items()]):
        if _is_same(last, image, fingerprint, by_path=True) and Layout(folder).is_project:
            return folder
    first, *others = project_places(image)
    for place in (first, *others):
        for folder in _taken(place):
            known = read_reference(folder)
            if known is not None and _is_same(known, image, fingerprint, by_path=place == first):
                return folder
    renamed = _find_renamed(image, fingerprint, quick=quick)
    if renamed is not None or not Layout(first).is_project:
        return renamed
    known = read_reference(first)
    is_other = known is not None and (_is_other_series(known, image) or _is_elsewhere(known, image, first))
    return None if is_other else first


def _find_renamed(image: ImageReference, fingerprint: Callable[[], str], *, quick: bool) -> Path | None:
    """Return a project beside an image whose own image is not there any more, and was the same.

    Not of folders: of an OME-Zarr the fingerprint does not tell pixels.
    """
    if not image.path or Path(image.path).is_dir():
        return None
    folders = sorted(Path(image.path).parent.glob(f"*{_SUFFIX}"))
    if quick and len(folders) > _FEW_PROJECTS:
        _need_fingerprint(image)
    for folder in folders:
        known = read_reference(folder) if Layout(folder).is_project else None
        if known is None or find_image(known, folder) is not None:
            continue
        if _is_same(known, image, fingerprint, by_path=False):
            return folder
    return None


def read_reference(folder: Path) -> ImageReference | None:
    """Return which image a project was painted on, without opening it; None if that cannot be read."""
    layout = Layout(folder)
    for file in (layout.plan_file, layout.backup_file):
        with suppress(ProjectError):
            return read_plan(file).image
    return None


def _is_same(known: ImageReference, image: ImageReference, fingerprint: Callable[[], str], by_path: bool) -> bool:
    channels = {known.file_channel, image.file_channel} - {None}
    if len(channels) > 1 or _is_other_series(known, image):
        return False
    if not image.path:
        return not known.path and known.name == image.name and known.shape == image.shape
    if by_path and known.path == image.path:
        return True
    if _is_other_folder(known, image):
        return False
    return bool(known.fingerprint) and known.shape == image.shape and known.fingerprint == fingerprint()


def _is_other_series(known: ImageReference, image: ImageReference) -> bool:
    """Return whether both are known to be different images of a file."""
    return len({known.series, image.series} - {None}) > 1


def _is_other_folder(known: ImageReference, image: ImageReference) -> bool:
    """Return whether two OME-Zarr images are both there; fingerprints do not tell their pixels (fields of a plate)."""
    return bool(known.path) and known.path != image.path and Path(image.path).is_dir() and Path(known.path).is_dir()


def _is_elsewhere(known: ImageReference, image: ImageReference, folder: Path) -> bool:
    """Return whether a project's image is another file, and still there."""
    found = find_image(known, folder)
    return found is not None and found != Path(image.path)


def _need_fingerprint(image: ImageReference) -> str:
    """Fingerprint if it is known; fail otherwise."""
    if not image.fingerprint:
        raise FingerprintNeededError(f"The fingerprint of {image.name} is needed.")
    return image.fingerprint


def _fingerprint(image: ImageReference) -> str:
    """Fingerprint of an image's file; empty if it cannot be read."""
    from napari_mouse_seg.images import image_fingerprint

    try:
        return image.fingerprint or image_fingerprint(image.path)
    except ImageError:
        return ""


def _taken(place: Path) -> list[Path]:
    """Projects at a place and at the same with a number, in order; some numbers may be missing."""
    name = re.compile(re.escape(place.name.removesuffix(_SUFFIX)) + r"(?:-([1-9]\d*))?" + re.escape(_SUFFIX))
    try:
        entries = os.listdir(place.parent)
    except OSError:  # Absent, or not to be listed.
        entries = [place.name]
    matches = [match for match in map(name.fullmatch, entries) if match]
    folders = [place.with_name(match[0]) for match in sorted(matches, key=lambda match: int(match[1] or 1))]
    return [folder for folder in folders if Layout(folder).is_project]


def _with_number(place: Path, number: int) -> Path:
    return place if number == 1 else place.with_name(f"{place.name.removesuffix(_SUFFIX)}-{number}{_SUFFIX}")
