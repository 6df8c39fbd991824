"""Write the model file of the classical baseline: Otsu's threshold and a watershed of the distances.

    python docs/recipes/otsu_watershed/bundle.py OUTPUT.safetensors

Nothing is trained. Compression and split depth were chosen on training images of BBBC039 and DSB2018.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from napari_mouse_seg.networks import ClassicalPlan, ModelCard, build_network, load_model, save_model
from napari_mouse_seg.plans import InstancesPlan, IntensityPlan

ARCHITECTURE = ClassicalPlan()
INTENSITY = IntensityPlan(anchor="otsu", asinh_gain=3.0)
# Of the farthest distance: a neck must be 0.7 px narrower than the smaller of the two bodies.
INSTANCES = InstancesPlan(split_depth=0.03, max_hole_px=500)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--scores", type=Path, help="JSON of measured scores, to put on the card")
    arguments = parser.parse_args()
    network = build_network(ARCHITECTURE)
    card = ModelCard(
        name="otsu-watershed",
        summary="Bright objects by threshold and shape, nothing learnt: a baseline to compare with",
        architecture=ARCHITECTURE,
        intensity=INTENSITY,
        instances=INSTANCES,
        modality="any",
        stride_px=1,
        receptive_field_px=network.reach_px,
        halo_px=network.reach_px,
        training_data=(
            "None: only compression and split depth were chosen, on training images of BBBC039 and DSB2018",
        ),
        licence="CC0-1.0",
        sources=("Otsu 1979 (threshold); Meyer 1991 (watershed)",),
        scores=json.loads(arguments.scores.read_text()) if arguments.scores else {},
        known_failures=(
            "Cannot be trained: there is nothing to learn in it.",
            "Dim objects beside bright ones, uneven light, textured background: one threshold serves the whole image.",
            "Objects that are not round, or larger than 48 px across, fall apart or stay together.",
            "Dark objects (stained histology): say that objects are dark.",
        ),
    )
    save_model(arguments.output, card, network)
    print(f"{arguments.output}: {arguments.output.stat().st_size} bytes, sha256 {load_model(arguments.output).sha256}")


if __name__ == "__main__":
    main()
