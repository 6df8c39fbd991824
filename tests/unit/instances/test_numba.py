"""Compiled loops are kept where the user may write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from napari_mouse_seg.instances import _numba


@pytest.fixture(autouse=True)
def _no_folder_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    monkeypatch.delenv("NUMBA_CACHE_DIR")


def test_a_package_that_cannot_be_written_to_gets_a_folder_of_the_users(tmp_path: Path) -> None:
    try:
        _numba._give_a_folder(tmp_path / "not there")
        folder = Path(os.environ["NUMBA_CACHE_DIR"])
        assert folder.is_dir()
        assert folder.is_relative_to(tmp_path / "local")
    finally:
        os.environ.pop("NUMBA_CACHE_DIR", None)
        _numba._reload()


def test_otherwise_nothing_changes_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _numba._give_a_folder(tmp_path)
    assert "NUMBA_CACHE_DIR" not in os.environ
    assert not list(tmp_path.iterdir())
    monkeypatch.setenv("NUMBA_CACHE_DIR", "mine")
    _numba._give_a_folder(tmp_path / "not there")
    assert os.environ["NUMBA_CACHE_DIR"] == "mine"
