"""Turn a training checkpoint into a model file with its card.

python docs/recipes/nuclei_fluorescence/bundle.py runs/refined/checkpoint.pt OUTPUT.safetensors
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from nuclei_bundle import run
from train import ARCHITECTURE, INTENSITY

from napari_mouse_seg.networks import ModelCard
from napari_mouse_seg.plans import InstancesPlan

CARD = ModelCard(
    name="nuclei-fluorescence",
    summary="Nuclei, bright on dark, in one fluorescence channel (DAPI, Hoechst)",
    architecture=ARCHITECTURE,
    intensity=INTENSITY,
    # Chosen on training images.
    instances=InstancesPlan(foreground_threshold=0.55, split_depth=0.4, min_area_px=25, min_certainty=0.8),
    modality="fluorescence",
    pixel_size_um=0.65,
    object_diameter_px=28,
    training_data=(
        "BBBC039 training (no image whose twin is held out)",
        "DSB2018 fluorescence, train split (no twin of a BBBC039 validation image)",
    ),
    licence="CC0-1.0",
    sources=(
        "BBBC039, Broad Bioimage Benchmark Collection, Caicedo et al. 2019, CC0",
        "BBBC038 (2018 Data Science Bowl), Caicedo et al. 2019, CC0",
    ),
    known_failures=(
        "Stained histology and phase contrast: not trained on them.",
        "Nuclei far from 10 to 60 px in diameter: set the scale.",
    ),
)

if __name__ == "__main__":
    run(__doc__, CARD)
