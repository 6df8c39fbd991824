"""Progress line."""

import sys

import pytest

from napari_mouse_seg.cli._console import Console
from napari_mouse_seg.events import Started, TileDone


@pytest.fixture
def console():
    return Console()


def test_nothing_is_written_over_where_no_one_watches(console, capsys):
    console.progress("a.tif", Started("scores", 4))
    console.progress("a.tif", TileDone("scores", 1, 4))
    assert capsys.readouterr().err == ""


def test_progress_is_one_line_that_results_clear(console, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    console.progress("a.tif", Started("scores", 4))
    console.progress("a.tif", TileDone("scores", 3, 4))
    console.out("done")
    shown = capsys.readouterr()
    assert "\n" not in shown.err
    assert "a.tif: scores 3/4, 0 s left" in shown.err
    assert shown.err.endswith(" \r")
    assert shown.out == "done\n"
