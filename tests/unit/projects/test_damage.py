"""Damaged files are named and kept; the rest of a project stays usable."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tifffile import imwrite

from napari_mouse_seg.errors import ProjectError
from napari_mouse_seg.plans import RoundPlan
from napari_mouse_seg.projects import Project
from napari_mouse_seg.projects._damage import DamagedFileError
from napari_mouse_seg.projects._files import encode_tiff, read_paint, read_pixels

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_mouse_seg.plans import PatchPlan


def truncate(path: Path) -> bytes:
    """Cut a file in half and return what is left."""
    half = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(half)
    return half


def test_damaged_paint_is_set_aside_and_the_patch_starts_without_paint(folder: Path, painted: np.ndarray):
    file = folder / "patches" / "p001.paint.tif"
    half = truncate(file)
    with Project.open(folder) as project:
        (damage,) = project.damage
        assert damage.path == file
        assert damage.set_aside == folder / "patches" / "p001.paint.tif.damaged-1"
        assert "p001.paint.tif is damaged" in damage.message
        assert "patch p001 starts without paint" in damage.message
        assert "kept as p001.paint.tif.damaged-1" in damage.message
        assert project.broken == frozenset()
        assert not project.paint("p001").any()
        project.write_paint("p001", painted)
        np.testing.assert_array_equal(project.paint("p001"), painted)
        assert damage.set_aside.read_bytes() == half
    with Project.open(folder) as project:
        assert project.damage == ()


def test_a_second_damaged_file_does_not_take_the_place_of_the_first(folder: Path, painted: np.ndarray):
    file = folder / "patches" / "p001.paint.tif"
    first = truncate(file)
    with Project.open(folder) as project:
        project.write_paint("p001", painted + 1)
    second = truncate(file)
    with Project.open(folder):
        pass
    assert (folder / "patches" / "p001.paint.tif.damaged-1").read_bytes() == first
    assert (folder / "patches" / "p001.paint.tif.damaged-2").read_bytes() == second
    assert first != second


def test_a_patch_with_damaged_pixels_is_broken_and_the_others_are_not(folder: Path, painted: np.ndarray):
    truncate(folder / "patches" / "p001.image.tif")
    paint = (folder / "patches" / "p001.paint.tif").read_bytes()
    with Project.open(folder) as project:
        assert project.broken == {"p001"}
        assert project.damage[0].set_aside == folder / "patches" / "p001.image.tif.damaged-1"
        assert "patch p001 is left out" in project.damage[0].message
        with pytest.raises(ProjectError, match="p001 cannot be painted"):
            project.write_paint("p001", painted + 1)
        project.write_paint("p002", painted)
        assert (folder / "patches" / "p001.paint.tif").read_bytes() == paint
        project.delete_patch("p001")
        assert project.broken == frozenset()


def test_files_of_a_deleted_patch_all_go_to_the_trash(folder: Path):
    truncate(folder / "patches" / "p001.image.tif")
    with Project.open(folder) as project:
        project.delete_patch("p001")
    names = sorted(path.name for path in (folder / "trash").iterdir())
    assert names == ["p001.image.tif.damaged-1", "p001.paint.tif"]
    with Project.open(folder) as project:
        assert project.damage == ()
        assert project.next_patch_id() == "p003"


@pytest.mark.parametrize("paint", [np.zeros((5, 5), np.uint16), np.ones((12, 17), np.float32)])
def test_paint_of_another_shape_or_kind_is_set_aside(folder: Path, paint: np.ndarray):
    imwrite(folder / "patches" / "p001.paint.tif", paint)
    with Project.open(folder) as project:
        assert project.damage[0].set_aside is not None
        assert not project.paint("p001").any()


def test_paint_that_another_program_saved_is_read(folder: Path, painted: np.ndarray):
    imwrite(folder / "patches" / "p001.paint.tif", painted.astype(">u2"), imagej=True)
    with Project.open(folder) as project:
        assert project.damage == ()
        np.testing.assert_array_equal(project.paint("p001"), painted)


def test_missing_paint_and_pixels_are_told(folder: Path):
    (folder / "patches" / "p001.paint.tif").unlink()
    (folder / "patches" / "p002.image.tif").unlink()
    with Project.open(folder) as project:
        assert "The paint of patch p001 is missing" in project.damage[0].message
        assert "The pixels of patch p002 are missing" in project.damage[1].message
        assert project.broken == {"p002"}
        assert not project.paint("p001").any()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"format_version": 1}', b"null"])
def test_the_backup_stands_in_for_a_broken_list(folder: Path, painted: np.ndarray, content: bytes):
    good = (folder / "project.json").read_bytes()
    (folder / "project.json").write_bytes(content)
    with Project.open(folder) as project:
        (damage,) = project.damage
        assert damage.set_aside == folder / "project.json.damaged-1"
        assert "project.json is damaged" in damage.message
        assert "its backup is used instead" in damage.message
        assert [patch.name for patch in project.plan.patches] == ["", "edge"]
        np.testing.assert_array_equal(project.paint("p001"), painted)
    assert (folder / "project.json.damaged-1").read_bytes() == content
    assert (folder / "project.json").read_bytes() == good


def test_the_backup_stands_in_for_a_missing_list(folder: Path):
    (folder / "project.json").unlink()
    with Project.open(folder) as project:
        assert len(project.plan.patches) == 2
        assert "project.json is missing" in project.damage[0].message
    assert (folder / "project.json").exists()


def test_two_broken_lists_are_told_and_left_alone(folder: Path):
    for name in ("project.json", "project.json.bak"):
        (folder / name).write_bytes(b"{")
    with pytest.raises(ProjectError, match=r"project\.json is damaged .*project\.json\.bak is damaged.*untouched; put"):
        Project.open(folder)
    assert (folder / "project.json").read_bytes() == b"{"
    assert not list(folder.glob("*.damaged*"))


def test_a_list_of_a_later_version_is_no_damage(folder: Path):
    stored = json.loads((folder / "project.json").read_text()) | {"format_version": 2, "new": True}
    (folder / "project.json").write_text(json.dumps(stored))
    with pytest.raises(ProjectError, match="is of format 2, and this version of the program knows format 1; update"):
        Project.open(folder)
    assert json.loads((folder / "project.json").read_text()) == stored


def test_a_patch_that_an_old_backup_does_not_list_is_found(folder: Path, pixels: np.ndarray, painted: np.ndarray):
    stored = json.loads((folder / "project.json").read_text())
    stored["patches"] = stored["patches"][:1]
    (folder / "project.json").write_text(json.dumps(stored))
    with Project.open(folder) as project:
        assert [patch.name for patch in project.plan.patches] == ["", "edge"]
        np.testing.assert_array_equal(project.pixels("p002"), pixels + 1000)
        assert "Patch p002 was missing from the list" in project.damage[0].message


def test_a_deletion_that_was_cut_off_is_finished(folder: Path):
    (folder / "trash").mkdir()
    (folder / "patches" / "p001.image.tif").rename(folder / "trash" / "p001.image.tif")
    with Project.open(folder) as project:
        assert [patch.id for patch in project.plan.patches] == ["p002"]
        assert project.damage == ()
    assert (folder / "trash" / "p001.paint.tif").exists()
    assert not (folder / "patches" / "p001.paint.tif").exists()


def test_what_a_killed_process_was_writing_is_removed_and_nothing_else(folder: Path):
    unfinished = folder / "patches" / ".0123abcd.part.p001.paint.tif"
    foreign = folder / "patches" / ".notes.part.txt"
    unfinished.touch()
    foreign.touch()
    with Project.open(folder):
        assert not unfinished.exists()
        assert foreign.exists()


def test_a_missing_model_is_told(folder: Path):
    with Project.open(folder) as project:
        project.round_file(1).parent.mkdir()
        project.round_file(1).touch()
        project.add_round(RoundPlan(number=1, name="good", base="nuclei"))
    project.round_file(1).unlink()
    with Project.open(folder) as project:
        assert "The model of round 1 (good) is missing" in project.damage[0].message
        assert len(project.plan.rounds) == 1


def test_a_reader_reports_damage_and_renames_nothing(folder: Path):
    with Project.open(folder):
        for name in ("patches/p001.paint.tif", "patches/p002.image.tif", "project.json"):
            truncate(folder / name)
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        with Project.open(folder) as reader:
            assert reader.read_only
            assert [damage.set_aside for damage in reader.damage] == [None, None, None]
            assert reader.broken == {"p002"}
            assert not reader.paint("p001").any()
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_disk_that_fails_for_a_moment_damages_nothing(
    folder: Path, painted: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    read = Path.read_bytes

    def fail(path: Path) -> bytes:
        if path.name == "p001.paint.tif":
            raise OSError(5, "Input/output error")
        return read(path)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", fail)
        with Project.open(folder) as project:
            assert project.broken == {"p001"}
            assert project.damage[0].set_aside is None
            assert "Input/output error" in project.damage[0].message
            with pytest.raises(ProjectError, match="cannot be painted"):
                project.write_paint("p001", painted * 0)
    with Project.open(folder) as project:
        np.testing.assert_array_equal(project.paint("p001"), painted)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fraction=st.floats(0, 1, exclude_max=True))
def test_every_truncation_is_noticed(
    folder: Path, patch: Callable[..., PatchPlan], fraction: float, pixels: np.ndarray
):
    data = encode_tiff(pixels, patch("p001"))
    (folder / "cut.tif").write_bytes(data[: int(fraction * len(data))])
    with pytest.raises(DamagedFileError, match=r"cut\.tif is damaged"):
        read_pixels(folder / "cut.tif", patch("p001"))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8))
def test_altered_bytes_are_read_as_they_were_or_refused_as_damage(
    folder: Path, patch: Callable[..., PatchPlan], changes: list[tuple[float, int]], painted: np.ndarray
):
    data = bytearray(encode_tiff(painted.astype(np.uint16)))
    for place, value in changes:
        data[int(place * len(data))] = value
    (folder / "altered.tif").write_bytes(data)
    with suppress(DamagedFileError):
        assert read_paint(folder / "altered.tif", patch("p001")).shape == painted.shape
