"""Train the bundled fluorescence-nuclei model, first stage; ``refine.py`` is the second.

    python docs/recipes/nuclei_fluorescence/train.py --data ../shared/data --work runs/nuclei

Resumable: run it again after an interruption. The weights that were refined had 7000 steps, of which the first 4600 on
the learning-rate schedule of a run of 9000, and 550 more on that of 8000.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import tifffile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from nuclei_training import read_bbbc039_validation, run

from napari_mouse_seg.images import intensity_range, stretch
from napari_mouse_seg.networks import CompactPlan
from napari_mouse_seg.plans import AugmentationPlan, IntensityPlan, TrainingPlan
from napari_mouse_seg.training import TrainingImage, prepare_image

INTENSITY = IntensityPlan(asinh_gain=10.0)
ARCHITECTURE = CompactPlan()
TRAINING = TrainingPlan(
    steps=7000, learning_rate=3e-3, average_decay=0.999, augmentation=AugmentationPlan(min_scale=0.5, max_scale=2.0)
)


def training_files(data: Path) -> list[tuple[str, Path, Path]]:
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


def load_images(data: Path, plan: TrainingPlan) -> list[TrainingImage]:
    """Read and encode all training images, about 600."""
    images = []
    for group, image_path, labels_path in training_files(data):
        grey = read_grey(image_path)
        stretched = stretch(grey, intensity_range(grey, INTENSITY), INTENSITY)[None]
        labels = tifffile.imread(labels_path).astype(np.int32)
        images.append(prepare_image(stretched, labels, plan, size_group(group, labels)))
    return images


def size_group(source: str, labels: np.ndarray) -> str:
    """Return the sampling group: DSB2018 mixes magnifications; fields of small and of large nuclei are drawn evenly."""
    areas = np.bincount(labels.ravel())[1:]
    size = "large" if areas.size and np.median(areas[areas > 0]) > 500 else "small"
    return source if source == "bbbc039" else f"{source}-{size}"


if __name__ == "__main__":
    run(__doc__, TRAINING, ARCHITECTURE, INTENSITY, load_images, load_validation=read_bbbc039_validation)
