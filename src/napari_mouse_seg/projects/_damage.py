"""What to do with files that cannot be used: set aside under another name, never overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_mouse_seg._atomic import explain, patiently
from napari_mouse_seg.errors import ProjectError
from napari_mouse_seg.projects._layout import free_path

if TYPE_CHECKING:
    from pathlib import Path


class DamagedFileError(ProjectError):
    """The bytes of a file could be read, but they are not what they should be."""


@dataclass(frozen=True)
class Damage:
    """Something that was found wrong while a project was opened.

    Attributes
    ----------
    path
        The file in question.
    set_aside
        Where it lies now; None if it was left in place.
    message
        In words for users.
    """

    path: Path
    set_aside: Path | None
    message: str


def set_aside(path: Path) -> Path:
    """Rename a file to ``<name>.damaged-1``, or the next free number, and return its new place.

    Raises
    ------
    ProjectError
        If it cannot be renamed; it then is where it was.
    """
    target = free_path(path.parent, path.name, "damaged")
    move(path, target)
    return target


def move(path: Path, target: Path) -> None:
    """Rename a file, making the folder that it goes to.

    Raises
    ------
    ProjectError
        If the system refuses.
    """
    try:
        target.parent.mkdir(exist_ok=True)
        patiently(lambda: path.rename(target))
    except OSError as error:
        raise ProjectError(explain(path, error, "moved")) from error
