"""Fixtures and settings of all tests."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parent.parent

# A slow machine is no failure; on CI the same examples every time.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the real annotated images; the test is skipped where it is absent."""
    folder = Path(os.environ.get("MOUSE_SEG_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"There are no real images at {folder}; set MOUSE_SEG_DATA to their folder.")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the test's own, which is not there yet."""
    folder = tmp_path / "home"
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(folder))
    return folder


def _own_widgets() -> set[object]:
    """Widgets of this package that Qt still holds."""
    if "qtpy.QtWidgets" not in sys.modules:
        return set()
    from qtpy.QtWidgets import QApplication

    return {widget for widget in QApplication.allWidgets() if type(widget).__module__.startswith("napari_mouse_seg.")}


@pytest.fixture(autouse=True)
def _no_leaked_widgets() -> Iterator[None]:
    """Fail a test that leaves one of our widgets behind."""
    before = _own_widgets()
    yield
    if not _own_widgets() - before:
        return
    from qtpy.QtCore import QCoreApplication, QEvent

    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    QCoreApplication.processEvents()
    if _own_widgets() - before:  # Otherwise not: it is slow once torch is loaded.
        gc.collect()
    leaked = _own_widgets() - before
    assert not leaked, f"leaked widgets: {sorted(type(widget).__qualname__ for widget in leaked)}"
