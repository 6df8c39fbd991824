r"""Last stage of the fluorescence-nuclei model: it learns what two models say on average over flips.

    python docs/recipes/nuclei_fluorescence/bundle.py runs/3/checkpoint.pt THIRD
    python docs/recipes/nuclei_fluorescence/distil.py --data ../shared/data --work runs/4 \
        --start SECOND THIRD --teachers SECOND THIRD

SECOND and THIRD are the model files of the stages before. Averaging over flips makes both better and takes eight times
as long; a network that learns the mean gives a part of that at no cost. Targets lie halfway between labels and what
the teachers say.
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
    steps=2500,
    learning_rate=1.5e-3,
    seed=13,
    augmentation=AugmentationPlan(
        min_scale=0.8,
        max_scale=1.25,
        scale_probability=0.2,
        gain_log2=0.5,
        gamma_log2=0.25,
        gradient_log2=0.25,
        max_offset=0.02,
        max_noise=0.02,
        max_blur_px=0.6,
    ),
)

if __name__ == "__main__":
    run(__doc__, TRAINING, ARCHITECTURE, INTENSITY, load_images, load_validation=read_bbbc039_validation)
