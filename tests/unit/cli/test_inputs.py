"""Which files a command works on."""

from errno import EACCES
from pathlib import Path

import numpy as np
import pytest
from tests.helpers.pyramids import write_plate

from napari_mouse_seg.cli._inputs import check_stems, find_inputs, find_labels, user_path
from napari_mouse_seg.errors import ImageError, ImageNotFoundError, PlanError
from napari_mouse_seg.images import image_stem


@pytest.fixture
def folder(tmp_path):
    for name in ("b.tif", "a.png", "notes.txt", ".hidden.tif"):
        (tmp_path / name).touch()
    (tmp_path / "c.ome.zarr").mkdir()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "d.tif").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a.tif", "a"), ("a.b.tif", "a.b"), ("a.ome.tif", "a"), ("a.OME.TIFF", "a"), ("a.ome.zarr", "a"), ("a", "a")],
)
def test_stem_is_the_name_without_its_format(name, stem):
    assert image_stem(Path("folder") / name) == stem


def test_folder_stands_for_the_images_directly_in_it(folder):
    assert [path.name for path in find_inputs([str(folder)])] == ["a.png", "b.tif", "c.ome.zarr"]


def test_patterns_work_where_the_shell_does_not_expand_them(folder):
    assert [path.name for path in find_inputs([str(folder / "*.tif")])] == ["b.tif"]


def test_zarr_folder_is_one_image(folder):
    assert find_inputs([str(folder / "c.ome.zarr")]) == [folder / "c.ome.zarr"]


def test_image_given_twice_is_taken_once(folder):
    assert find_inputs([str(folder / "b.tif"), str(folder / "*.tif")]) == [folder / "b.tif"]


def test_a_pattern_with_a_suffix_takes_what_it_names(folder):
    (folder / "stack.lsm").touch()
    assert find_inputs([str(folder / "*.lsm")]) == [folder / "stack.lsm"]
    assert [path.name for path in find_inputs([str(folder / "*")])] == ["a.png", "b.tif", "c.ome.zarr"]


def test_spellings_of_one_file_are_one_input(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert find_inputs(["b.tif", "./b.tif", "inner/../b.tif", str(folder / "b.tif")]) == [folder / "b.tif"]


@pytest.mark.parametrize(("inside", "text"), [("c.ome.zarr", "."), ("c.ome.zarr/0", "..")])
def test_the_folder_one_is_in_has_its_name(folder, monkeypatch, inside, text):
    (folder / inside).mkdir(exist_ok=True)
    (folder / "c.ome.zarr" / ".zattrs").touch()
    monkeypatch.chdir(folder / inside)
    assert find_inputs([text]) == [folder / "c.ome.zarr"]


def test_a_link_keeps_its_name(folder, monkeypatch):
    (folder / "link.tif").symlink_to(folder / "b.tif")
    monkeypatch.chdir(folder / "inner")
    assert find_inputs(["../link.tif"]) == [folder / "link.tif"]


def test_missing_file_is_left_to_the_reader(tmp_path):
    assert find_inputs([str(tmp_path / "no.tif")]) == [tmp_path / "no.tif"]


def test_a_name_that_no_disk_takes_is_left_to_the_reader(tmp_path):
    path = tmp_path / f"{'a' * 300}.tif"
    assert find_inputs([str(path)]) == [path]
    with pytest.raises(ImageNotFoundError, match="There is no folder"):
        find_labels(path)


def test_folder_without_images_is_told(folder):
    with pytest.raises(ImageNotFoundError, match="holds no image that can be opened"):
        find_inputs([str(folder / "*.gif")])


def test_inputs_that_would_share_a_result_are_refused():
    with pytest.raises(PlanError, match=r"a\.tif and .*A\.png would both be written as A"):
        check_stems([Path("one") / "a.tif", Path("two") / "A.png"])


def test_label_folder_leaves_out_overlays_and_records(folder):
    (folder / "a_overlay.png").touch()
    (folder / "a.json").touch()
    assert set(find_labels(folder)) == {"a", "b", "c"}


def test_an_image_that_is_called_overlay_is_kept(tmp_path):
    (tmp_path / "x_overlay.png").touch()
    assert set(find_labels(tmp_path)) == {"x_overlay"}


def test_two_labels_of_one_stem_are_refused(folder):
    (folder / "b.png").touch()
    with pytest.raises(PlanError, match=r"b\.png and .*b\..* are both labels of b; leave one"):
        find_labels(folder)


@pytest.mark.parametrize("find", [lambda folder: find_inputs([str(folder)]), find_labels])
def test_a_folder_that_may_not_be_read_is_named(find, folder, monkeypatch):
    def refuse(path):
        raise PermissionError(EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)  # The administrator, who runs some tests, may read everything.
    with pytest.raises(ImageError, match=rf"The folder {folder} cannot be read \(Permission denied\)"):
        find(folder)


def test_a_pattern_below_a_folder_with_brackets_finds_its_files(tmp_path):
    plate = tmp_path / "plate [A1]"
    plate.mkdir()
    (plate / "one.tif").touch()
    assert find_inputs([str(plate / "*.tif")]) == [plate / "one.tif"]


def test_a_plate_stands_for_its_fields(tmp_path):
    names = ("A/1/0", "A/1/1", "C/3/0")
    plate = write_plate(tmp_path / "p.zarr", {name: np.ones((8, 8), np.uint8) for name in names})
    fields = [plate / name for name in names]
    assert find_inputs([str(plate)]) == find_inputs([str(tmp_path)]) == find_inputs([f"{tmp_path}/*"]) == fields
    assert find_inputs([str(plate / "A/1"), str(fields[1])]) == fields[:2]
    check_stems(fields)


def test_two_stars_stand_for_folders_within_folders(tmp_path):
    for name in ("top.tif", "one/mid.tif", "one/two/deep.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert {path.name for path in find_inputs([f"{tmp_path}/**/*.tif"])} == {"top.tif", "mid.tif", "deep.tif"}


def test_a_tilde_is_the_home_folder_but_not_of_a_file_that_is_called_so(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "~$a.tif").touch()
    assert find_inputs(["~$a.tif", "~nobody-of-this-name/b.tif"])[0] == tmp_path / "~$a.tif"
    assert user_path("~/out") == tmp_path / "home" / "out"
    assert user_path("out/~") == Path("out/~")
