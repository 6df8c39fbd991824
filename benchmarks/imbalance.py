"""What the remedies for the rare touching class are worth: the same training with and without each of them.

    python benchmarks/imbalance.py [--scheme boundary distance] [--variants plain weight near dice tversky focal all]
                                   [--steps 1500] [--images N] [--device cpu] [--work DIR] [--markdown FILE]

A compact network is trained from scratch on BBBC039's training images (those of the recipe: no twin of a held-out
image) with the same seed and patches, and measured on BBBC039's 50 validation images: the touching class's own IoU
(pixels of all images pooled), split and merge errors, and F1 (mean over images).
``plain`` is cross-entropy alone, ``weight`` counts touching pixels four times, ``near`` counts pixels the more the
nearer they are to two objects (up to eleven times), ``dice`` and ``tversky`` add the overlap of the class, ``focal``
lets pixels that are right count less, ``all`` is the default: weight and Dice.
Give ``--work`` to go on after an interruption.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tifffile
import torch
from _data import bbbc039_stems, data_dir
from torch.utils.data import DataLoader, Subset

from napari_mouse_seg import instance_scores
from napari_mouse_seg.images import intensity_range, normalise, stretch
from napari_mouse_seg.instances import decode_scores, encode
from napari_mouse_seg.metrics import summarise
from napari_mouse_seg.networks import CompactPlan, build_network
from napari_mouse_seg.plans import BoundaryTargets, DistanceTargets, InstancesPlan, TrainingPlan
from napari_mouse_seg.tiling import SCORE_ONE
from napari_mouse_seg.training import (
    PatchSampler,
    Trainer,
    boundary_loss,
    instance_loss,
    learning_rate_factor,
    predict_scores,
    prepare_image,
)

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "docs" / "recipes"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "docs" / "recipes" / "nuclei_fluorescence"))
from nuclei_data import fluorescence_files, read_grey
from train import INTENSITY, TRAINING

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    from napari_mouse_seg.metrics import InstanceScores
    from napari_mouse_seg.training import TrainingImage

SCHEMES = {"boundary": BoundaryTargets(), "distance": DistanceTargets()}
LOSSES = {"boundary": boundary_loss, "distance": instance_loss}
PLAIN = TRAINING.replace(boundary_weight=1.0, boundary_overlap="none")
VARIANTS = {
    "plain": PLAIN,
    "weight": PLAIN.replace(boundary_weight=4.0),
    "near": PLAIN.replace(near_weight=10.0),
    "dice": PLAIN.replace(boundary_overlap="dice"),
    "tversky": PLAIN.replace(boundary_overlap="tversky"),
    "focal": PLAIN.replace(boundary_focus=2.0),
    "all": TRAINING,
}
COLUMNS = ("touching IoU", "splits", "merges", "F1@50", "F1 ten", "minutes")
TOUCHING = {"boundary": 2, "distance": 1}
"""Position of the touching class among the outputs."""


@dataclass
class Outcome:
    """What one trained network does on the validation images."""

    overlap: int = 0
    union: int = 0
    scores: list[InstanceScores] = field(default_factory=list)

    def cells(self, minutes: float) -> list[str]:
        """Return the figures of one line of the table."""
        summary = summarise(self.scores)
        return [
            f"{self.overlap / max(1, self.union):.3f}",
            f"{summary.pooled['splits']:.0f}",
            f"{summary.pooled['merges']:.0f}",
            f"{summary.per_image['f1_50']:.3f}",
            f"{summary.per_image['f1_iou_ten']:.3f}",
            f"{minutes:.1f}",
        ]


def load(scheme: str, plan: TrainingPlan, most: int | None) -> list[TrainingImage]:
    """Read and encode the training images of BBBC039."""
    images = []
    entries = [entry for entry in fluorescence_files(data_dir()) if entry[0] == "bbbc039"]
    for _, image_path, labels_path in entries[:most]:
        grey = read_grey(image_path)
        stretched = stretch(grey, intensity_range(grey, INTENSITY), INTENSITY)[None]
        labels = tifffile.imread(labels_path).astype(np.int32)
        images.append(prepare_image(stretched, labels, plan, "bbbc039", SCHEMES[scheme]))
    return images


def train_network(
    scheme: str, plan: TrainingPlan, images: list[TrainingImage], checkpoint: Path, device: str
) -> nn.Module:
    """Train one network, or go on with it."""
    torch.manual_seed(plan.seed)
    network = build_network(CompactPlan(outputs=SCHEMES[scheme].outputs))
    trainer = Trainer(network, plan, partial(LOSSES[scheme], plan=plan), device)
    if checkpoint.exists():
        trainer.restore(checkpoint)
    sampler = PatchSampler(images, plan, INTENSITY)
    rest = Subset(sampler, range(trainer.steps * plan.batch_size, plan.steps * plan.batch_size))
    for pixels, maps in DataLoader(rest, batch_size=plan.batch_size, num_workers=1):
        loss = trainer.step(pixels, maps, learning_rate_factor(trainer.steps, plan))
        if trainer.steps % 100 == 0 or trainer.steps == plan.steps:
            trainer.save(checkpoint)
            print(f"{checkpoint.stem}: {trainer.steps}/{plan.steps} loss {loss:.4f}", file=sys.stderr, flush=True)
    trainer.finish()
    return network


def measure(scheme: str, network: nn.Module, most: int | None) -> Outcome:
    """Run a network over the validation images."""
    targets, channel = SCHEMES[scheme], TOUCHING[scheme]
    outcome = Outcome()
    for stem in bbbc039_stems("validation")[:most]:
        grey = read_grey(data_dir() / "bbbc039" / "images" / f"{stem}.tif")
        labels = tifffile.imread(data_dir() / "bbbc039" / "labels" / f"{stem}.tif").astype(np.int32)
        pixels = normalise(grey, intensity_range(grey, INTENSITY), INTENSITY)[None]
        scores = predict_scores(network, pixels, targets.activation)
        found, true = touching(scheme, scores), encode(labels, targets)[channel] == 1
        outcome.overlap += int((found & true).sum())
        outcome.union += int((found | true).sum())
        objects = decode_scores(scores, targets, InstancesPlan()).labels
        outcome.scores.append(instance_scores(objects, labels))
    return outcome


def touching(scheme: str, scores: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Return the pixels that a network takes for touching boundary."""
    channel = TOUCHING[scheme]
    return scores.argmax(0) == channel if scheme == "boundary" else scores[channel] > SCORE_ONE // 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scheme", nargs="+", choices=SCHEMES, default=list(SCHEMES))
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--images", type=int, help="take no more images than this, to try it out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--work", type=Path, help="folder of checkpoints; default: a temporary one")
    parser.add_argument("--markdown", type=Path, help="write the table there too")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    lines = ["| scheme, variant | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        for scheme in arguments.scheme:
            for variant in arguments.variants:
                plan = VARIANTS[variant].replace(steps=arguments.steps, seed=arguments.seed)
                images = load(scheme, plan, arguments.images)
                name = f"{scheme}-{variant}-{arguments.steps}-{arguments.seed}"
                began = time.monotonic()
                network = train_network(scheme, plan, images, work / f"{name}.pt", arguments.device)
                minutes = (time.monotonic() - began) / 60
                cells = measure(scheme, network, arguments.images).cells(minutes)
                lines.append(f"| {scheme}, {variant} | " + " | ".join(cells) + " |")
                print(lines[-1], flush=True)
                if arguments.markdown:
                    arguments.markdown.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
