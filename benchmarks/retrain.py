"""What a few painted patches do to a model: objects of another kind of image, or areas of classes.

    python benchmarks/retrain.py [--task objects|areas] [--data histology|emps|vnc] [--patches 1 2 4 8 16]
        [--seeds 0 1 2] [--paint full strokes across some] [--from-scratch] [--scheme distance|boundary]
        [--minutes 4 | --steps N] [--json FILE]

The user is simulated: patches of 256 x 256 px are cut from training images and "painted" from their truth, in full,
with strokes inside of objects or across them over about a tenth of the pixels, or some objects whole on as many pixels.
Scores are of images none of which is painted: F1 at IoU 0.5, the mean over images, for objects; IoU of each class,
pixels pooled, for areas. The network sees grey images. Each combination of the options is one training, a line of the
table; the last table has means and standard deviations over the seeds.
With ``--json`` each line is kept as it is done, and one that is there already is not measured again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
import torch
from _data import bbbc039_stems, data_dir
from _painting import BASE, DATA, DataSet, Read, painted_patches

from napari_mouse_seg import Model, SegmentPlan, find_model, instance_scores, segment
from napari_mouse_seg.events import Validated
from napari_mouse_seg.metrics import area_scores, pool_areas
from napari_mouse_seg.networks import build_network, load_model, save_model, start_from
from napari_mouse_seg.pipeline import Orders
from napari_mouse_seg.plans import AreaTargets, BoundaryTargets, RetrainPlan
from napari_mouse_seg.training import FineTuning, make_task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_mouse_seg.networks import ModelCard

    Find = Callable[[NDArray[np.float32]], NDArray[np.uint32]]

CLASSICAL = "otsu-watershed"
FORGETTING_IMAGES = 10
Row = dict[str, Any]  # Any: text or a number


class Bench:
    """One data set, its model card, and the images that are scored."""

    def __init__(self, data: DataSet, forgetting: bool, scheme: str = "distance") -> None:
        self.data = data
        self.base = find_model(BASE)
        card = self.base.card
        self.base_card = card.replace(name="retrained", intensity=card.intensity.replace(polarity=data.polarity))
        objects = BoundaryTargets() if scheme == "boundary" else card.targets
        targets = AreaTargets(classes=data.classes) if data.classes else objects
        self.card = self.base_card.replace(
            targets=targets, architecture=card.architecture.replace(outputs=targets.outputs)
        )
        self.test = [data.read(stem) for stem in data.test]
        self.home = bbbc039(FORGETTING_IMAGES) if forgetting else []

    @property
    def baselines(self) -> dict[str, Find]:
        """What needs no paint: the classical way, the commonest class everywhere, the base as it is."""
        classical = self.classical
        if not self.data.classes:
            return {
                CLASSICAL: classical,
                "base as it is": find_with(self.base.network(), self.base_card),
            }
        counts = sum(np.bincount(truth.ravel(), minlength=256) for _, truth in self.test)
        commonest = int(np.argmax(counts[1:])) + 1
        out: dict[str, Find] = {"commonest class": lambda pixels: np.full(pixels.shape, commonest, np.uint32)}
        if len(self.data.classes) == 2:
            out[CLASSICAL] = lambda pixels: (classical(pixels) > 0).astype(np.uint32) + 1
        return out

    @property
    def classical(self) -> Find:
        """Otsu's threshold and a distance watershed, the bundled model without weights."""
        model = find_model(CLASSICAL)
        card = model.card.replace(intensity=model.card.intensity.replace(polarity=self.data.polarity))
        return find_with(model.network(), card)

    @property
    def at_home(self) -> ModelCard:
        """The card of what is trained, for images that the base model is at home with."""
        return self.card.replace(intensity=self.base.card.intensity)

    def baseline(self, name: str) -> Row:
        """Score one of ``baselines``; of images that are resized first, as they are too."""
        row = self.score(self.baselines[name])
        if self.data.read_own_size is not None:
            row["F1 at their own size"] = mean_f1(self.baselines[name], [*map(self.data.read_own_size, self.data.test)])
        if self.home and name.startswith("base"):
            row["BBBC039"] = mean_f1(find_with(self.base.network(), self.base.card), self.home)
        return row

    def train(self, start: str, paint: str, count: int, plan: RetrainPlan) -> Row:
        """Train once and score."""
        torch.manual_seed(plan.seed)
        if start == "base":
            network, fresh = start_from(self.base, self.card)
        else:
            network, fresh = build_network(self.card.architecture), ("all",)
        patches = list(painted_patches(self.data, count, paint, self.card, plan.seed))
        task = make_task(self.card, plan, patches, BASE if plan.rehearse else "")
        tuning = FineTuning(network, task, patches, (), plan, unseen=None if fresh else patches)
        began, first = time.perf_counter(), 0.0
        for event in tuning.run(Orders()):
            if isinstance(event, Validated) and not first:
                first = time.perf_counter() - began
        row = {
            "steps": tuning.best_step,
            "learnt share": round(tuning.learnt_share, 3),
            "first look (s)": round(first),
        } | self.score(find_with(network, self.card))
        return row | ({"BBBC039": mean_f1(find_with(network, self.at_home), self.home)} if self.home else {})

    def score(self, find: Find) -> Row:
        """Score a function that segments one image."""
        if not self.data.classes:
            return {"F1": mean_f1(find, self.test)}
        found = pool_areas(area_scores(find(pixels).astype(np.int32), truth, ignore=0) for pixels, truth in self.test)
        iou = dict(zip(found.labels, found.iou.tolist(), strict=True))
        per_class = {entry.name: iou.get(entry.label, 0.0) for entry in self.data.classes}
        return {"mean IoU": float(np.mean(list(per_class.values())))} | per_class


