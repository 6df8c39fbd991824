"""``mouse-seg evaluate``: predicted labels against true ones, matched by stem."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

from napari_mouse_seg.cli._evaluate_areas import AreaComparison
from napari_mouse_seg.cli._evaluate_objects import ObjectComparison
from napari_mouse_seg.cli._inputs import find_labels, user_path
from napari_mouse_seg.errors import ImageNotFoundError, MouseSegError, PlanError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from pathlib import Path

    from napari_mouse_seg.cli._console import Console

_LISTED = 3


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add arguments and options."""
    parser.add_argument("predicted", type=user_path, metavar="PREDICTED_DIR", help="folder of predicted label images")
    parser.add_argument("truth", type=user_path, metavar="TRUTH_DIR", help="folder of true label images, same stems")
    parser.add_argument("--areas", action="store_true", help="labels are classes, not single objects")
    parser.add_argument(
        "--ignore", type=int, metavar="LABEL", help="with --areas: leave out true pixels with this label"
    )
    parser.add_argument("--json", type=user_path, metavar="FILE", help="write every score as JSON")
    parser.add_argument("--csv", type=user_path, metavar="FILE", help="write every image's scores as CSV")
    parser.add_argument("--drop-below", type=int, default=0, metavar="PX", help="drop smaller objects on both sides")
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist already")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Compare every pair; print a table.

    Returns
    -------
    int
        0, or 1 if a true image had no readable partner of the same size.
    """
    comparison = _comparison(arguments)
    _check_targets(arguments)
    predicted, truth = find_labels(arguments.predicted), find_labels(arguments.truth)
    scores: dict[str, Any] = {}  # Any: scores of objects or of areas
    failed: dict[str, str] = {}
    for stem in sorted(truth.keys() & predicted.keys()):
        try:
            scores[stem] = comparison.compare(predicted[stem], truth[stem])
        except MouseSegError as error:
            failed[stem] = str(error)
            console.error(f"{stem}: {error}", error)
    missing = sorted(truth.keys() - predicted.keys())
    if missing:
        console.error(_explain_missing(missing, arguments.predicted))
        failed |= dict.fromkeys(missing, "no prediction")
    if not scores:
        raise ImageNotFoundError(f"No image in {arguments.predicted} could be compared with one in {arguments.truth}.")
    _print(comparison, scores, len(truth), len(predicted.keys() - truth.keys()), console)
    if arguments.json:
        _write_json(arguments, comparison, scores, failed)
    if arguments.csv:
        _write_csv(arguments, comparison.rows(scores))
    return 1 if failed else 0


def _comparison(arguments: argparse.Namespace) -> AreaComparison | ObjectComparison:
    if arguments.areas and arguments.drop_below:
        raise PlanError("--drop-below is for objects; leave it out, or leave out --areas.")
    if arguments.ignore is not None and not arguments.areas:
        raise PlanError("--ignore is for classes; add --areas.")
    return AreaComparison(arguments.ignore) if arguments.areas else ObjectComparison(arguments.drop_below)


def _check_targets(arguments: argparse.Namespace) -> None:
    """Find out before the work whether the scores may be written."""
    from napari_mouse_seg.pipeline import check_free

    targets = {option: path for option, path in (("--json", arguments.json), ("--csv", arguments.csv)) if path}
    if arguments.json and arguments.json == arguments.csv:
        raise PlanError(f"--json and --csv would both be written to {arguments.json}; give two names.")
    for option, path in targets.items():
        if path.is_dir():
            raise PlanError(f"{option} takes a file, but {path} is a folder; add a file name.")
    check_free(targets, None, overwrite=arguments.overwrite)


def _explain_missing(stems: list[str], folder: Path) -> str:
    names = ", ".join(stems[:_LISTED]) + (", …" if len(stems) > _LISTED else "")
    return f"{len(stems)} true images have no prediction in {folder} and are left out: {names}"


def _print(
    comparison: AreaComparison | ObjectComparison,
    scores: dict[str, Any],  # Any: as in run
    n_truth: int,
    n_unused: int,
    console: Console,
) -> None:
    from napari_mouse_seg.metrics import format_table

    console.out(format_table(*comparison.table(scores)))
    unused = f"; {n_unused} without truth left out" if n_unused else ""
    console.out(f"{len(scores)} of {n_truth} true images compared{unused}.")
    console.out(comparison.note)
    doubt = comparison.doubt(scores)
    if doubt:
        console.warn(doubt)


def _write_json(
    arguments: argparse.Namespace,
    comparison: AreaComparison | ObjectComparison,
    scores: dict[str, Any],  # Any: as in run
    failed: dict[str, str],
) -> None:
    from napari_mouse_seg.export import replacing

    whole = comparison.report(scores)
    report = {"format_version": 1, **whole, "images": comparison.rows(scores), "failed": failed}
    with replacing(arguments.json, overwrite=arguments.overwrite) as temporary:
        temporary.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _write_csv(arguments: argparse.Namespace, rows: Mapping[str, Mapping[str, float | None]]) -> None:
    from napari_mouse_seg.export import replacing

    columns = dict.fromkeys(name for row in rows.values() for name in row)
    with (
        replacing(arguments.csv, overwrite=arguments.overwrite) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, ["image", *columns])
        writer.writeheader()
        writer.writerows({"image": stem, **row} for stem, row in rows.items())
