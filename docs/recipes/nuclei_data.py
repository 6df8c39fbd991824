"""Which images the recipes of the nuclei models learn from, and which they validate on."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

if TYPE_CHECKING:
    from numpy.typing import NDArray


def fluorescence_files(data: Path) -> list[tuple[str, Path, Path]]:
    """List (group, image, labels) of BBBC039 training and DSB2018 fluorescence training.

    No image is taken whose twin is in a validation or test split of either set.
    """
    with (data / "dsb2018" / "index.csv").open() as file:
        rows = list(csv.DictReader(file))
    held_out = set((data / "bbbc039" / "validation.txt").read_text().split())
    held_out |= {row["bbbc039_twin"] for row in rows if row["split"] == "test" and row["bbbc039_twin"]}
    held_out = {Path(name).stem for name in held_out}
    wanted = [
        ("bbbc039", Path(name).stem)
        for name in (data / "bbbc039" / "training.txt").read_text().split()
        if Path(name).stem not in held_out
    ]
    wanted += [
        ("dsb2018", row["id"])
        for row in rows
        if row["modality"] == "fluorescence" and row["split"] == "train" and row["bbbc039_twin"] not in held_out
    ]
    return [(g, data / g / "images" / f"{stem}.tif", data / g / "labels" / f"{stem}.tif") for g, stem in wanted]


def read_grey(path: Path) -> np.ndarray:
    """Read an image; RGB(A) screen grabs of one fluorescence channel become their mean."""
    image = tifffile.imread(path)
    return image[..., :3].mean(-1).astype(np.float32) if image.ndim == 3 else image


def size_group(source: str, labels: np.ndarray) -> str:
    """Return the sampling group: DSB2018 mixes magnifications; fields of small and of large nuclei are drawn evenly."""
    areas = np.bincount(labels.ravel())[1:]
    size = "large" if areas.size and np.median(areas[areas > 0]) > 500 else "small"
    return source if source == "bbbc039" else f"{source}-{size}"


def read_bbbc039_validation(data: Path) -> list[tuple[NDArray[Any], NDArray[np.int32]]]:
    """Read the 50 validation images of BBBC039, none of which nor a twin of which is trained on."""
    folder = data / "bbbc039"
    stems = [Path(name).stem for name in (folder / "validation.txt").read_text().split()]
    return [
        (
            tifffile.imread(folder / "images" / f"{stem}.tif"),
            tifffile.imread(folder / "labels" / f"{stem}.tif").astype(np.int32),
        )
        for stem in stems
    ]
