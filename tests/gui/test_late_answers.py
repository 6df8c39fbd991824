"""What was begun for one project does not end up in another that was opened meanwhile."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.desks import MIDDLE
from helpers.pyramids import means, write_pyramid_tiff
from napari_mouse_seg import pipeline
from napari_mouse_seg.plugin import _patch_desk
from napari_mouse_seg.projects import Project

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    import pytest

    from helpers.desks import Desk
    from napari_mouse_seg.events import Event

    Discs = tuple[np.ndarray, list[tuple[int, int]]]

LIMIT_S = 240


def held_back(work: Callable[..., Generator[Event, None, None]], gate: threading.Event) -> Callable[..., Any]:
    """Return work that begins once a gate is open."""

    def wait_and_work(*args: Any) -> Generator[Event, None, None]:
        gate.wait(LIMIT_S)
        yield from work(*args)

    return wait_and_work


def choose_image(desk: Desk, name: str) -> None:
    """Choose an image, and wait for its project."""
    images = desk.widget.controller._layers
    images.choose(images.names.index(name))
    desk.until(lambda: not desk.session.is_opening)


def test_a_prefill_is_not_painted_into_another_images_patch_of_the_same_id(
    desk: Desk, tmp_path: Path, discs: Discs, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    monkeypatch.setattr(_patch_desk, "look_with", held_back(_patch_desk.look_with, gate))
    metadata = {"axes": "YX", "PhysicalSizeY": 0.25, "PhysicalSizeX": 0.25}
    other = write_pyramid_tiff(tmp_path / "other.ome.tif", means(np.roll(discs[0], 24, (0, 1)), 3), metadata=metadata)
    desk.add_patch()
    first = desk.image
    (desk.image,) = desk.viewer.open(other, plugin="napari-mouse-seg")
    choose_image(desk, desk.image.name)
    desk.add_patch()
    choose_image(desk, first.name)
    desk.press("Prefill with model")
    choose_image(desk, desk.image.name)
    assert desk.project.folder.name == "other.mouse-seg"
    gate.set()
    desk.until(lambda: not desk.is_at_work)
    assert not desk.paint.data.any()
    assert not desk.project.plan.patches[0].meaning.rest_is_background


def test_a_patch_is_not_added_to_a_project_that_was_opened_while_it_was_cut(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.add_patch()
    first, second = desk.project.folder, tmp_path / "second"
    second.mkdir()
    place = desk.widget.controller._place
    place.open(second)
    desk.add_patch()
    gate = threading.Event()
    monkeypatch.setattr(pipeline, "cut_patch", held_back(pipeline.cut_patch, gate))
    desk.look(MIDDLE)
    desk.press("Add patch here")
    place.open(first)
    desk.until(lambda: not desk.session.is_opening)
    gate.set()
    desk.until(lambda: not desk.is_at_work)
    assert desk.project.folder == first
    assert "No patch was added: the image or the project was changed" in desk.panel.failure_text()
    assert len(desk.project.plan.patches) == 1
    with Project.open(second) as left:
        assert len(left.plan.patches) == 1
