"""What is put into a project is found there again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tifffile import imread

from napari_mouse_seg.errors import ImageNotFoundError, PlanError, ProjectError
from napari_mouse_seg.images import image_fingerprint
from napari_mouse_seg.plans import ImageReference, PaintPlan, PatchPlan, ProjectPlan, RoundPlan
from napari_mouse_seg.projects import Project, default_folder

if TYPE_CHECKING:
    from collections.abc import Callable


def finish_round(project: Project, number: int, **changes: object) -> None:
    """What training does: write the model, then add the round."""
    file = project.round_file(number)
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"weights %d" % number)
    project.add_round(RoundPlan.build(**({"number": number, "name": f"round {number}", "base": "nuclei"} | changes)))


def test_the_project_lies_beside_the_image():
    assert default_folder(Path("/images/field.ome.tif")) == Path("/images/field.mouse-seg")


def test_a_closed_project_is_found_as_it_was(folder: Path, pixels: np.ndarray, painted: np.ndarray):
    with Project.open(folder) as project:
        assert not project.read_only
        assert project.damage == ()
        assert [patch.name for patch in project.plan.patches] == ["", "edge"]
        np.testing.assert_array_equal(project.pixels("p002"), pixels + 1000)
        np.testing.assert_array_equal(project.paint("p001"), painted)
        assert not project.paint("p002").any()


@pytest.mark.parametrize("n_channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_pixels_come_back_in_their_dtype(
    project: Project, patch: Callable[..., PatchPlan], n_channels: int, dtype: str
):
    pixels = np.random.default_rng(1).uniform(0, 200, (n_channels, 12, 17)).astype(dtype)
    project.add_patch(pixels, patch("p003"))
    stored = project.pixels("p003")
    assert stored.dtype == pixels.dtype
    np.testing.assert_array_equal(stored, pixels)


@pytest.mark.parametrize(("label", "stored"), [(2, "uint16"), (65_535, "uint16"), (65_536, "uint32")])
def test_paint_is_stored_small_and_read_as_uint32(project: Project, painted: np.ndarray, label: int, stored: str):
    painted[0, 0] = label
    project.write_paint("p001", painted)
    assert imread(project.folder / "patches" / "p001.paint.tif").dtype == stored
    assert project.paint("p001").dtype == np.uint32
    np.testing.assert_array_equal(project.paint("p001"), painted)


@pytest.mark.parametrize(
    ("unfit", "words"),
    [
        (np.zeros((12, 17), np.uint8), r"\(12, 17\), not \(channels, 12, 17\)"),
        (np.zeros((1, 17, 12), np.uint8), r"not \(channels, 12, 17\)"),
        (np.zeros((1, 12, 17)), "float64, not one of uint8, uint16, float32"),
    ],
)
def test_pixels_that_do_not_fit_are_refused(
    project: Project, patch: Callable[..., PatchPlan], unfit: np.ndarray, words: str
):
    with pytest.raises(ProjectError, match=words):
        project.add_patch(unfit, patch("p003"))
    assert len(project.plan.patches) == 2


@pytest.mark.parametrize(
    "paint", [np.zeros((12, 16), int), np.zeros((12, 17)), np.full((12, 17), -1), np.full((12, 17), 2**32)]
)
def test_paint_that_is_none_is_refused(project: Project, painted: np.ndarray, paint: np.ndarray):
    with pytest.raises(ProjectError, match="The paint of patch p001 is"):
        project.write_paint("p001", paint)
    np.testing.assert_array_equal(project.paint("p001"), painted)


def test_a_second_project_in_a_folder_is_refused(folder: Path, plan: ProjectPlan):
    with pytest.raises(ProjectError, match="holds a project already"):
        Project.create(folder, plan)
    with Project.open(folder) as project:
        assert not project.read_only


def test_a_folder_without_a_project_is_told(tmp_path: Path):
    with pytest.raises(ProjectError, match=r"no project in .*choose a folder with a project\.json"):
        Project.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path, plan: ProjectPlan):
    (tmp_path / "a.txt").touch()
    with pytest.raises(ProjectError, match=r"a\.txt is a file; choose a folder"):
        Project.create(tmp_path / "a.txt", plan)


def test_changed_settings_are_on_the_disk_at_once(project: Project):
    project.update(base="mine")
    project.update_patch(project.plan.patches[0].replace(role="validate", meaning=PaintPlan(rest_is_background=True)))
    stored = json.loads((project.folder / "project.json").read_text())
    assert stored["base"] == "mine"
    assert stored["patches"][0]["role"] == "validate"
    assert ProjectPlan.model_validate(stored) == project.plan


def test_settings_out_of_bounds_change_nothing(project: Project):
    before = project.plan
    with pytest.raises(PlanError, match="pixel_size_um"):
        project.update(pixel_size_um=-1)
    assert project.plan is before


def test_a_patch_cannot_be_moved(project: Project):
    with pytest.raises(ProjectError, match="p001 cannot be moved"):
        project.update_patch(project.plan.patches[0].replace(box=(0, 0, 12, 17)))


def test_an_unknown_patch_is_told(project: Project):
    with pytest.raises(ProjectError, match="no patch 'p009'"):
        project.paint("p009")


def test_a_deleted_patch_is_in_the_trash_and_its_id_is_not_used_again(
    project: Project, pixels: np.ndarray, patch: Callable[..., PatchPlan]
):
    project.delete_patch("p002")
    assert [entry.id for entry in project.plan.patches] == ["p001"]
    trash = sorted(path.name for path in (project.folder / "trash").iterdir())
    assert trash == ["p002.image.tif", "p002.paint.tif"]
    assert project.next_patch_id() == "p003"
    with pytest.raises(ProjectError, match="is or was a patch p002; the next free id is p003"):
        project.add_patch(pixels, patch("p002"))


def test_an_id_is_not_used_again_after_the_project_was_closed_and_the_trash_emptied(folder: Path):
    with Project.open(folder) as project:
        finish_round(project, 1, patches=("p001", "p002"))
        project.delete_patch("p002")
    for file in (folder / "trash").iterdir():
        file.unlink()
    with Project.open(folder) as project:
        assert project.next_patch_id() == "p003"


def test_a_patch_put_back_from_the_trash_is_found_again(folder: Path, painted: np.ndarray):
    with Project.open(folder) as project:
        project.delete_patch("p001")
    for file in (folder / "trash").iterdir():
        file.rename(folder / "patches" / file.name)
    with Project.open(folder) as project:
        assert {entry.id for entry in project.plan.patches} == {"p001", "p002"}
        np.testing.assert_array_equal(project.paint("p001"), painted)
        assert "p001 was missing from the list" in project.damage[0].message


def test_rounds_are_kept_renamed_and_deleted_to_the_trash(project: Project):
    assert project.next_round_number() == 1
    assert project.round_file(1).relative_to(project.folder).as_posix() == "rounds/round-001.safetensors"
    finish_round(project, 1)
    finish_round(project, 2)
    project.update_round(project.plan.rounds[0].replace(name="good"))
    project.delete_round(2)
    assert [entry.name for entry in project.plan.rounds] == ["good"]
    assert (project.folder / "trash" / "round-002.safetensors").read_bytes() == b"weights 2"
    assert project.next_round_number() == 3


def test_a_round_without_its_model_is_refused(project: Project):
    with pytest.raises(ProjectError, match="The model of round 1 is not at"):
        project.add_round(RoundPlan(number=1, name="a", base="b"))


def test_a_curve_with_a_loss_that_is_no_number_is_read_again(folder: Path):
    with Project.open(folder) as project:
        finish_round(project, 1, curve=((1, float("nan"), None), (2, float("inf"), 0.5)))
    with Project.open(folder) as project:
        (first, second) = project.plan.rounds[0].curve
        assert np.isnan(first[1])
        assert second == (2, float("inf"), 0.5)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "field.tif"
    path.write_bytes(b"the image that was painted")
    return path


@pytest.fixture
def linked(project: Project, image: Path) -> Project:
    project.update(image=project.plan.image.replace(fingerprint=image_fingerprint(image)))
    project.relink(image)
    return project


def test_the_image_is_found_where_it_was(linked: Project, image: Path):
    assert linked.plan.image.relative == "../field.tif"
    assert linked.find_image() == image


def test_an_image_that_moved_with_its_project_is_found(linked: Project, image: Path, tmp_path: Path):
    linked.close()
    (tmp_path / "moved").mkdir()
    linked.folder.rename(tmp_path / "moved" / linked.folder.name)
    image.rename(tmp_path / "moved" / image.name)
    with Project.open(tmp_path / "moved" / linked.folder.name) as project:
        assert project.find_image() == tmp_path / "moved" / "field.tif"


def test_a_moved_image_is_relinked(linked: Project, image: Path, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    moved = image.rename(tmp_path / "elsewhere" / "renamed.tif")
    assert linked.find_image() is None
    linked.relink(moved)
    assert linked.find_image() == moved
    assert linked.plan.image.relative == "../elsewhere/renamed.tif"


def test_another_image_is_refused(linked: Project, image: Path, tmp_path: Path):
    other = tmp_path / "other.tif"
    other.write_bytes(b"not the image that was painted")
    with pytest.raises(ProjectError, match=r"other\.tif is not the image that was painted \(field\)"):
        linked.relink(other)
    assert linked.find_image() == image


def test_an_absent_image_cannot_be_linked(linked: Project, tmp_path: Path):
    with pytest.raises(ImageNotFoundError, match=r"gone\.tif"):
        linked.relink(tmp_path / "gone.tif")


def test_a_project_without_a_file_has_no_image(tmp_path: Path, plan: ProjectPlan):
    with Project.create(tmp_path / "new", plan.replace(image=ImageReference(shape=(40, 50)))) as project:
        assert project.find_image() is None


def test_a_closed_project_is_not_changed(project: Project, painted: np.ndarray):
    project.close()
    with pytest.raises(ProjectError, match=r"p001\.paint\.tif cannot be changed: the project .* is closed"):
        project.write_paint("p001", painted)
