"""Which project goes with the image that is open, where it lies, and what the panel says of it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from qtpy.QtWidgets import QComboBox
from tests.helpers.pyramids import write_plate

from napari_mouse_seg import images
from napari_mouse_seg.errors import ProjectError
from napari_mouse_seg.projects import Project
from napari_mouse_seg.widgets import _dialogs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from helpers.desks import Desk

    Discs = tuple[np.ndarray, list[tuple[int, int]]]


pytestmark = pytest.mark.usefixtures("home")


def leave(desk: Desk) -> None:
    """Close the window; vispy cannot draw two at a time."""
    desk.widget.controller.close()
    desk.viewer.close()


def said_by(desk: Desk) -> list[str]:
    """What the user is told from now on."""
    words: list[str] = []
    desk.widget.controller.desk.said.connect(words.append)
    return words


def test_a_project_that_was_open_elsewhere_can_be_painted_once_it_is_opened_again(
    desk: Desk, open_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.add_patch()
    folder = desk.project.folder
    leave(desk)
    with Project.open(folder):
        second = open_desk()
        assert "close it there, then open it here again" in second.texts()
    monkeypatch.setattr(_dialogs, "ask_folder", lambda *_: folder)
    second.press("Open project…")
    second.until(lambda: not second.project.read_only, timeout_ms=30_000)
    assert "another window" not in second.texts()
    second.hands.stroke(second.paint, [(30, 20), (30, 40)])
    second.until_saved()
    assert second.saved()[30, 30] == 2


def test_the_fingerprint_of_a_new_projects_image_is_taken_beside_the_main_thread(
    desk: Desk, slide: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[threading.Thread] = []
    known = images.image_fingerprint(slide)
    monkeypatch.setattr(images, "image_fingerprint", lambda _path: readers.append(threading.current_thread()) or known)
    desk.add_patch()
    assert desk.project.plan.image.fingerprint == known
    assert len(readers) == 1
    assert readers[0] is not threading.main_thread()


def test_a_project_that_had_to_lie_in_the_home_folder_is_back_the_next_time(
    desk: Desk,
    open_desk: Callable[..., Desk],
    slide: Path,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = Project.create

    def refuse_beside_the_image(folder: Path, plan: Any) -> Project:
        if folder.parent == tmp_path:
            raise ProjectError("slide.mouse-seg could not be made: the disk is full; free some.")
        return original(folder, plan)

    monkeypatch.setattr(Project, "create", refuse_beside_the_image)
    said = said_by(desk)
    desk.hands.stroke(desk.add_patch(), [(30, 20), (30, 40)])
    desk.until_saved()
    assert desk.project.folder == home / "mouse-seg" / "slide.mouse-seg"
    assert "the disk is full; free some. The project therefore lies in" in said[0]
    leave(desk)
    readers: list[threading.Thread] = []
    known = images.image_fingerprint(slide)
    monkeypatch.setattr(images, "image_fingerprint", lambda _path: readers.append(threading.current_thread()) or known)
    again = open_desk()
    assert len(readers) > 0
    assert threading.main_thread() not in readers
    assert again.project.folder == home / "mouse-seg" / "slide.mouse-seg"
    assert again.paint.data[30, 30] == 2


def test_a_folder_name_that_another_image_has_taken_is_left_to_it(
    desk: Desk, open_desk: Callable[..., Desk], tmp_path: Path, discs: Discs
) -> None:
    desk.add_patch()
    leave(desk)
    other = tmp_path / "slide.tif"
    tifffile.imwrite(other, discs[0][::-1])
    second = open_desk(other)
    assert second.session.project is None
    assert second.panel.failure_text() == ""
    said = said_by(second)
    second.hands.stroke(second.add_patch(), [(30, 20), (30, 40)])
    second.until_saved()
    assert second.project.folder == tmp_path / "slide-2.mouse-seg"
    assert any("slide.mouse-seg is the project of" in words and "slide.ome.tif" in words for words in said)
    leave(second)
    again = open_desk(other)
    assert again.project.folder == tmp_path / "slide-2.mouse-seg"


@pytest.fixture
def two_channels(tmp_path: Path, discs: Discs) -> Path:
    """The discs as DAPI, and upside down as GFP."""
    path = tmp_path / "cells.ome.tif"
    metadata = {"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP"]}}
    pixels = np.stack([discs[0], discs[0][::-1]])
    tifffile.imwrite(path, pixels, photometric="minisblack", metadata=metadata)
    return path


@pytest.fixture
def channels(desk: Desk, two_channels: Path) -> Desk:
    """A viewer with the channels as layers, beside the slide."""
    desk.image, _ = desk.viewer.open(two_channels, plugin="napari-mouse-seg")
    return desk


def choose_image(desk: Desk, name: str) -> None:
    """Choose in the panel's list of images."""
    (box,) = [box for box in desk.widget.findChildren(QComboBox) if "paint on" in box.toolTip()]
    box.setCurrentIndex([box.itemText(index) for index in range(box.count())].index(name))
    desk.until(lambda: not desk.session.is_opening)


