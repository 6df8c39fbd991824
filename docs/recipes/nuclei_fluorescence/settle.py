"""Third stage of the fluorescence-nuclei model: images nearly as they are, so that outlines settle.

    python docs/recipes/nuclei_fluorescence/bundle.py runs/refined/checkpoint.pt SECOND
    python docs/recipes/nuclei_fluorescence/settle.py --data ../shared/data --work runs/3 --start SECOND

SECOND is a model file. On BBBC039's validation images this raises the mean F1 over ten thresholds from 0.8777 to
0.8789 (``python benchmarks/accuracy.py --data bbbc039 --model FILE --json scores.json``, with both files).
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
    steps=1500,
    learning_rate=1.5e-3,
    seed=7,
    augmentation=AugmentationPlan(
        min_scale=0.9,
        max_scale=1.1,
        scale_probability=0.1,
        gain_log2=0.3,
        gamma_log2=0.1,
        gradient_log2=0.1,
        max_offset=0.01,
        max_noise=0.01,
        max_blur_px=0,
    ),
)

if __name__ == "__main__":
    run(__doc__, TRAINING, ARCHITECTURE, INTENSITY, load_images, load_validation=read_bbbc039_validation)
