"""``mouse-seg doctor``: what works on this machine, found out by trying it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.plans import DeviceName

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from napari_mouse_seg.cli._console import Console

_WINDOW_TIMEOUT_S = 90
# Runs in a process of its own: a broken driver ends it with a signal, not with an exception.
_WINDOW_PROBE = """
from importlib.metadata import version
import napari
from qtpy import API_NAME, QT_VERSION
from qtpy.QtGui import QOffscreenSurface, QOpenGLContext
from qtpy.QtWidgets import QApplication
application = QApplication([])
context, surface = QOpenGLContext(), QOffscreenSurface()
surface.create()
usable = context.create() and context.makeCurrent(surface)
form = context.format()
opengl = f"OpenGL {form.majorVersion()}.{form.minorVersion()}" if usable else "no OpenGL context"
print(f"napari {version('napari')}, {API_NAME} {QT_VERSION}, {application.platformName()}, {opengl}")
raise SystemExit(0 if usable else 3)
"""


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Take no arguments."""


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print one line a check.

    Returns
    -------
    int
        0, or 1 if not even the CPU can run a network. A missing window system is no failure.
    """
    from napari_mouse_seg.export import versions

    for name, version in versions().items():
        console.out(f"{name.ljust(28)} {version}")
    works = dict(_devices())
    for name, (_, text) in works.items():
        console.out(f"{('device ' + name).ljust(28)} {text}")
    console.out(f"{'models'.ljust(28)} {_models()}")
    console.out(f"{'window'.ljust(28)} {_window()}")
    for name, text in _resources():
        console.out(f"{name.ljust(28)} {text}")
    return 0 if works["cpu"][0] else 1


def _devices() -> Iterator[tuple[str, tuple[bool, str]]]:
    """Each device with whether a small convolution ran on it."""
    from napari_mouse_seg.networks import resolve_device

    for name in get_args(DeviceName):
        if name == "auto":
            continue
        try:
            yield name, (True, f"works: {resolve_device(name).label}")
        except MouseSegError as error:
            yield name, (False, f"not used: {error}")


def _models() -> str:
    from napari_mouse_seg.networks import list_models

    try:
        return ", ".join(model.card.name for model in list_models()) or "none bundled"
    except MouseSegError as error:
        return f"damaged: {error}"


def _window() -> str:
    """Try, in another process, what napari needs for its window."""
    try:
        probe = subprocess.run(
            [sys.executable, "-c", _WINDOW_PROBE],
            capture_output=True,
            text=True,
            timeout=_WINDOW_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"hangs: no answer within {_WINDOW_TIMEOUT_S} s"
    if probe.returncode == 0:
        return f"works: {probe.stdout.strip()}"
    if "ModuleNotFoundError" in probe.stderr:
        return 'napari or Qt is not installed: pip install "napari-mouse-seg[napari]"'
    said = (probe.stdout.strip() or probe.stderr.strip() or "no message").splitlines()
    if probe.returncode < 0:
        return f"crashes (signal {-probe.returncode}): {said[0]}"
    return f"fails: {said[-1]}"


def _resources() -> Iterator[tuple[str, str]]:
    import psutil

    memory = psutil.virtual_memory()
    yield "memory", f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB free"
    for name, folder in (("disk (here)", Path.cwd()), ("disk (temporary files)", Path(tempfile.gettempdir()))):
        yield name, f"{shutil.disk_usage(folder).free / 1e9:.1f} GB free in {folder}"
