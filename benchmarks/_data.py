"""Real images for the benchmarks; nothing here is imported by the package."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tifffile

if TYPE_CHECKING:
    from numpy.typing import NDArray


def data_dir() -> Path:
    """Return the folder of the annotated images, or stop and say how to set it."""
    folder = Path(os.environ.get("MOUSE_SEG_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not folder.is_dir():
        sys.exit(f"There are no real images at {folder}; set MOUSE_SEG_DATA to their folder.")
    return folder


def bbbc039_stems(split: str) -> list[str]:
    """Return the names of ``training`` or ``validation``."""
    return [Path(line).stem for line in (data_dir() / "bbbc039" / f"{split}.txt").read_text().split()]


def bbbc039_mosaic(shape: tuple[int, int]) -> NDArray[np.uint16]:
    """Tile validation fields, mirrored in turn, into a uint16 mosaic; fields repeat when all are used."""
    stems = bbbc039_stems("validation")
    out = np.empty(shape, np.uint16)
    number = 0
    for y in range(0, shape[0], 520):
        for x in range(0, shape[1], 696):
            field = tifffile.imread(data_dir() / "bbbc039" / "images" / f"{stems[number % len(stems)]}.tif")
            field = field[:: -1 if number % 2 else 1, :: -1 if number % 3 else 1]
            target = out[y : y + 520, x : x + 696]
            target[:] = field[: target.shape[0], : target.shape[1]]
            number += 1
    return out
