"""Exit codes, messages and a quick start."""

import subprocess
import sys

import pytest

from napari_mouse_seg.cli import main
from napari_mouse_seg.errors import ImageError, PlanError

HEAVY = ("torch", "scipy", "skimage", "tifffile", "zarr", "dask", "numba", "napari")


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_load_nothing_heavy(argument):
    code = (
        "import sys; from napari_mouse_seg.cli import main; code = main(sys.argv[1:]);"
        f"print([name for name in {HEAVY} if name in sys.modules]); raise SystemExit(code)"
    )
    ran = subprocess.run([sys.executable, "-c", code, argument], capture_output=True, text=True, check=False)
    assert ran.returncode == 0
    assert ran.stdout.splitlines()[-1] == "[]"
    assert "mouse-seg" in ran.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nothing"],
        ["segment"],
        ["segment", "a.tif"],
        ["segment", "a.tif", "--output", "b", "--split-threshold", "2"],
    ],
)
def test_bad_usage_is_2(arguments, capsys):
    assert main(arguments) == 2
    assert capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ImageError("The image is bad."), 1, "Error: The image is bad."),
        (PlanError("Too large."), 2, "Error: Too large."),
        (KeyboardInterrupt(), 130, "Error: Cancelled"),
        (ZeroDivisionError("zero"), 1, "Error: Unexpected ZeroDivisionError: zero. Run with --debug"),
    ],
)
def test_errors_are_words_and_an_exit_code(error, code, words, capsys, monkeypatch):
    def fail(*_):
        raise error

    monkeypatch.setattr("napari_mouse_seg.cli._models.run", fail)
    assert main(["models", "list"]) == code
    shown = capsys.readouterr().err
    assert shown.startswith(words)
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    "words", [["--debug", "models", "list"], ["models", "--debug", "list"], ["models", "list", "--debug"]]
)
def test_debug_shows_the_traceback(words, capsys, monkeypatch):
    def fail(*_):
        raise ImageError("The image is bad.")

    monkeypatch.setattr("napari_mouse_seg.cli._models.run", fail)
    assert main(words) == 1
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_while_the_command_is_loaded_is_heard_in_words():
    code = (
        "import sys, napari_mouse_seg.cli as cli\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'napari_mouse_seg.cli._main':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "raise SystemExit(cli.main(['models', 'list']))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (130, "Error: Cancelled.\n")


def test_the_demo_needs_a_screen_for_its_window(capsys, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert main(["demo", "--gui"]) == 1
    assert "There is no screen to open napari on" in capsys.readouterr().err
