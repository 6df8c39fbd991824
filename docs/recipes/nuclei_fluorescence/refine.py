"""Second stage of the fluorescence-nuclei model: nearer to the size at which it works, at a falling learning rate.

    python docs/recipes/nuclei_fluorescence/bundle.py runs/nuclei/checkpoint.pt FIRST
    python docs/recipes/nuclei_fluorescence/refine.py --data ../shared/data --work runs/2 --start FIRST

FIRST is a model file. The first stage zooms half of all patches by 0.5 to 2, so that the network knows nuclei of every
size; it fits its own training images no better than others, so what it lacks is time at the size that the object
diameter brings images to.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from nuclei_data import read_bbbc039_validation
from nuclei_training import run
from train import ARCHITECTURE, INTENSITY, load_images

from napari_mouse_seg.plans import AugmentationPlan, TrainingPlan

TRAINING = TrainingPlan(
    steps=3000,
    learning_rate=2e-3,
    average_decay=0.999,
    seed=1,
    augmentation=AugmentationPlan(min_scale=0.5, max_scale=2.0, scale_probability=0.2),
)

if __name__ == "__main__":
    run(__doc__, TRAINING, ARCHITECTURE, INTENSITY, load_images, load_validation=read_bbbc039_validation)
