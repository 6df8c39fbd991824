"""Progress line."""

import subprocess
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


def test_a_pipe_that_nobody_reads_on_stops_no_work():
    code = (
        "from napari_mouse_seg.cli._console import Console as C; input(); [C().out('x') for _ in '123']; C().warn('on')"
    )
    ran = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    ran.stdout.close()
    _, shown = ran.communicate("go\n")
    assert (ran.returncode, shown) == (0, "Warning: on\n")


@pytest.mark.parametrize("streams", ["sys.stderr = None", "sys.stdout = open('/dev/full', 'w')"])
@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_output_that_cannot_be_written_stops_no_work(streams):
    code = (
        "import sys; from napari_mouse_seg.cli._console import Console; from napari_mouse_seg.events import Started; "
        f"{streams}; console = Console(); [console.out('x') for _ in '123']; console.warn('on'); console.error('no'); "
        "console.progress('a', Started('scores', 4))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, stdout=subprocess.DEVNULL).returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_result_that_could_not_be_printed_is_no_success():
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "napari_mouse_seg.cli", "models", "list"]
        ran = subprocess.run(command, check=False, stdout=full, stderr=subprocess.PIPE, text=True)
    assert ran.returncode == 1
    assert "could not be written: No space left on device" in ran.stderr
