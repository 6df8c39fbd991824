"""Turn a training checkpoint into a model file with its card.

python docs/recipes/nuclei_histology/bundle.py runs/mixed/checkpoint.pt OUTPUT.safetensors
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from nuclei_bundle import run
from train import ARCHITECTURE, INTENSITY

from napari_mouse_seg.networks import ModelCard

CARD = ModelCard(
    name="nuclei-histology",
    summary="Nuclei in stained tissue (haematoxylin and eosin), RGB, dark on bright",
    architecture=ARCHITECTURE,
    intensity=INTENSITY,
    modality="histology",
    object_diameter_px=20,
    training_data=(
        "DSB2018 histology, train split",
        "Half of the second stage: DSB2018 fluorescence, train split, and BBBC039 training, grey and drawn as stained",
        "Starts from nuclei-fluorescence, trained on the same fluorescence images",
    ),
    licence="CC0-1.0",
    sources=(
        "BBBC038 (2018 Data Science Bowl), Caicedo et al. 2019, CC0",
        "BBBC039, Broad Bioimage Benchmark Collection, Caicedo et al. 2019, CC0",
    ),
    known_failures=(
        "Other stains than haematoxylin and eosin: not trained on them.",
        "Nuclei far from 10 to 40 px in diameter: set the scale.",
        "Few training images (96), from few laboratories: check the result on yours.",
    ),
)

if __name__ == "__main__":
    run(__doc__, CARD)
