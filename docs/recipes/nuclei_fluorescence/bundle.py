"""Turn a training checkpoint into a model file with its card.

python docs/recipes/nuclei_fluorescence/bundle.py runs/nuclei/checkpoint.pt OUTPUT.safetensors
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from train import ARCHITECTURE, INTENSITY

from napari_mouse_seg.networks import (
    ModelCard,
    build_network,
    has_global_pooling,
    load_model,
    measure_receptive_field,
    save_model,
)
from napari_mouse_seg.plans import InstancesPlan

INSTANCES = InstancesPlan()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--scores", type=Path, help="JSON of measured scores, to put on the card")
    arguments = parser.parse_args()
    saved = torch.load(arguments.checkpoint, map_location="cpu", weights_only=True)
    # AveragedModel keeps the averaged network under this prefix.
    state = {key.removeprefix("module."): value for key, value in saved["average"].items() if key != "n_averaged"}
    network = build_network(ARCHITECTURE)
    network.load_state_dict(state)
    card = ModelCard(
        name="nuclei-fluorescence",
        summary="Nuclei, bright on dark, in one fluorescence channel (DAPI, Hoechst)",
        architecture=ARCHITECTURE,
        intensity=INTENSITY,
        instances=INSTANCES,
        modality="fluorescence",
        pixel_size_um=0.65,
        object_diameter_px=28,
        stride_px=2 ** len(ARCHITECTURE.widths),
        receptive_field_px=measure_receptive_field(network, ARCHITECTURE.in_channels, size_px=1024),
        halo_px=16,
        global_pooling=has_global_pooling(network),
        training_data=(
            "BBBC039 training (no image whose twin is held out)",
            "DSB2018 fluorescence, train split (no twin of a BBBC039 validation image)",
        ),
        licence="CC0-1.0",
        sources=(
            "BBBC039, Broad Bioimage Benchmark Collection, Caicedo et al. 2019, CC0",
            "BBBC038 (2018 Data Science Bowl), Caicedo et al. 2019, CC0",
        ),
        scores=json.loads(arguments.scores.read_text()) if arguments.scores else {},
        known_failures=(
            "Stained histology and phase contrast: not trained on them.",
            "Nuclei far from 10 to 60 px in diameter: set the scale.",
        ),
    )
    save_model(arguments.output, card, network, torch.float16)
    size_mb = arguments.output.stat().st_size / 1e6
    print(f"{arguments.output}: {size_mb:.1f} MB, sha256 {load_model(arguments.output).sha256}")


if __name__ == "__main__":
    main()