def test_a_project_keeps_to_its_channel_where_channels_are_layers(channels: Desk) -> None:
    desk = channels
    choose_image(desk, "cells – DAPI")
    desk.hands.stroke(desk.add_patch(), [(30, 20), (30, 40)])
    desk.until_saved()
    folder = desk.project.folder
    choose_image(desk, "cells – GFP")
    assert desk.session.project is None
    assert "painted on channel “cells – DAPI”; choose that layer" in desk.panel.failure_text()
    desk.add_patch()
    assert desk.project.folder != folder
    assert desk.project.plan.image.file_channel == 1
    choose_image(desk, "cells – DAPI")
    assert desk.project.folder == folder
    assert desk.project.plan.image.file_channel == 0
    assert desk.paint.data[30, 30] == 2


def test_a_project_from_before_channels_were_noted_opens_on_any(channels: Desk) -> None:
    desk = channels
    choose_image(desk, "cells – DAPI")
    desk.add_patch()
    desk.session.update(image=desk.project.plan.image.replace(file_channel=None))
    folder = desk.project.folder
    choose_image(desk, "cells – GFP")
    assert desk.project.folder == folder


def test_a_project_without_its_image_says_which_one_to_open_and_then_is_painted_on(
    desk: Desk, slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.hands.stroke(desk.add_patch(), [(30, 20), (30, 40)])
    desk.until_saved()
    desk.viewer.layers.clear()
    assert desk.session.project is None
    folder = (tmp_path / "slide.mouse-seg").rename(tmp_path / "my project")
    monkeypatch.setattr(_dialogs, "ask_folder", lambda *_: folder)
    desk.press("Open project…")
    desk.until(lambda: f"open its image: {slide}" in desk.texts(), timeout_ms=30_000)
    moved = slide.rename(tmp_path / "moved.ome.tif")
    desk.viewer.open(moved, plugin="napari-mouse-seg")
    desk.until(lambda: desk.paints(), timeout_ms=30_000)
    assert desk.project.folder == folder
    assert desk.project.plan.image.path == str(moved)
    assert desk.paint.data[30, 30] == 2
    assert "open its image" not in desk.texts()


def test_a_new_project_begins_in_the_empty_folder_that_is_chosen(
    desk: Desk, slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty, other = tmp_path / "areas", tmp_path / "other"
    for folder in (empty, other):
        folder.mkdir()
    (empty / ".DS_Store").write_text("")
    answers = [slide.parent, empty, other]
    monkeypatch.setattr(_dialogs, "ask_folder", lambda *_: answers.pop(0))
    desk.press("New project…")
    assert "choose the folder of one, or an empty folder for a new one" in desk.panel.failure_text()
    desk.press("New project…")
    assert f"The first patch starts a project in {empty}" in desk.texts()
    desk.press("Areas")
    desk.add_patch()
    assert (desk.project.folder, desk.project.plan.kind) == (empty, "areas")
    desk.press("New project…")
    assert desk.session.project is None
    assert f"The first patch starts a project in {other}" in desk.texts()
    assert desk.button("Objects").isEnabled()
    assert not desk.paints()
    with Project.open(empty) as left:
        assert not left.read_only


def test_without_an_image_no_project_begins(desk: Desk, tmp_path: Path) -> None:
    desk.viewer.layers.clear()
    (tmp_path / "empty").mkdir()
    desk.panel.projectRequested.emit(tmp_path / "empty")
    assert "open an image first" in desk.panel.failure_text()


def test_the_project_of_a_field_lies_beside_its_plate_and_is_not_that_of_the_next(
    discs: Discs, open_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    pixels, _ = discs
    plate = write_plate(tmp_path / "plate.zarr", {"A/1/0": pixels, "A/2/0": pixels // 2})
    desk = open_desk(plate)
    desk.hands.stroke(desk.add_patch(), [(30, 20), (30, 40)])
    desk.until_saved()
    assert desk.project.folder == tmp_path / "plate-A-1-0.mouse-seg"
    assert desk.project.plan.image.path == str(plate / "A/1/0")
    choose_image(desk, "plate – A/2/0")
    desk.until(lambda: desk.session.project is None and not desk.session.is_opening, timeout_ms=20_000)
    choose_image(desk, "plate – A/1/0")
    desk.until(lambda: desk.session.project is not None, timeout_ms=20_000)
    assert desk.saved()[30, 30] == 2
