"""Names of images without their format."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def image_stem(path: Path) -> str:
    """Return the name without its format: ``field.ome.tif`` and ``field.png`` are both ``field``."""
    name = path.name
    for ending in (path.suffix, ".ome"):
        if ending and name.lower().endswith(ending.lower()):
            name = name[: -len(ending)]
    return name or path.name
