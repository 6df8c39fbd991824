"""Train the bundled fluorescence-nuclei model, first stage; ``refine.py`` is the second.

    python docs/recipes/nuclei_fluorescence/train.py --data ../shared/data --work runs/nuclei

Resumable: run it again after an interruption. The weights that were refined had 7000 steps, of which the first 4600 on
the learning-rate schedule of a run of 9000, and 550 more on that of 8000.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tifffile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from nuclei_data import fluorescence_files, read_bbbc039_validation, read_grey, size_group
from nuclei_training import run

from napari_mouse_seg.images import intensity_range, stretch
from napari_mouse_seg.networks import CompactPlan
from napari_mouse_seg.plans import AugmentationPlan, IntensityPlan, TrainingPlan
from napari_mouse_seg.training import TrainingImage, prepare_image

INTENSITY = IntensityPlan(asinh_gain=10.0)
ARCHITECTURE = CompactPlan()
TRAINING = TrainingPlan(
    steps=7000, learning_rate=3e-3, average_decay=0.999, augmentation=AugmentationPlan(min_scale=0.5, max_scale=2.0)
)


def load_images(data: Path, plan: TrainingPlan) -> list[TrainingImage]:
    """Read and encode all training images, about 600."""
    images = []
    for group, image_path, labels_path in fluorescence_files(data):
        grey = read_grey(image_path)
        stretched = stretch(grey, intensity_range(grey, INTENSITY), INTENSITY)[None]
        labels = tifffile.imread(labels_path).astype(np.int32)
        images.append(prepare_image(stretched, labels, plan, size_group(group, labels)))
    return images


if __name__ == "__main__":
    run(__doc__, TRAINING, ARCHITECTURE, INTENSITY, load_images, load_validation=read_bbbc039_validation)
