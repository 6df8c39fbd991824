"""When all objects are searched for garbage: never while someone works."""

from __future__ import annotations

import gc
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING
from weakref import ref

import pytest
from qtpy.QtCore import QPoint

from napari_mouse_seg.plugin import _garbage
from napari_mouse_seg.plugin._garbage import GarbageCalendar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot


class World:
    """A time, a mouse, runs, and a calendar that sees no others."""

    def __init__(self) -> None:
        self.now, self.mouse, self.is_running = 1000.0, QPoint(5, 5), False
        self.searches: list[float] = []
        self.calendar = GarbageCalendar(lambda: self.now)

    def wait(self, seconds: int, *, working: bool = False) -> None:
        for _ in range(seconds):
            self.now += 1
            self.mouse = self.mouse + QPoint(int(working), 0)
            self.calendar.look()


@pytest.fixture
def world(qapp: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    gc.unfreeze()
    world = World()
    monkeypatch.setattr(_garbage, "QCursor", SimpleNamespace(pos=lambda: world.mouse))
    monkeypatch.setattr(_garbage, "is_at_work", lambda: world.is_running)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace())
    collect = gc.collect
    monkeypatch.setattr(gc, "collect", lambda *generation: (world.searches.append(world.now), collect(*generation)))
    world.calendar.open()
    world.calendar.settle()
    yield world
    world.calendar.close()
    assert gc.get_freeze_count() == 0


class Garbage:
    """Dies in a search alone."""

    def __init__(self) -> None:
        self.own = self


def test_what_was_left_out_is_found_once_nobody_works(world: World) -> None:
    garbage = Garbage()
    world.calendar.settle()
    seen = ref(garbage)
    del garbage
    gc.collect()
    world.searches.clear()
    world.wait(400, working=True)
    assert (world.searches, seen() is None) == ([], False)
    world.is_running = True
    world.wait(400)
    assert (world.searches, seen() is None) == ([], False)
    world.is_running = False
    world.wait(12)
    assert (len(world.searches), seen() is None) == (1, True)
    assert gc.get_freeze_count() > 0


def test_a_still_mouse_brings_on_no_more_than_one_search_in_minutes(world: World) -> None:
    world.wait(3600)
    assert 10 <= len(world.searches) <= 12


def test_modules_that_were_loaded_later_are_left_out_soon(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    other = GarbageCalendar(lambda: world.now)
    monkeypatch.delitem(sys.modules, "torch")
    other.open()
    other.settle()
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace())
    world.calendar = other
    world.wait(12)
    assert len(world.searches) == 1
    other.close()


def test_the_last_panel_that_closes_gives_back_what_was_left_out(qapp: object, qtbot: QtBot) -> None:
    gc.unfreeze()
    calendar = GarbageCalendar()
    calendar.settle()
    assert gc.get_freeze_count() == 0
    calendar.open()
    calendar.open()
    calendar.settle()
    calendar.close()
    assert gc.get_freeze_count() > 0
    calendar.close()
    assert gc.get_freeze_count() == 0
