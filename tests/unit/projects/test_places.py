"""Which folder is an image's project."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from napari_mouse_seg.plans import ImageReference, ProjectPlan
from napari_mouse_seg.projects import (
    FingerprintNeededError,
    Project,
    find_project,
    free_folder,
    project_places,
    relinked,
)

SHAPE = (40, 50)


@pytest.fixture(autouse=True)
def places(home: Path) -> Path:
    """Return the folder for projects in a home of the test's own."""
    return home / "mouse-seg"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    return folder


def an_image(path: Path, content: str = "pixels") -> ImageReference:
    path.write_text(content)
    return ImageReference(path=str(path), name=path.stem, shape=SHAPE)


def make_project(folder: Path, image: ImageReference) -> Path:
    known = relinked(image, Path(image.path), folder) if image.path else image
    Project.create(folder, ProjectPlan(image=known, network_shape=SHAPE, limits=(0, 1))).close()
    return folder


def test_a_project_in_the_home_folder_is_found(images: Path, places: Path) -> None:
    image = an_image(images / "slide.tif")
    assert find_project(image) is None
    folder = make_project(places / "slide.mouse-seg", image)
    assert find_project(image) == folder


def test_a_project_beside_the_image_comes_first(images: Path, places: Path) -> None:
    image = an_image(images / "slide.tif")
    make_project(places / "slide.mouse-seg", image)
    beside = make_project(images / "slide.mouse-seg", image)
    assert find_project(image) == beside


def test_the_home_folder_tells_images_of_one_name_apart(tmp_path: Path, places: Path) -> None:
    found = []
    for number in range(3):
        (tmp_path / f"folder-{number}").mkdir()
        image = an_image(tmp_path / f"folder-{number}" / "slide.tif", f"pixels {number}")
        assert find_project(image) is None
        found.append((image, make_project(free_folder(places / "slide.mouse-seg"), image)))
    assert [folder.name for _, folder in found] == ["slide.mouse-seg", "slide-2.mouse-seg", "slide-3.mouse-seg"]
    assert [find_project(image) for image, _ in found] == [folder for _, folder in found]


def test_numbers_that_are_gone_hide_no_project(images: Path, places: Path) -> None:
    image = an_image(images / "slide.tif")
    folder = make_project(places / "slide-12.mouse-seg", image)
    assert find_project(image) == folder


def test_another_image_at_the_same_path_gets_no_project_out_of_the_home_folder(images: Path, places: Path) -> None:
    make_project(places / "slide.mouse-seg", an_image(images / "slide.tif"))
    assert find_project(an_image(images / "slide.tif", "another")) is None


def test_a_project_of_which_only_the_backup_is_left_is_found(images: Path) -> None:
    image = an_image(images / "slide.tif")
    folder = make_project(images / "slide.mouse-seg", image)
    (folder / "project.json").unlink()
    assert find_project(image) == folder
    assert free_folder(folder) == images / "slide-2.mouse-seg"


def test_a_project_that_cannot_be_read_is_opened_so_that_its_fault_is_told(images: Path) -> None:
    image = an_image(images / "slide.tif")
    folder = make_project(images / "slide.mouse-seg", image)
    for file in ("project.json", "project.json.bak"):
        (folder / file).write_text("{")
    assert find_project(image) == folder


def test_an_image_of_the_same_name_has_a_project_of_its_own(images: Path) -> None:
    first, second = an_image(images / "slide.tif", "grey"), an_image(images / "slide.png", "coloured")
    make_project(images / "slide.mouse-seg", first)
    assert find_project(second) is None
    folder = make_project(free_folder(project_places(second)[0]), second)
    assert folder == images / "slide-2.mouse-seg"
    assert (find_project(first), find_project(second)) == (images / "slide.mouse-seg", folder)


def test_a_project_whose_image_is_gone_is_offered_to_what_is_there_now(images: Path) -> None:
    folder = make_project(images / "slide.mouse-seg", an_image(images / "slide.tif"))
    (images / "slide.tif").unlink()
    assert find_project(an_image(images / "slide.png", "another")) == folder


def test_images_without_a_file_are_told_apart_by_name_and_size(places: Path) -> None:
    image = ImageReference(name="a/b", shape=SHAPE)
    assert project_places(image) == (places / "a_b.mouse-seg",)
    folder = make_project(places / "a_b.mouse-seg", image)
    larger = make_project(places / "a_b-2.mouse-seg", image.replace(shape=(80, 100)))
    assert find_project(image) == folder
    assert find_project(image.replace(shape=(80, 100))) == larger