class Results:
    """Rows by their settings, kept in a file if there is one."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rows: list[tuple[Row, Row]] = []
        if path is not None and path.exists():
            self._rows = [(entry["settings"], entry["result"]) for entry in json.loads(path.read_text())]

    def get(self, settings: Row, measure: Callable[[], Row]) -> Row:
        """Return the result of these settings; measured only if it is not there yet."""
        for known, result in self._rows:
            if known == settings:
                return result
        result = measure()
        self._rows.append((settings, result))
        if self._path is not None:
            entries = [{"settings": known, "result": row} for known, row in self._rows]
            part = self._path.with_name(self._path.name + ".part")
            part.write_text(json.dumps(entries, indent=1))
            part.replace(self._path)
        return result


def find_with(network: torch.nn.Module, card: ModelCard) -> Find:
    """Return the function that segments one image as the command line does, with a network in memory."""
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "model.safetensors"
    save_model(path, card, network)
    model: Model = load_model(path)

    def find(pixels: NDArray[np.float32]) -> NDArray[np.uint32]:
        image = Path(folder.name) / "image.tif"
        tifffile.imwrite(image, pixels)
        return segment(image, model, SegmentPlan(scale=1.0)).labels

    return find


def mean_f1(find: Find, images: Sequence[Read]) -> float:
    """Return the mean F1 at IoU 0.5 over images."""
    scores = [instance_scores(find(pixels), truth, thresholds=(0.5,)).f1[0] for pixels, truth in images]
    return float(np.mean(scores))


def reserve(data: DataSet, count: int) -> DataSet:
    """Move so many images, drawn once for all seeds, from those to paint to those that are scored."""
    kept = {data.train[index] for index in np.random.default_rng(0).permutation(len(data.train))[:count]}
    return replace(
        data,
        train=tuple(stem for stem in data.train if stem not in kept),
        test=(*data.test, *(stem for stem in data.train if stem in kept)),
    )


def bbbc039(count: int) -> list[Read]:
    """Return validation images, on which the base model is at home."""
    folder = data_dir() / "bbbc039"
    return [
        (
            tifffile.imread(folder / "images" / f"{name}.tif").astype(np.float32),
            tifffile.imread(folder / "labels" / f"{name}.tif").astype(np.int32),
        )
        for name in bbbc039_stems("validation")[:count]
    ]


def print_row(cells: Sequence[object]) -> None:
    print(f"| {' | '.join(f'{cell:.3f}' if isinstance(cell, float) else str(cell) for cell in cells)} |", flush=True)


def print_summary(rows: Sequence[tuple[Row, Row]], measures: Sequence[str]) -> None:
    """Print mean ± standard deviation over the seeds."""
    print("\nMean ± standard deviation over seeds")
    print_row(("start", "paint", "patches", "seeds", *measures))
    print_row(("---",) * (4 + len(measures)))

    def group(row: tuple[Row, Row]) -> tuple[str, str, int]:
        return row[0]["start"], row[0]["paint"], row[0]["patches"]

    for settings, members in itertools.groupby(sorted(rows, key=group), group):
        results = [result for _, result in members]
        cells = []
        for name in measures:
            values = [result[name] for result in results]
            spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.3f}{spread}")
        print_row((*settings, len(results), *cells))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=tuple(DATA), default="objects")
    parser.add_argument("--data", choices=("histology", "emps", "vnc"), help="default: the first of the task")
    parser.add_argument("--patches", type=int, nargs="+", default=[8])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--paint", choices=("full", "strokes", "across", "some"), nargs="+", default=["full"])
    parser.add_argument("--start", choices=("base", "scratch"), nargs="+", default=["base"])
    parser.add_argument("--from-scratch", action="store_true", help="both starts: the base and random weights")
    parser.add_argument("--scheme", choices=("distance", "boundary"), default="distance", help="how objects are learnt")
    parser.add_argument("--minutes", type=float, default=RetrainPlan().minutes)
    parser.add_argument("--steps", type=int, help="in place of minutes")
    parser.add_argument("--rate", type=float, default=RetrainPlan().learning_rate)
    parser.add_argument("--share", type=float, help="of what is learnt in the weights; default: as the paint says")
    parser.add_argument("--batch", type=int, default=RetrainPlan().batch_size)
    parser.add_argument("--rehearse", action="store_true", help="mix in samples of the base model; objects only")
    parser.add_argument("--forgetting", action="store_true", help="score the result on BBBC039 too; objects only")
    parser.add_argument("--test-images", type=int, help="score only so many, to try things out")
    parser.add_argument(
        "--reserve", type=int, default=0, metavar="N", help="score N of the training images too, and never paint them"
    )
    parser.add_argument("--json", type=Path, help="keep results here, and leave out what is there already")
    arguments = parser.parse_args()
    arguments.data = arguments.data or next(iter(DATA[arguments.task]))
    if arguments.data not in DATA[arguments.task]:
        parser.error(f"{arguments.task} are measured on {' or '.join(DATA[arguments.task])}, not on {arguments.data}")
    if arguments.task == "areas" and {"some", "across"} & set(arguments.paint):
        parser.error("areas have no single objects to paint; leave out --paint some and across")
    if arguments.task == "areas" and (arguments.rehearse or arguments.forgetting):
        parser.error("areas share nothing with the base model's objects; leave out --rehearse and --forgetting")
    if arguments.task == "areas" and arguments.scheme != "distance":
        parser.error("areas have no touching boundary; leave out --scheme")
    return arguments


def plan_of(arguments: argparse.Namespace, seed: int) -> RetrainPlan:
    return RetrainPlan(
        minutes=arguments.minutes,
        steps=arguments.steps,
        learning_rate=arguments.rate,
        learnt_share=arguments.share,
        batch_size=arguments.batch,
        rehearse=arguments.rehearse,
        scheme="boundary" if arguments.scheme == "boundary" else "base",
        seed=seed,
    )


def main() -> None:
    arguments = parse()
    torch.set_num_threads(2)
    data = DATA[arguments.task][arguments.data]()
    data = reserve(replace(data, test=data.test[: arguments.test_images]), arguments.reserve)
    bench, results = Bench(data, arguments.forgetting, arguments.scheme), Results(arguments.json)
    common = {"task": arguments.task, "data": arguments.data, "test": len(data.test), "home": len(bench.home)}
    print(f"{arguments.task} of {arguments.data}, scored on {len(data.test)} images that are not painted")
    for name in bench.baselines:
        row = results.get(common | {"start": name}, partial(bench.baseline, name))
        print(f"{name}: {', '.join(f'{key} {value:.3f}' for key, value in row.items())}", flush=True)
    starts = ["base", "scratch"] if arguments.from_scratch else arguments.start
    rows: list[tuple[Row, Row]] = []
    for start, paint, count, seed in itertools.product(starts, arguments.paint, arguments.patches, arguments.seeds):
        plan = plan_of(arguments, seed)
        settings = common | {"start": start, "paint": paint, "patches": count, "plan": plan.model_dump(mode="json")}
        row = results.get(settings, partial(bench.train, start, paint, count, plan))
        if not rows:
            print_row(("start", "paint", "patches", "seed", *row))
            print_row(("---",) * (4 + len(row)))
        rows.append((settings, row))
        print_row((start, paint, count, seed, *row.values()))
    print_summary(rows, [name for name in rows[0][1] if name not in ("steps", "learnt share", "first look (s)")])


if __name__ == "__main__":
    main()
