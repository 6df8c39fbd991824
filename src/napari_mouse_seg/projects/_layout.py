"""Where the parts of a project lie.

Plain files under names that say what they are, so that a project can be looked at, copied and mended without this
package. One container file was turned down: damage to it would take every patch along.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from napari_mouse_seg._atomic import remove_unfinished

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_IMAGE_FILE = re.compile(r"([a-z0-9-]+)\.image\.tif")
_PATCH_NUMBER = re.compile(r"p(\d+)\.")
_ROUND_NUMBER = re.compile(r"round-(\d+)\.")


def default_folder(image_path: Path) -> Path:
    """Return where the project of an image lies unless the user chooses another place: beside the image.

    That of a field of an OME-Zarr plate lies beside the plate.

    Parameters
    ----------
    image_path
        ``field.ome.tif`` and ``field.png`` share ``field.mouse-seg``.
    """
    from napari_mouse_seg.images import image_stem, zarr_root

    return zarr_root(image_path).with_name(f"{image_stem(image_path)}.mouse-seg")


@dataclass(frozen=True)
class Layout:
    """Paths in a project's folder."""

    folder: Path

    @property
    def plan_file(self) -> Path:
        """Everything but pixels and weights."""
        return self.folder / "project.json"

    @property
    def backup_file(self) -> Path:
        """The same once more."""
        return self.folder / "project.json.bak"

    @property
    def lock_file(self) -> Path:
        """Locked by whoever may write."""
        return self.folder / ".lock"

    @property
    def holder_file(self) -> Path:
        """Who that is."""
        return self.folder / ".lock.json"

    @property
    def patches(self) -> Path:
        """Folder of pixels and paint."""
        return self.folder / "patches"

    @property
    def rounds(self) -> Path:
        """Folder of models."""
        return self.folder / "rounds"

    @property
    def trash(self) -> Path:
        """Folder of what the user deleted."""
        return self.folder / "trash"

    @property
    def is_project(self) -> bool:
        """Whether there is a project in the folder: its list, or the backup of that."""
        return any(os.path.exists(file) for file in (self.plan_file, self.backup_file))  # No error without permission.

    def image_file(self, patch_id: str) -> Path:
        """Return where the pixels of a patch lie."""
        return self.patches / f"{patch_id}.image.tif"

    def paint_file(self, patch_id: str) -> Path:
        """Return where the paint of a patch lies."""
        return self.patches / f"{patch_id}.paint.tif"

    def round_file(self, number: int) -> Path:
        """Return where the model of a round lies."""
        return self.rounds / f"round-{number:03d}.safetensors"

    def patch_files(self, patch_id: str) -> list[Path]:
        """Return all files of a patch, those set aside among them; the pixels first."""
        return sorted(path for path in _entries(self.patches) if path.name.startswith(f"{patch_id}."))

    def image_ids(self) -> list[str]:
        """Return the ids of all patches whose pixels lie in the folder."""
        matches = (_IMAGE_FILE.fullmatch(path.name) for path in _entries(self.patches))
        return sorted(match[1] for match in matches if match)

    def is_used(self, patch_id: str) -> bool:
        """Return whether a patch has, or before its deletion had, that id."""
        files = [*_entries(self.patches), *_entries(self.trash)]
        return any(path.name.startswith(f"{patch_id}.") for path in files)

    def highest_patch(self) -> int:
        """Return the highest number among files of patches, deleted ones included; 0 without any."""
        return _highest(_PATCH_NUMBER, [*_entries(self.patches), *_entries(self.trash)])

    def highest_round(self) -> int:
        """Return the highest number among models, deleted ones included; 0 without any."""
        return _highest(_ROUND_NUMBER, [*_entries(self.rounds), *_entries(self.trash)])

    def remove_unfinished(self) -> None:
        """Remove what a killed process was writing; only for the holder of the lock."""
        for folder in (self.folder, self.patches, self.rounds):
            remove_unfinished(folder)


def free_path(folder: Path, name: str, ending: str = "") -> Path:
    """Return the first of ``name``, ``name-2``, ... that is free; with an ending, ``name.ending-1`` and so on."""
    if not ending and not (folder / name).exists():
        return folder / name
    stem, start = (f"{name}.{ending}", 1) if ending else (name, 2)
    candidates = (folder / f"{stem}-{number}" for number in count(start))
    return next(path for path in candidates if not path.exists())


def _highest(pattern: re.Pattern[str], paths: list[Path]) -> int:
    matches = (pattern.match(path.name) for path in paths)
    return max((int(match[1]) for match in matches if match), default=0)


def _entries(folder: Path) -> Iterator[Path]:
    """Files in a folder; none if it is absent."""
    try:
        yield from list(folder.iterdir())
    except FileNotFoundError:
        return
