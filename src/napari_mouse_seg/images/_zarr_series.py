"""Several images in one OME-Zarr directory, as bioformats2raw lays them out."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from pathlib import Path

_GROUP = "OME"


def series_folders(path: Path) -> list[Path]:
    """Return the directories of the images: all that are listed, also missing ones; otherwise 0, 1, 2 and so on."""
    listed = [path / name for name in _listed(path / _GROUP)]
    if listed:
        return listed
    numbered = sorted((int(each.name), each) for each in path.iterdir() if each.name.isdecimal())
    return [folder for _, folder in numbered if folder.is_dir()]


def series_names(path: Path, folders: list[Path]) -> list[str]:
    """Return the names that the OME-XML beside the images gives them; empty texts without."""
    with suppress(OSError, ElementTree.ParseError):
        root = ElementTree.parse(path / _GROUP / "METADATA.ome.xml").getroot()
        names = [image.get("Name", "") for image in root.findall("{*}Image")]
        if len(names) == len(folders):
            return names
    return [""] * len(folders)


def _listed(group: Path) -> list[str]:
    """Return what the group beside the images says of them, in zarr's format 3 or 2."""
    for file in ("zarr.json", ".zattrs"):
        with suppress(OSError, ValueError):
            found: Any = json.loads((group / file).read_text(encoding="utf-8"))  # Any: JSON
            for key in ("attributes", "ome"):
                found = found.get(key, found)
            return [str(name) for name in found.get("series", ())]
    return []
