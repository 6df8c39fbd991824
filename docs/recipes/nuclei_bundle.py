"""What the recipes share that turn a checkpoint into a model file with its card."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from nuclei_training import averaged

from napari_mouse_seg.networks import (
    build_network,
    has_global_pooling,
    load_model,
    measure_receptive_field,
    save_model,
)

if TYPE_CHECKING:
    from napari_mouse_seg.networks import ModelCard


def run(description: str | None, card: ModelCard) -> None:
    """Parse the command line, measure the network's reach, and write the model with half-precision convolutions."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--scores", type=Path, help="JSON of measured scores, to put on the card")
    arguments = parser.parse_args()
    state = averaged(torch.load(arguments.checkpoint, map_location="cpu", weights_only=True))
    architecture = card.architecture
    network = build_network(architecture)
    network.load_state_dict(state)
    card = card.replace(
        stride_px=2 ** len(architecture.widths),
        receptive_field_px=measure_receptive_field(network, architecture.in_channels, size_px=1024),
        halo_px=16,
        global_pooling=has_global_pooling(network, architecture.in_channels),
        scores=json.loads(arguments.scores.read_text()) if arguments.scores else {},
    )
    save_model(arguments.output, card, network, torch.float16)
    size_mb = arguments.output.stat().st_size / 1e6
    print(f"{arguments.output}: {size_mb:.1f} MB, sha256 {load_model(arguments.output).sha256}")
