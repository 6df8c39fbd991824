"""Plates of OME-Zarr: wells hold fields, and each field is an image."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def plate_fields(path: Path) -> list[Path]:
    """Return the directories of the fields of a plate or a well, in the order of its metadata; empty for all else.

    Only metadata are read, those of the plate and of each well. A well whose own cannot be read stands for its fields,
    so that opening it tells what is wrong with it and hides no other.

    Parameters
    ----------
    path
        Of anything.
    """
    ome = read_ome(path)
    wells = [path / name for name in _paths(ome.get("plate"), "wells")]
    return [field for well in wells for field in (_fields(well) or [well])] if wells else _fields(path)


def read_ome(group: Path) -> dict[str, Any]:  # Any: JSON
    """Return the OME metadata of a group in zarr's format 3 or 2; empty where there are none."""
    for file in ("zarr.json", ".zattrs"):
        with suppress(OSError, ValueError):
            found = json.loads((group / file).read_text(encoding="utf-8"))
            for key in ("attributes", "ome"):
                found = found.get(key, found) if isinstance(found, dict) else {}
            return found if isinstance(found, dict) else {}
    return {}


def _fields(well: Path) -> list[Path]:
    return [well / name for name in _paths(read_ome(well).get("well"), "images")]


def _paths(group: Any, key: str) -> list[str]:  # Any: JSON
    """Return the paths of what a group lists."""
    listed = group.get(key) if isinstance(group, dict) else None
    entries = listed if isinstance(listed, list) else []
    return [str(entry["path"]) for entry in entries if isinstance(entry, dict) and entry.get("path")]
