"""Second stage of the histology-nuclei model: fluorescence images among the others, and what it forgot comes back.

    python docs/recipes/nuclei_histology/bundle.py runs/histology/checkpoint.pt FIRST
    python docs/recipes/nuclei_histology/mix.py --data ../shared/data --work runs/mixed --start FIRST

FIRST is the model file of the first stage. A third of the patches are of fluorescence, grey in all three channels and
stretched as this model does, bright on dark as it sees its own images once they are turned round.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tifffile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from typing import TYPE_CHECKING

from nuclei_data import fluorescence_files, read_grey
from nuclei_training import run
from train import ARCHITECTURE, INTENSITY, PLAN, load_images

from napari_mouse_seg.images import intensity_range, stretch
from napari_mouse_seg.training import TrainingImage, prepare_image

if TYPE_CHECKING:
    from napari_mouse_seg.plans import TrainingPlan

MIXED = PLAN.replace(steps=2000, learning_rate=1.5e-3, seed=3)
BRIGHT = INTENSITY.replace(polarity="bright")


def load_mixed(data: Path, plan: TrainingPlan) -> list[TrainingImage]:
    """Read and encode the histology training images, and those of fluorescence as one group more."""
    images = load_images(data, plan)
    for _, image_path, labels_path in fluorescence_files(data):
        grey = read_grey(image_path)
        stretched = stretch(grey, intensity_range(grey, BRIGHT), BRIGHT)
        labels = tifffile.imread(labels_path).astype(np.int32)
        images.append(prepare_image(np.stack([stretched] * 3), labels, plan, "fluorescence"))
    return images


if __name__ == "__main__":
    run(__doc__, MIXED, ARCHITECTURE, INTENSITY, load_mixed)
