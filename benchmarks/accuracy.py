"""How good the bundled models are, the classical way among them: every data set, every score, as a table.

    python benchmarks/accuracy.py [--model NAME|FILE ...] [--data NAME ...] [--resize 0.5] [--measure-objects] [--flips]
                                  [--json FILE] [--markdown FILE]

Data: ``bbbc039`` (its 50 validation images), ``fluorescence`` and ``histology`` (DSB2018's test split). None of these
images was trained on. Every image goes through the same ``segment`` as in the panel and on the command line, with every
bundled model if none is named; ``otsu-watershed`` is the classical way. F1 is the mean over images, AP is pooled over
the objects of all images.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from _data import bbbc039_stems, data_dir
from scipy import ndimage

from napari_mouse_seg import SegmentPlan, find_model, instance_scores, list_models, open_image, segment
from napari_mouse_seg.events import Finished
from napari_mouse_seg.metrics import summarise
from napari_mouse_seg.pipeline import measure_diameter, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_mouse_seg import Model
    from napari_mouse_seg.metrics import InstanceScores

DATA = ("bbbc039", "fluorescence", "histology")
DEBRIS_PX = 25
COLUMNS = {
    "F1@50": ("per_image", "f1_50"),
    "F1 nine": ("per_image", "f1_iou_nine"),
    "F1 ten": ("per_image", "f1_iou_ten"),
    "AP@50": ("pooled", "average_precision_50"),
    "AP@75": ("pooled", "average_precision_75"),
    "PQ": ("per_image", "panoptic_quality"),
    "AJI": ("per_image", "aji"),
    "splits": ("pooled", "splits"),
    "merges": ("pooled", "merges"),
    "misses": ("pooled", "misses"),
    "extras": ("pooled", "extras"),
}


@dataclass(frozen=True)
class Sample:
    """One annotated image, grey (Y, X) or RGB (Y, X, 3); objects are bright or dark."""

    pixels: NDArray[Any]
    labels: NDArray[np.int32]
    polarity: str


def samples(data: str, resize: float) -> Iterator[Sample]:
    """Yield the images of a data set."""
    if data == "bbbc039":
        folder, names, polarity = data_dir() / "bbbc039", bbbc039_stems("validation"), "bright"
    else:
        folder, polarity = data_dir() / "dsb2018", "dark" if data == "histology" else "bright"
        with (folder / "index.csv").open() as file:
            rows = list(csv.DictReader(file))
        names = [row["id"] for row in rows if row["modality"] == data and row["split"] == "test"]
    for name in names:
        pixels = tifffile.imread(folder / "images" / f"{name}.tif")
        pixels = pixels[..., :3] if pixels.ndim == 3 else pixels
        labels = tifffile.imread(folder / "labels" / f"{name}.tif").astype(np.int32)
        if resize != 1:
            factors = (resize, resize, 1)[: pixels.ndim]
            pixels, labels = ndimage.zoom(pixels, factors, order=1), ndimage.zoom(labels, resize, order=0)
        yield Sample(pixels, labels, polarity)


@dataclass
class Times:
    """What a model has cost so far."""

    pixels: int = 0
    seconds: float = 0.0
    instance_seconds: float = 0.0


def find(sample: Sample, model: Model, measure: bool, flips: bool, times: Times) -> NDArray[np.uint32]:
    """Segment one image."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.tif"
        tifffile.imwrite(path, sample.pixels, photometric="rgb" if sample.pixels.ndim == 3 else "minisblack")
        plan = SegmentPlan(polarity=sample.polarity, scale=None if measure else 1.0, flips=flips)
        if measure:
            plan = plan.replace(object_diameter_px=diameter(path, model, plan))
        found = segment(path, model, plan)
    times.instance_seconds += found.result.timings["instances"]
    times.pixels += sample.labels.size
    times.seconds += time.perf_counter() - began
    return found.labels


def diameter(path: Path, model: Model, plan: SegmentPlan) -> float | None:
    """Measure the objects of an image; None where that fails."""
    try:
        events = list(measure_diameter(resolve(open_image(path), model, plan)))
    except ValueError:
        return None
    return next(event.result for event in events if isinstance(event, Finished))


def row(name: str, scores: list[InstanceScores], times: Times) -> list[str]:
    """Return one line of the table."""
    summary = summarise(scores)
    values = [getattr(summary, kind)[score] for kind, score in COLUMNS.values()]
    texts = [
        f"{value:.3f}" if column not in ("splits", "merges", "misses", "extras") else f"{value:.0f}"
        for column, value in zip(COLUMNS, values, strict=True)
    ]
    speed = times.pixels / 1e6 / max(times.seconds, 1e-9)
    return [name, *texts, f"{speed:.1f}", f"{times.instance_seconds:.1f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs="+", default=[model.card.name for model in list_models()])
    parser.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--resize", type=float, default=1.0, help="scale images and truth first")
    parser.add_argument("--measure-objects", action="store_true", help="choose the scale by the measured objects")
    parser.add_argument("--flips", action="store_true", help="average over flips")
    parser.add_argument("--json", type=Path, help="scores of the first model, for its card")
    parser.add_argument("--markdown", type=Path, help="write the table there too")
    arguments = parser.parse_args()
    models = {name: find_model(name) for name in arguments.model}
    lines = [
        "| " + " | ".join(["data, model", *COLUMNS, "Mpx/s", "objects (s)"]) + " |",
        "|---" * (len(COLUMNS) + 3) + "|",
    ]
    print("\n".join(lines), flush=True)
    card: dict[str, dict[str, object]] = {}
    for data in arguments.data:
        images = list(samples(data, arguments.resize))
        for name, model in models.items():
            times = Times()
            labels = [find(sample, model, arguments.measure_objects, arguments.flips, times) for sample in images]
            for smallest in (0, DEBRIS_PX) if data == "bbbc039" else (0,):
                pairs = zip(labels, images, strict=True)
                scores = [instance_scores(found, sample.labels, min_area_px=smallest) for found, sample in pairs]
                what = f"{data}{f', from {smallest} px' if smallest else ''}, {model.card.name}"
                lines.append("| " + " | ".join(row(what, scores, times)) + " |")
                print(lines[-1], flush=True)
                if name == arguments.model[0]:
                    summary = summarise(scores)
                    key = f"{data}{f', objects from {smallest} px' if smallest else ''}"
                    card[key] = {
                        column: round(getattr(summary, kind)[score], 4) for column, (kind, score) in COLUMNS.items()
                    }
    if arguments.json:
        arguments.json.write_text(json.dumps(card, indent=1))
    if arguments.markdown:
        arguments.markdown.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
