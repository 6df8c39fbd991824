"""Train the bundled histology-nuclei model (haematoxylin and eosin, RGB).

    python docs/recipes/nuclei_histology/train.py --data ../shared/data --work runs/histology

Resumable: run it again after an interruption. It starts from the bundled fluorescence model: dark nuclei are inverted,
so that outlines and touching boundaries look much the same to both, and the training set is small (96 images). The
bundled weights had their first 1150 steps on the learning-rate schedule of a run of 4000.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import tifffile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from nuclei_training import run

from napari_mouse_seg.images import intensity_range, stretch
from napari_mouse_seg.networks import CompactPlan
from napari_mouse_seg.plans import AugmentationPlan, IntensityPlan, TrainingPlan
from napari_mouse_seg.training import TrainingImage, prepare_image

INTENSITY = IntensityPlan(polarity="dark", low_percentile=0.2, high_percentile=99.0, max_value=2.0)
ARCHITECTURE = CompactPlan(in_channels=3)
PLAN = TrainingPlan(
    steps=2500,
    average_decay=0.999,
    augmentation=AugmentationPlan(
        min_scale=0.5, max_scale=2.0, gain_log2=0.4, gamma_log2=0.4, max_offset=0.1, stain_log2=0.4
    ),
)


def load_images(data: Path, plan: TrainingPlan) -> list[TrainingImage]:
    """Read and encode the DSB2018 histology training images."""
    with (data / "dsb2018" / "index.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["modality"] == "histology" and row["split"] == "train"]
    images = []
    for row in rows:
        pixels = np.moveaxis(tifffile.imread(data / "dsb2018" / "images" / f"{row['id']}.tif")[..., :3], -1, 0)
        labels = tifffile.imread(data / "dsb2018" / "labels" / f"{row['id']}.tif").astype(np.int32)
        stretched = stretch(pixels, intensity_range(pixels, INTENSITY), INTENSITY)
        # Fields of few large and of many small nuclei are drawn evenly.
        areas = np.bincount(labels.ravel())[1:]
        median = float(np.median(areas[areas > 0])) if areas.any() else 0.0
        images.append(prepare_image(stretched, labels, plan, "large" if median > 450 else "small"))
    return images


if __name__ == "__main__":
    run(__doc__, PLAN, ARCHITECTURE, INTENSITY, load_images, start="nuclei-fluorescence")
