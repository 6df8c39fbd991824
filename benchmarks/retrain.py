"""What a few painted patches do to the fluorescence model on another kind of image.

    python benchmarks/retrain.py [--data histology|emps] [--patches 8] [--seeds 0] [--paint full strokes]
                                 [--start base scratch] [--minutes 4] [--rehearse] [--forgetting]

The user is simulated: patches of 256 x 256 px are cut from training images and "painted" from their truth, in full or
with strokes over about a tenth of the pixels. Scores are of images none of which is painted: the 11 test images of
DSB2018 histology, or the last 40 of EMPS. The network sees them as grey images; histology with dark objects. Each
combination of the options is one training, a line of the table.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tifffile
import torch
from _classical import classical_labels
from _data import bbbc039_stems, data_dir
from scipy import ndimage

from napari_mouse_seg import Model, SegmentPlan, find_model, instance_scores, segment
from napari_mouse_seg.events import Validated
from napari_mouse_seg.images import intensity_range, stretch
from napari_mouse_seg.networks import build_network, load_model, save_model
from napari_mouse_seg.pipeline import Orders
from napari_mouse_seg.plans import BACKGROUND_LABEL, PaintPlan, RetrainPlan
from napari_mouse_seg.training import FineTuning, PaintedPatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_mouse_seg.networks import ModelCard

BASE = "nuclei-fluorescence"
PATCH_PX = 256
EMPS_TEST = 40
FORGETTING_IMAGES = 10
COLUMNS = ("start", "paint", "patches", "seed", "steps", "F1", "first look (s)", "BBBC039")
Read = tuple["NDArray[np.float32]", "NDArray[np.int32]"]


def stems(data: str, split: str) -> list[str]:
    """Return the names of the training or test images."""
    if data == "emps":
        names = sorted(path.stem for path in (data_dir() / "emps" / "images").glob("*.tif"))
        return names[-EMPS_TEST:] if split == "test" else names[:-EMPS_TEST]
    with (data_dir() / "dsb2018" / "index.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [row["id"] for row in rows if row["modality"] == "histology" and row["split"] == split]


def read(data: str, stem: str) -> Read:
    """Return grey pixels and the truth."""
    folder = data_dir() / ("emps" if data == "emps" else "dsb2018")
    pixels = tifffile.imread(folder / "images" / f"{stem}.tif")
    pixels = pixels[..., :3].mean(-1, dtype=np.float32) if pixels.ndim == 3 else pixels.astype(np.float32)
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


def painted_patches(data: str, count: int, how: str, card: ModelCard, seed: int) -> Iterator[PaintedPatch]:
    """Cut and paint patches, one an image; fields smaller than a patch are taken whole."""
    rng = np.random.default_rng(seed)
    for stem in rng.permutation(stems(data, "train"))[:count]:
        pixels, labels = read(data, str(stem))
        stretched = stretch(pixels, intensity_range(pixels, card.intensity), card.intensity)[None]
        y, x = (int(rng.integers(max(1, size - PATCH_PX + 1))) for size in labels.shape)
        box = np.s_[y : y + PATCH_PX, x : x + PATCH_PX]
        if how == "full":
            paint, meaning = np.where(labels[box] > 0, labels[box] + 10, BACKGROUND_LABEL), PaintPlan()
        else:
            paint, meaning = strokes(labels[box], rng), PaintPlan(whole_objects=False)
        yield PaintedPatch(str(stem), stretched[:, *box], paint, meaning)


def mean_f1(find: Callable[[NDArray[np.float32]], NDArray[np.uint32]], images: list[Read]) -> float:
    """Return the mean F1 at IoU 0.5 over images."""
    scores = [instance_scores(find(pixels), truth, thresholds=(0.5,)).f1[0] for pixels, truth in images]
    return float(np.mean(scores))


def finder(model: Model) -> Callable[[NDArray[np.float32]], NDArray[np.uint32]]:
    """Return the function that segments one image as the command line does."""

    def find(pixels: NDArray[np.float32]) -> NDArray[np.uint32]:
        with tempfile.TemporaryDirectory() as folder:
            tifffile.imwrite(Path(folder) / "image.tif", pixels)
            return segment(Path(folder) / "image.tif", model, SegmentPlan(scale=1.0)).labels

    return find


def bbbc039(count: int) -> list[Read]:
    """Return validation images, on which the base model is at home."""
    folder = data_dir() / "bbbc039"
    names = bbbc039_stems("validation")[:count]
    return [
        (
            tifffile.imread(folder / "images" / f"{name}.tif").astype(np.float32),
            tifffile.imread(folder / "labels" / f"{name}.tif").astype(np.int32),
        )
        for name in names
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=("histology", "emps"), default="histology")
    parser.add_argument("--patches", type=int, nargs="+", default=[8])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--paint", choices=("full", "strokes"), nargs="+", default=["full"])
    parser.add_argument("--start", choices=("base", "scratch"), nargs="+", default=["base"])
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--rate", type=float, default=RetrainPlan().learning_rate)
    parser.add_argument("--batch", type=int, default=RetrainPlan().batch_size)
    parser.add_argument("--rehearse", action="store_true", help="mix in samples of the base model")
    parser.add_argument("--forgetting", action="store_true", help="score the result on BBBC039 too")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    base = find_model(BASE)
    polarity = "dark" if arguments.data == "histology" else "bright"
    card = base.card.replace(name="retrained", intensity=base.card.intensity.replace(polarity=polarity))
    test = [read(arguments.data, stem) for stem in stems(arguments.data, "test")]
    home = bbbc039(FORGETTING_IMAGES)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        print(f"F1 at IoU 0.5 on {len(test)} images of {arguments.data} that are not painted")
        print(f"Otsu and distance watershed: {mean_f1(lambda p: classical_labels(p, polarity), test):.3f}")
        print(f"{BASE} as it is: {score(base.network(), card, test, work):.3f}", flush=True)
        if arguments.forgetting:
            print(f"{BASE} on {len(home)} BBBC039 images: {score(base.network(), base.card, home, work):.3f}")
        print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|")
        runs = itertools.product(arguments.start, arguments.paint, arguments.patches, arguments.seeds)
        for start, paint, count, seed in runs:
            torch.manual_seed(seed)
            network = base.network() if start == "base" else build_network(card.architecture)
            patches = list(painted_patches(arguments.data, count, paint, card, seed))
            plan = RetrainPlan(
                minutes=arguments.minutes, learning_rate=arguments.rate, batch_size=arguments.batch, seed=seed
            )
            rehearse = BASE if arguments.rehearse else ""
            tuning = FineTuning(network, patches, (), plan, card.intensity, card.instances, rehearse)
            began, first = time.perf_counter(), 0.0
            for event in tuning.run(Orders()):
                if isinstance(event, Validated) and not first:
                    first = time.perf_counter() - began
            f1 = score(network, card, test, work)
            kept = f"{score(network, base.card, home, work):.3f}" if arguments.forgetting else ""
            row = (start, paint, len(patches), seed, tuning.best_step, f"{f1:.3f}", f"{first:.0f}", kept)
            print(f"| {' | '.join(map(str, row))} |", flush=True)


def score(network: torch.nn.Module, card: ModelCard, images: list[Read], work: Path) -> float:
    """Write a network as a model file and return its mean F1."""
    path = work / "model.safetensors"
    save_model(path, card, network)
    return mean_f1(finder(load_model(path)), images)


if __name__ == "__main__":
    main()
