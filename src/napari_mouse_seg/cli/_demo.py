"""``mouse-seg demo``: the bundled sample, from image to results, with the times."""

from __future__ import annotations

import csv
import os
import statistics
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mouse_seg.cli._inputs import user_path
from napari_mouse_seg.cli._plan_options import add_plan_options, given_options
from napari_mouse_seg.cli._segment import add_model_option, check_output, check_sizes
from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.plans import InstancesPlan, SegmentPlan

if TYPE_CHECKING:
    import argparse

    from napari_mouse_seg.cli._console import Console
    from napari_mouse_seg.export import RunRecord

_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")  # Without any, Qt ends the process.
_FORMATS = ("tiff", "csv", "overlay")


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add options."""
    parser.add_argument("--output", type=user_path, default=Path("demo"), metavar="DIR", help="folder; default demo")
    parser.add_argument("--gui", action="store_true", help="open the sample and the panel in napari instead")
    add_model_option(parser)
    add_plan_options(parser, SegmentPlan, "image and network")
    add_plan_options(parser, InstancesPlan, "objects (not given: as the model's card says)", own_defaults=False)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Segment the sample, or open napari with it."""
    if arguments.gui:
        return _show_window()
    check_sizes(arguments)
    check_output(arguments.output)
    from napari_mouse_seg.cli._file_run import FileRun, run_file
    from napari_mouse_seg.images import sample_path
    from napari_mouse_seg.networks import DEFAULT_MODEL, find_model

    model = find_model(arguments.model or DEFAULT_MODEL)
    file_run = FileRun(
        model=model,
        folder=arguments.output,
        formats=_FORMATS,
        options=given_options(arguments, SegmentPlan),
        instance_options=given_options(arguments, InstancesPlan),
        overwrite=True,
    )
    source = sample_path()
    console.out(f"Segmenting {source.name} with {model.card.name} …")
    record, _ = run_file(source, file_run, console)
    _report(record, arguments.output, console)
    return 0


def _report(record: RunRecord, folder: Path, console: Console) -> None:
    shape = record.input.shape_px if record.input else None
    rows, columns = shape or record.network_shape_px
    console.out(f"Found {record.found} in {rows} x {columns} px{_size(folder / record.outputs['csv'])}.")
    for stage, seconds in record.timings_s.items():
        console.out(f"  {stage.ljust(16)} {seconds:6.2f} s")
    console.out(f"Device: {record.device}")
    console.out(f"Look at     {folder / record.outputs['overlay']}")
    console.out(f"Measured in {folder / record.outputs['csv']}")
    console.out(f"Labels in   {folder / record.outputs['tiff']}")
    console.out(
        "Next: `mouse-seg demo --gui` shows the same in napari; `mouse-seg segment IMAGE --output DIR` does yours."
    )


def _size(table: Path) -> str:
    """Typical object, read from the table that was just written."""
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    column = next((name for name in (rows[0] if rows else ()) if name.startswith("equivalent_diameter")), None)
    if column is None:
        return ""
    unit = "µm" if column.endswith("_um") else "px"
    return f", median diameter {statistics.median(float(row[column]) for row in rows):.1f} {unit}"


def _show_window() -> int:
    """Start napari; by name, as commands lie below the plugin and must run without it."""
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in _SCREENS):
        raise MouseSegError("There is no screen to open napari on; run this on a desktop, or leave out --gui.")
    try:
        launch = import_module("napari_mouse_seg.plugin._launch")
    except ModuleNotFoundError as error:
        raise MouseSegError(
            f'napari cannot be opened ({error}); install it with: pip install "napari-mouse-seg[napari]".'
        ) from error
    launch.show_demo()
    return 0
