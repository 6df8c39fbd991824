"""What a user has to paint who corrects what the model finds, against painting everything: objects and pixels.

    python benchmarks/correcting.py [--data histology|emps] [--patches 4] [--rounds 2] [--seeds 0 1 2]
        [--minutes 4 | --steps N]

The user is simulated as in ``retrain.py``. In each round new patches of 256 x 256 px are prefilled with the newest
model (the base in round 1), put right to the truth, and the base is trained on all patches so far. An object is left as
it is if it overlaps its true one with an IoU of 0.8 or more; otherwise it is painted over where it differs, added or
erased.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from _painting import BASE, DATA, Cut, cuts, paint
from retrain import Bench, find_with, print_row

from napari_mouse_seg.metrics import match_instances
from napari_mouse_seg.networks import start_from
from napari_mouse_seg.pipeline import Orders
from napari_mouse_seg.plans import RetrainPlan
from napari_mouse_seg.training import FineTuning, PaintedPatch, make_task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from retrain import Find

LEFT_ALONE_IOU = 0.8
SAME_IOU = 0.5


@dataclass
class Work:
    """What was painted: objects touched and pixels changed."""

    objects: int = 0
    pixels: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(self.objects + other.objects, self.pixels + other.pixels)


def from_scratch(truth: NDArray[np.int32]) -> Work:
    """Count what has to be painted in an empty patch; the background is one click."""
    return Work(len(np.unique(truth[truth > 0])), int((truth > 0).sum()))


def corrections(found: NDArray[np.int32], truth: NDArray[np.int32]) -> Work:
    """Count what has to be changed in a prefilled patch: objects missed, to be erased, or to be reshaped."""
    matches = match_instances(found, truth)
    pairs = matches.assign(SAME_IOU)
    intersection, iou = matches.intersection[pairs], matches.iou[pairs]
    mine, true = (
        matches.predicted_areas[matches.predicted_index[pairs]],
        matches.truth_areas[matches.truth_index[pairs]],
    )
    reshaped = iou < LEFT_ALONE_IOU
    changed = (mine + true - 2 * intersection)[reshaped].sum()
    missed = matches.truth_areas.sum() - true.sum()
    extra = matches.predicted_areas.sum() - mine.sum()
    touched = reshaped.sum() + len(matches.truth_areas) + len(matches.predicted_areas) - 2 * len(pairs)
    return Work(int(touched), int(changed + missed + extra))


class Rounds:
    """Prefill, correct, train; again and again.

    Parameters
    ----------
    bench
        Data and base.
    plan
        Of each training.
    """

    def __init__(self, bench: Bench, plan: RetrainPlan) -> None:
        self._bench = bench
        self._plan = plan
        self._patches: list[PaintedPatch] = []
        self._find: Find = find_with(bench.base.network(), bench.card)
        self._rng = np.random.default_rng(plan.seed)

    def run(self, rounds: int, patches: int) -> Iterator[tuple[Work, Work, float]]:
        """Yield for each round the work from scratch, the work of correcting, and the F1 at IoU 0.5 afterwards."""
        drawn = cuts(self._bench.data, rounds * patches, self._rng)
        for _ in range(rounds):
            whole, corrected = Work(), Work()
            for _ in range(patches):
                cut = next(drawn)
                truth = cut.labels[cut.box]
                whole += from_scratch(truth)
                corrected += corrections(self._prefill(cut), truth)
                self._patches.append(paint(cut, self._bench.data, "full", self._bench.card, self._rng))
            self._train()
            yield whole, corrected, float(self._bench.score(self._find)["F1"])

    def _prefill(self, cut: Cut) -> NDArray[np.int32]:
        return self._find(cut.pixels)[cut.box].astype(np.int32)

    def _train(self) -> None:
        torch.manual_seed(self._plan.seed)
        card = self._bench.card
        network, fresh = start_from(self._bench.base, card)
        task = make_task(card, self._plan, self._patches, BASE if self._plan.rehearse else "")
        tuning = FineTuning(network, task, self._patches, (), self._plan, unseen=None if fresh else self._patches)
        for _ in tuning.run(Orders()):
            pass
        self._find = find_with(network, card)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=tuple(DATA["objects"]), default="histology")
    parser.add_argument("--patches", type=int, default=4, help="new ones a round")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--minutes", type=float, default=RetrainPlan().minutes)
    parser.add_argument("--steps", type=int, help="in place of minutes")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    bench = Bench(DATA["objects"][arguments.data](), forgetting=False)
    print(f"{arguments.data}, {arguments.patches} new patches a round")
    print_row(("seed", "round", "objects", "touched", "pixels of objects", "changed", "share", "F1 after"))
    print_row(("---",) * 8)
    for seed in arguments.seeds:
        plan = RetrainPlan(minutes=arguments.minutes, steps=arguments.steps, seed=seed)
        steps = Rounds(bench, plan).run(arguments.rounds, arguments.patches)
        for number, (whole, mine, f1) in enumerate(steps, start=1):
            share = mine.pixels / max(1, whole.pixels)
            print_row((seed, number, whole.objects, mine.objects, whole.pixels, mine.pixels, share, f1))


if __name__ == "__main__":
    main()
