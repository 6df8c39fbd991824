"""A single image: one half of it is painted, the other half is scored, with more and less of what the paint teaches.

    python benchmarks/one_image.py [--data histology|emps] [--images 8] [--seed 0] [--minutes 4 | --steps N]
        [--paint full|strokes] [--test-images N]

As in `retrain.py`, but the question is that of a person with one kind of image. After each training the network is
scored with the share of the weights that the paint itself asks for, and with fixed shares: 0 is the base, 1 what the
patch made of it. *Same* is the other half of the painted image, *others* are the images of ``retrain.py``; both F1 at
IoU 0.5.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np
import torch
from _painting import DATA, Cut, Read, paint
from retrain import Bench, find_with, mean_f1, print_row

from napari_mouse_seg.networks import start_from
from napari_mouse_seg.pipeline import Orders
from napari_mouse_seg.plans import RetrainPlan
from napari_mouse_seg.training import Blend, FineTuning, make_task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
LEAST_SIDES = (100, 200)
LEAST_OBJECTS = 12
AS_THE_PAINT_SAYS = "as the paint says"


def halves(labels: NDArray[np.int32]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return the boxes of both halves along the longer side."""
    rows, columns = labels.shape
    if columns >= rows:
        return np.s_[:, : columns // 2], np.s_[:, columns // 2 :]
    return np.s_[: rows // 2, :], np.s_[rows // 2 :, :]


def chosen(bench: Bench, count: int, rng: np.random.Generator) -> Iterator[tuple[str, Read]]:
    """Draw images that are large enough for two halves and hold some objects."""
    for stem in rng.permutation(bench.data.train).tolist():
        if count == 0:
            return
        pixels, labels = bench.data.read(stem)
        large = all(np.array(sorted(labels.shape)) >= LEAST_SIDES)
        if large and len(np.unique(labels)) > LEAST_OBJECTS:
            count -= 1
            yield stem, (pixels, labels)


def measure(
    bench: Bench, cut: Cut, rest: Read, plan: RetrainPlan, how: str, rng: np.random.Generator
) -> tuple[float, dict[str, tuple[float, float]]]:
    """Train on one patch; return the share that the paint asks for, and F1 (same, others) by share."""
    torch.manual_seed(plan.seed)
    network, _ = start_from(bench.base, bench.card)
    blend = Blend(network)
    patches = [paint(cut, bench.data, how, bench.card, rng)]
    task = make_task(bench.card, plan, patches)
    asked = task.learnt_share(blend.before, patches, patches)
    for _ in FineTuning(network, task, patches, (), plan).run(Orders()):
        pass
    shares = {AS_THE_PAINT_SAYS: asked} | {f"{share:g}": share for share in SHARES}
    scores = {}
    for name, share in shares.items():
        find = find_with(blend.mix(network, share), bench.card)
        scores[name] = mean_f1(find, [rest]), mean_f1(find, bench.test)
    return asked, scores


def print_scores(scores: Sequence[dict[str, tuple[float, float]]]) -> None:
    """Print the means over the images."""
    print()
    print_row(("share", "same", "others"))
    print_row(("---",) * 3)
    for name in scores[0]:
        print_row((name, *np.mean([each[name] for each in scores], 0).tolist()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=tuple(DATA["objects"]), default="histology")
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--paint", choices=("full", "strokes"), default="full")
    parser.add_argument("--minutes", type=float, default=RetrainPlan().minutes)
    parser.add_argument("--steps", type=int, help="in place of minutes")
    parser.add_argument("--test-images", type=int, help="score only so many others")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    bench = Bench(DATA["objects"][arguments.data](), forgetting=False)
    bench.test = bench.test[: arguments.test_images]
    plan = RetrainPlan(minutes=arguments.minutes, steps=arguments.steps, seed=arguments.seed)
    rng = np.random.default_rng(arguments.seed)
    print(f"{arguments.data}, one half of each image is painted; {len(bench.test)} others")
    print_row(("image", "objects", "share asked for", *(f"same, others at {share:g}" for share in SHARES)))
    print_row(("---",) * (3 + len(SHARES)))
    scores = []
    for stem, (pixels, labels) in chosen(bench, arguments.images, rng):
        painted, other = halves(labels)
        rest = pixels[other], labels[other]
        asked, found = measure(bench, Cut(stem, pixels, labels, painted), rest, plan, arguments.paint, rng)
        scores.append(found)
        n_objects = len(np.unique(labels[painted])) - 1
        cells = (", ".join(f"{value:.3f}" for value in found[f"{share:g}"]) for share in SHARES)
        print_row((stem[:8], n_objects, asked, *cells))
    print_scores(scores)


if __name__ == "__main__":
    main()