def test_a_file_in_the_way_is_not_taken_for_a_folder(images: Path) -> None:
    (images / "slide.mouse-seg").write_text("")
    assert free_folder(images / "slide.mouse-seg") == images / "slide-2.mouse-seg"


def test_channels_of_a_file_have_projects_of_their_own(images: Path) -> None:
    image = an_image(images / "slide.tif")
    channels = [image.replace(file_channel=channel) for channel in range(3)]
    folders = [make_project(free_folder(images / "slide.mouse-seg"), channel) for channel in channels[:2]]
    assert [find_project(channel) for channel in channels[:2]] == folders
    assert find_project(image) == folders[0]  # A reader that does not say which channel it is.
    assert find_project(channels[2]) == folders[0]  # Which then says that it is another channel's.


def test_images_of_a_file_have_projects_of_their_own(images: Path) -> None:
    image = an_image(images / "slide.tif")
    series = [image.replace(series=number) for number in range(3)]
    folders = [make_project(free_folder(images / "slide.mouse-seg"), one) for one in series[:2]]
    assert [find_project(one) for one in series] == [*folders, None]
    assert find_project(image) == folders[0]  # A reader that does not say which image it is.


def test_a_project_that_does_not_know_its_channel_goes_with_any(images: Path) -> None:
    image = an_image(images / "slide.tif")
    folder = make_project(images / "slide.mouse-seg", image)
    assert find_project(image.replace(file_channel=1)) == folder


def test_a_quick_search_does_not_read_the_image(images: Path, places: Path) -> None:
    image = an_image(images / "slide.tif")
    assert find_project(image, quick=True) is None
    make_project(places / "slide.mouse-seg", image)
    with pytest.raises(FingerprintNeededError):
        find_project(image, quick=True)
    beside = make_project(images / "slide.mouse-seg", image)
    assert find_project(image, quick=True) == beside


def test_the_project_that_was_left_last_comes_first_wherever_it_lies(images: Path, tmp_path: Path) -> None:
    image = an_image(images / "slide.tif")
    make_project(images / "slide.mouse-seg", image)
    chosen = [make_project(tmp_path / name, image) for name in ("one", "two")]
    left = dict.fromkeys(chosen, image)
    assert find_project(image, left, quick=True) == chosen[1]
    assert find_project(an_image(images / "other.tif", "others"), left) is None


def test_a_renamed_image_finds_its_project(images: Path) -> None:
    other = an_image(images / "other.tif", "other pixels")
    make_project(images / "other.mouse-seg", other)
    image = an_image(images / "slide.tif")
    folder = make_project(images / "slide.mouse-seg", image)
    copy = an_image(images / "copy.tif")
    assert find_project(copy) is None  # The image of that project is still there.
    renamed = image.replace(path=str(Path(image.path).rename(images / "renamed.tif")))
    with pytest.raises(FingerprintNeededError):
        find_project(renamed, quick=True)
    assert find_project(renamed) == folder
    assert find_project(an_image(images / "stranger.tif", "strange pixels")) is None
    assert find_project(renamed.replace(shape=(9, 9))) is None


def test_a_folder_of_an_image_is_not_taken_for_another_that_is_gone(images: Path) -> None:
    zarrs = [images / f"{name}.zarr" for name in ("gone", "other")]
    for folder, content in zip(zarrs, ("pixels", "others"), strict=True):
        folder.mkdir()
        (folder / "0.0").write_text(content)
    gone, other = (ImageReference(path=str(folder), name=folder.stem, shape=SHAPE) for folder in zarrs)
    make_project(images / "gone.mouse-seg", gone)
    shutil.rmtree(zarrs[0])
    assert find_project(other) is None


def test_two_folders_that_are_both_there_are_two_images_though_their_fingerprints_agree(images: Path) -> None:
    folders = [images / f"{name}.zarr" for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
        (folder / "0.0").write_text(folder.stem[0] * 3)  # Of the same size.
    one, other = (ImageReference(path=str(folder), name=folder.stem, shape=SHAPE) for folder in folders)
    project = make_project(images / "kept.mouse-seg", one)
    left = {project: relinked(one, folders[0], project)}
    assert find_project(one, left) == project
    assert find_project(other, left) is None
    folders[0].rename(images / "gone")
    assert find_project(other, left) == project  # What was moved is the same image.


def test_many_projects_beside_an_image_are_not_read_in_a_quick_search(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        make_project(images / f"{number}.mouse-seg", an_image(images / f"{number}.tif", str(number)))
    read: list[Path] = []
    monkeypatch.setattr("napari_mouse_seg.projects._places.read_plan", read.append)
    with pytest.raises(FingerprintNeededError):
        find_project(an_image(images / "new.tif"), quick=True)
    assert read == []
