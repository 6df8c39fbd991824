"""Where the image of a project lies, from the path that it had and from its place beside the project."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mouse_seg.errors import ProjectError

if TYPE_CHECKING:
    from napari_mouse_seg.plans import ImageReference


def find_image(image: ImageReference, folder: Path) -> Path | None:
    """Return where an image lies: where it last was, or else at the same place as seen from a project's folder.

    Whether it is the same image is not checked.
    """
    candidates = [Path(image.path)] if image.path else []
    candidates += [(folder / image.relative).resolve()] if image.relative else []
    return next((path for path in candidates if path.exists()), None)


def relinked(image: ImageReference, path: Path, folder: Path, fingerprint: str = "") -> ImageReference:
    """Return the reference to an image that now lies elsewhere.

    Parameters
    ----------
    image
        As the project knows it; without a fingerprint, whatever lies there is taken for it.
    path
        Where it lies now, absolute.
    folder
        Of the project.
    fingerprint
        Of the image that lies at the path; calculated if empty, which takes a second for one of many files.

    Raises
    ------
    ProjectError
        If another image lies there.
    ImageNotFoundError
        If nothing does.
    """
    from napari_mouse_seg.images import image_fingerprint

    fingerprint = fingerprint or image_fingerprint(path)
    if image.fingerprint and fingerprint != image.fingerprint:
        raise ProjectError(
            f"{path} is not the image that was painted ({image.name or image.path}), or was changed since; choose "
            "the file that the project was made with, or start a new project."
        )
    try:
        relative = Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive on Windows
        relative = ""
    return image.replace(path=str(path), relative=relative, fingerprint=fingerprint)
