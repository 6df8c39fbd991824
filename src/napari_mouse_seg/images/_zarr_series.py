"""Several images in one OME-Zarr directory, as bioformats2raw lays them out."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from napari_mouse_seg.images._zarr_plate import read_ome

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
    """Return what the group beside the images says of them."""
    series = read_ome(group).get("series")
    return [str(name) for name in series] if isinstance(series, list) else []
