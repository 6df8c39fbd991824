"""``mouse-seg evaluate``: predicted labels against true ones, matched by stem."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mouse_seg.cli._inputs import find_labels
from napari_mouse_seg.errors import ImageNotFoundError, MouseSegError

if TYPE_CHECKING:
    import argparse

    from napari_mouse_seg.cli._console import Console
    from napari_mouse_seg.metrics import InstanceScores, Summary

_COLUMNS = {
    "precision_50": "P@50",
    "recall_50": "R@50",
    "f1_50": "F1@50",
    "f1_iou_nine": "F1 iou_nine",
    "f1_iou_ten": "F1 iou_ten",
    "average_precision_50": "AP@50",
    "average_precision_75": "AP@75",
    "panoptic_quality": "PQ",
    "aji": "AJI",
    "pixel_dice": "Dice",
    "splits": "splits",
    "merges": "merges",
    "misses": "misses",
    "extras": "extras",
}
_LISTED = 3


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add arguments and options."""
    parser.add_argument("predicted", type=Path, metavar="PREDICTED_DIR", help="folder of predicted label images")
    parser.add_argument("truth", type=Path, metavar="TRUTH_DIR", help="folder of true label images, same stems")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every score as JSON")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write every image's scores as CSV")
    parser.add_argument("--drop-below", type=int, default=0, metavar="PX", help="drop smaller objects on both sides")
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist already")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Compare every pair; print a table.

    Returns
    -------
    int
        0, or 1 if a true image had no readable partner of the same size.
    """
    from napari_mouse_seg.metrics import score_row, summarise

    predicted, truth = find_labels(arguments.predicted), find_labels(arguments.truth)
    scores: dict[str, InstanceScores] = {}
    failed: dict[str, str] = {}
    for stem in sorted(truth.keys() & predicted.keys()):
        try:
            scores[stem] = _compare(predicted[stem], truth[stem], arguments.drop_below)
        except MouseSegError as error:
            failed[stem] = str(error)
            console.error(f"{stem}: {error}", error)
    missing = sorted(truth.keys() - predicted.keys())
    if missing:
        console.error(_explain_missing(missing, arguments.predicted))
        failed |= dict.fromkeys(missing, "no prediction")
    if not scores:
        raise ImageNotFoundError(f"No image in {arguments.predicted} could be compared with one in {arguments.truth}.")
    summary = summarise(scores.values())
    rows = {stem: score_row(score) for stem, score in scores.items()}
    if arguments.json:
        _write_json(arguments, rows, summary, failed)
    if arguments.csv:
        _write_csv(arguments, rows)
    _print(rows, summary, len(truth), len(predicted.keys() - truth.keys()), console)
    return 1 if failed else 0


def _compare(predicted: Path, truth: Path, drop_below: int) -> InstanceScores:
    from napari_mouse_seg.cli._labels import read_labels
    from napari_mouse_seg.metrics import instance_scores

    return instance_scores(read_labels(predicted), read_labels(truth), min_area_px=drop_below)


def _explain_missing(stems: list[str], folder: Path) -> str:
    names = ", ".join(stems[:_LISTED]) + (", …" if len(stems) > _LISTED else "")
    return f"{len(stems)} true images have no prediction in {folder} and are left out: {names}"


def _print(rows: dict[str, dict[str, float]], summary: Summary, n_truth: int, n_unused: int, console: Console) -> None:
    from napari_mouse_seg.metrics import format_table

    table = {**rows, "mean over images": summary.per_image, "pooled objects": summary.pooled}
    shown = {name: {title: row[column] for column, title in _COLUMNS.items()} for name, row in table.items()}
    console.out(format_table(shown, list(_COLUMNS.values())))
    unused = f"; {n_unused} without truth left out" if n_unused else ""
    console.out(f"{len(rows)} of {n_truth} true images compared{unused}.")
    console.out("@50, @75: at IoU 0.50, 0.75. iou_nine: mean over IoU 0.50 to 0.90; iou_ten: 0.50 to 0.95.")


def _write_json(
    arguments: argparse.Namespace, rows: dict[str, dict[str, float]], summary: Summary, failed: dict[str, str]
) -> None:
    from napari_mouse_seg.export import replacing
    from napari_mouse_seg.metrics import IOU_NINE, IOU_TEN

    report = {
        "format_version": 1,
        "iou_ten": IOU_TEN,
        "iou_nine": IOU_NINE,
        "drop_below_px": arguments.drop_below,
        **summary.as_dict(),
        "images": rows,
        "failed": failed,
    }
    with replacing(arguments.json, overwrite=arguments.overwrite) as temporary:
        temporary.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _write_csv(arguments: argparse.Namespace, rows: dict[str, dict[str, float]]) -> None:
    from napari_mouse_seg.export import replacing

    with (
        replacing(arguments.csv, overwrite=arguments.overwrite) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, ["image", *next(iter(rows.values()))])
        writer.writeheader()
        writer.writerows({"image": stem, **row} for stem, row in rows.items())
