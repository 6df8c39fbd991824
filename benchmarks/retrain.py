"""What a few painted patches do to the fluorescence model on another kind of image.

    python benchmarks/retrain.py [--patches 8] [--minutes 4] [--paint full|strokes] [--seed 0]

The user is simulated: patches of 256 x 256 px are cut from DSB2018 histology training images and "painted" from their
truth. Scores are of the DSB2018 histology test images, none of which is painted. The base model sees them as grey
images with dark objects.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tifffile
from _data import data_dir
from scipy import ndimage

from napari_mouse_seg import Model, SegmentPlan, find_model, instance_scores, segment
from napari_mouse_seg.images import intensity_range, stretch
from napari_mouse_seg.networks import load_model, save_model
from napari_mouse_seg.plans import BACKGROUND_LABEL, AugmentationPlan, PaintPlan, TrainingPlan
from napari_mouse_seg.training import PatchSampler, TrainingImage, prepare_paint, train

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

PATCH_PX = 256
WARM_STEPS = 3


def histology(split: str) -> list[str]:
    """Return the names of the histology images of a split."""
    with (data_dir() / "dsb2018" / "index.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [row["id"] for row in rows if row["modality"] == "histology" and row["split"] == split]


def read(stem: str) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return the mean over RGB and the truth."""
    folder = data_dir() / "dsb2018"
    pixels = tifffile.imread(folder / "images" / f"{stem}.tif")[..., :3].mean(-1, dtype=np.float32)
    return pixels, tifffile.imread(folder / "labels" / f"{stem}.tif").astype(np.int32)


def strokes(labels: NDArray[np.int32], rng: np.random.Generator, share: float = 0.1) -> NDArray[np.int32]:
    """Paint short lines within objects and in the background until about ``share`` of the pixels are painted."""
    paint = np.zeros(labels.shape, np.int32)
    inside = ndimage.minimum_filter(labels, 3) == ndimage.maximum_filter(labels, 3)  # a hand keeps off the edges
    while (paint > 0).mean() < share:
        # Objects and background get the same number of strokes.
        wanted = (labels > 0) == bool(rng.integers(2))
        rows, columns = np.nonzero(inside & wanted & (paint == 0))
        if len(rows) == 0:
            break
        pick = rng.integers(len(rows))
        y, x, label = rows[pick], columns[pick], labels[rows[pick], columns[pick]]
        angle = rng.uniform(0, np.pi)
        for step in np.arange(-10, 11):
            spot = np.s_[
                max(0, round(y + step * np.sin(angle)) - 1) : max(0, round(y + step * np.sin(angle)) + 2),
                max(0, round(x + step * np.cos(angle)) - 1) : max(0, round(x + step * np.cos(angle)) + 2),
            ]
            brush = (labels[spot] == label) & inside[spot]
            paint[spot][brush] = label + 10 if label else BACKGROUND_LABEL
    return paint


def painted_patches(arguments: argparse.Namespace, base: Model, plan: TrainingPlan) -> Iterator[TrainingImage]:
    """Cut, paint and encode the patches."""
    rng = np.random.default_rng(arguments.seed)
    intensity = base.card.intensity
    for stem in rng.permutation(histology("train"))[: arguments.patches]:
        pixels, labels = read(str(stem))
        stretched = stretch(pixels, intensity_range(pixels, intensity), intensity)[None]
        y, x = (int(rng.integers(size - PATCH_PX + 1)) for size in labels.shape)
        box = np.s_[y : y + PATCH_PX, x : x + PATCH_PX]
        if arguments.paint == "full":
            paint, meaning = np.where(labels[box] > 0, labels[box] + 10, BACKGROUND_LABEL), PaintPlan()
        else:
            paint, meaning = strokes(labels[box], rng), PaintPlan(whole_objects=False)
        yield prepare_paint(stretched[:, *box], paint, meaning, plan, "painted")


def f1_at_half(model: Model) -> float:
    """Return the mean F1 at IoU 0.5 over the test images."""
    scores = []
    with tempfile.TemporaryDirectory() as folder:
        for stem in histology("test"):
            pixels, truth = read(stem)
            path = Path(folder) / f"{stem}.tif"
            tifffile.imwrite(path, pixels)
            found = segment(path, model, SegmentPlan(scale=1.0))
            scores.append(instance_scores(found.labels, truth, thresholds=(0.5,)).f1[0])
    return float(np.mean(scores))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patches", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--paint", choices=("full", "strokes"), default="full")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--batch", type=int, default=4)
    arguments = parser.parse_args()
    bundled = find_model("nuclei-fluorescence")
    card = bundled.card.replace(name="retrained", intensity=bundled.card.intensity.replace(polarity="dark"))
    with tempfile.TemporaryDirectory() as folder:
        save_model(Path(folder) / "base.safetensors", card, bundled.network())
        base = load_model(Path(folder) / "base.safetensors")
        print(f"base: F1 at IoU 0.5 {f1_at_half(base):.3f} on {len(histology('test'))} test images", flush=True)
        plan = TrainingPlan(
            patch_px=PATCH_PX,
            batch_size=arguments.batch,
            steps=10_000,
            learning_rate=arguments.rate,
            warmup_steps=10,
            average_decay=0.98,
            seed=arguments.seed,
            augmentation=AugmentationPlan(min_scale=0.7, max_scale=1.4),
        )
        images = list(painted_patches(arguments, base, plan))
        share = np.mean([(image.maps[4] == 255).mean() for image in images])
        print(f"{len(images)} patches, {share:.0%} of the pixels painted", flush=True)
        # How long a step takes decides how many fit; the schedule then ends in time.
        began = time.perf_counter()
        trial = plan.replace(steps=WARM_STEPS)
        for _ in train(base.network(), PatchSampler(images, trial, card.intensity), trial, Path(folder) / "t.pt"):
            pass
        per_step = (time.perf_counter() - began) / WARM_STEPS
        plan = plan.replace(steps=max(10, int(arguments.minutes * 60 / per_step)))
        network = base.network()
        began = time.perf_counter()
        for event in train(network, PatchSampler(images, plan, card.intensity), plan, Path(folder) / "c.pt"):
            print(f"{event.steps}/{event.total} loss {event.loss:.3f}, {time.perf_counter() - began:.0f} s", flush=True)
        save_model(Path(folder) / "tuned.safetensors", card, network)
        score = f1_at_half(load_model(Path(folder) / "tuned.safetensors"))
        print(f"{arguments.paint}, seed {arguments.seed}: F1 at IoU 0.5 {score:.3f}", flush=True)


if __name__ == "__main__":
    main()
