"""What is noted of a call, so that it can be repeated."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from napari_mouse_seg.cli._file_run import FileRun
from napari_mouse_seg.cli._main import build_parser
from napari_mouse_seg.cli._plan_options import given_options
from napari_mouse_seg.plans import InstancesPlan, SegmentPlan


@pytest.mark.parametrize(
    "options", [{"flips": True}, {"flips": False, "channel": 2}, {"object_diameter_px": 7.3, "device": "cpu"}]
)
def test_the_command_that_is_noted_is_read_as_it_was_meant(options):
    thresholds = {"foreground_threshold": 0.3, "min_area_px": 7}
    run = FileRun(None, Path("out"), ("tiff", "csv"), options, thresholds)
    command = run.command(Path("a.tif"), SimpleNamespace(path=Path("m.safetensors")))
    arguments = build_parser().parse_args(command[1:])
    assert given_options(arguments, SegmentPlan) == options
    assert given_options(arguments, InstancesPlan) == thresholds
    assert (arguments.format, arguments.csv, arguments.overlay) == ("tiff", True, False)
