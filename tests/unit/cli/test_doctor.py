"""The window check of ``mouse-seg doctor``: what it says of a process that ends badly."""

import subprocess
import sys

import pytest

from napari_mouse_seg.cli import _doctor


@pytest.mark.parametrize(
    ("probe", "words"),
    [
        ("print('napari 1, PyQt6, xcb, OpenGL 4.5')", "works: napari 1, PyQt6, xcb, OpenGL 4.5"),
        ("print('no OpenGL context'); raise SystemExit(3)", "fails: no OpenGL context"),
        ("import a_module_that_is_not_there", "not installed: pip install"),
        ("raise OSError('libEGL.so.1: missing')", "fails: OSError: libEGL.so.1: missing"),
    ],
)
def test_window_is_told_in_one_line(probe, words, monkeypatch):
    monkeypatch.setattr(_doctor, "_WINDOW_PROBE", probe)
    assert words in _doctor._window()


@pytest.mark.skipif(sys.platform == "win32", reason="processes do not end by signals there")
def test_crash_is_reported_not_shared(monkeypatch):
    monkeypatch.setattr(_doctor, "_WINDOW_PROBE", "import os; os.write(2, b'driver broke'); os.abort()")
    assert _doctor._window() == "crashes (signal 6): driver broke"


def test_hang_is_reported(monkeypatch):
    def hang(*_, timeout, **__):
        raise subprocess.TimeoutExpired("probe", timeout)

    monkeypatch.setattr(_doctor.subprocess, "run", hang)
    assert _doctor._window().startswith("hangs: no answer within")
