"""``mouse-seg evaluate`` on drawn labels."""

import csv
import json
import shutil

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_mouse_seg.cli import main
from napari_mouse_seg.export import LabelImage, write_ome_zarr


@pytest.fixture
def folders(tmp_path):
    """Image a: two of two found. Image b: one of two found, in another format."""
    predicted, truth = tmp_path / "predicted", tmp_path / "truth"
    predicted.mkdir()
    truth.mkdir()
    labels = np.zeros((20, 20), np.uint16)
    labels[2:8, 2:8] = 1
    labels[12:18, 12:18] = 2
    for name in "ab":
        Image.fromarray(labels).save(truth / f"{name}.png")
    tifffile.imwrite(predicted / "a.tif", labels.astype(np.uint32))
    write_ome_zarr(predicted / "b.ome.zarr", LabelImage(np.where(labels == 1, 1, 0).astype(np.uint32)))
    return predicted, truth


def evaluate(folders, *options):
    return main(["evaluate", *map(str, folders), *map(str, options)])


def test_scores_are_pooled_and_averaged(folders, tmp_path):
    assert evaluate(folders, "--json", tmp_path / "out.json", "--csv", tmp_path / "out.csv") == 0
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["format_version"] == 1
    assert report["n_images"] == 2
    assert report["pooled"]["recall_50"] == 0.75
    assert report["pooled"]["f1_iou_ten"] == pytest.approx(6 / 7)
    assert report["per_image"]["f1_iou_nine"] == pytest.approx((1 + 2 / 3) / 2)
    assert report["images"]["b"]["misses"] == 1
    with (tmp_path / "out.csv").open(newline="") as file:
        assert [(row["image"], row["recall_50"]) for row in csv.DictReader(file)] == [("a", "1.0"), ("b", "0.5")]


def test_table_is_readable(folders, capsys):
    assert evaluate(folders) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split()[:3] == ["P@50", "R@50", "F1@50"]
    assert [line.split("  ")[0] for line in shown[1:5]] == ["a", "b", "mean over images", "pooled objects"]
    assert "2 of 2 true images compared" in shown[5]


def test_missing_prediction_is_an_incomplete_result(folders, capsys):
    (folders[0] / "a.tif").unlink()
    assert evaluate(folders) == 1
    shown = capsys.readouterr()
    assert "1 true images have no prediction in" in shown.err
    assert "1 of 2 true images compared" in shown.out


def test_image_of_another_size_does_not_stop_the_others(folders, capsys):
    tifffile.imwrite(folders[0] / "a.tif", np.zeros((20, 21), np.uint8))
    assert evaluate(folders) == 1
    shown = capsys.readouterr()
    assert "a: The predicted labels have shape (20, 21), but the true labels (20, 20)" in shown.err
    assert "1 of 2 true images compared" in shown.out


@pytest.mark.parametrize("content", [b"", b"II*\0damaged"])
def test_damaged_file_is_told_in_words(content, folders, capsys):
    (folders[0] / "a.tif").write_bytes(content)
    assert evaluate(folders) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_colour_pictures_are_no_labels(folders, capsys):
    tifffile.imwrite(folders[0] / "a.tif", np.zeros((20, 20, 3), np.uint8), photometric="rgb")
    assert evaluate(folders) == 1
    assert "is no label image" in capsys.readouterr().err


def test_small_objects_can_be_dropped(folders, tmp_path):
    labels = tifffile.imread(folders[0] / "a.tif")
    labels[0, 0] = 9
    tifffile.imwrite(folders[0] / "a.tif", labels)
    assert evaluate(folders, "--drop-below", 2, "--json", tmp_path / "out.json") == 0
    assert json.loads((tmp_path / "out.json").read_text())["images"]["a"]["precision_50"] == 1


def test_missing_folder_is_told(folders, tmp_path, capsys):
    assert evaluate((tmp_path / "nowhere", folders[1])) == 1
    assert "There is no folder" in capsys.readouterr().err


def test_report_is_not_overwritten_silently(folders, tmp_path, capsys):
    (tmp_path / "out.json").write_text("old")
    assert evaluate(folders, "--json", tmp_path / "out.json") == 1
    assert (tmp_path / "out.json").read_text() == "old"
    assert "--overwrite" in capsys.readouterr().err
    assert evaluate(folders, "--json", tmp_path / "out.json", "--overwrite") == 0


@pytest.mark.parametrize("option", ["--json", "--csv"])
def test_a_report_that_may_not_be_written_is_told_before_the_work(option, folders, tmp_path, capsys):
    target = tmp_path / "out"
    target.write_text("old")
    (folders[0] / "a.tif").write_bytes(b"damaged, which would be said once it is read")
    assert evaluate(folders, option, target) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"Error: {target} exists already; choose another folder or allow overwriting "
        "(--overwrite, in Python overwrite=True)."
    ]
    assert evaluate(folders, option, tmp_path, "--overwrite") == 2
    assert f"{option} takes a file" in capsys.readouterr().err
    assert target.read_text() == "old"


def test_the_table_is_shown_although_the_report_cannot_be_written(folders, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert evaluate(folders, "--json", tmp_path / "file" / "out.json") == 1
    shown = capsys.readouterr()
    assert "2 of 2 true images compared" in shown.out
    assert "out.json could not be written" in shown.err


def test_areas_are_compared_class_by_class(folders, tmp_path, capsys):
    assert evaluate(folders, "--areas", "--json", tmp_path / "out.json", "--csv", tmp_path / "out.csv") == 0
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["labels"] == [0, 1, 2]
    assert report["confusion"] == [[656, 0, 0], [0, 72, 0], [36, 0, 36]]
    assert report["pooled"]["iou_2"] == 0.5
    assert report["images"]["a"]["mean_iou"] == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split("  ")[-2:] == ["mean IoU", "pixels right"]
    assert shown[1].split()[-5:] == ["1.000"] * 5


@pytest.mark.parametrize(
    ("truth", "predicted", "told"),
    [
        (np.arange(400).reshape(20, 20), np.arange(400).reshape(20, 20), "There are 400 classes"),
        (np.full((20, 20), 32), np.full((20, 20), 2), "No class but 0 is in truth and prediction at once"),
    ],
)
def test_labels_that_mean_something_else_are_doubted(truth, predicted, told, tmp_path, capsys):
    folders = (tmp_path / "predicted", tmp_path / "truth")
    for folder, labels in zip(folders, (predicted, truth), strict=True):
        folder.mkdir()
        tifffile.imwrite(folder / "a.tif", labels.astype(np.uint16))
    assert evaluate(folders, "--areas") == 0
    assert told in capsys.readouterr().err


def test_true_pixels_that_nobody_annotated_can_be_left_out(folders, tmp_path, capsys):
    labels = np.ones((20, 20), np.uint8)
    for name in "ab":
        (folders[0] / f"{name}.tif").unlink(missing_ok=True)
        tifffile.imwrite(folders[0] / f"{name}.tif", labels)
    shutil.rmtree(folders[0] / "b.ome.zarr")
    assert evaluate(folders, "--areas") == 0
    assert "add --ignore 0" in capsys.readouterr().err
    assert evaluate(folders, "--areas", "--ignore", 0, "--json", tmp_path / "out.json") == 0
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["pooled"]["iou_1"] == 0.5
    assert "--ignore" not in capsys.readouterr().err


def test_an_image_that_nobody_annotated_has_no_score(folders, tmp_path, capsys):
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(folders[1] / "a.png")
    json_path, csv_path = tmp_path / "out.json", tmp_path / "out.csv"
    assert evaluate(folders, "--areas", "--ignore", 0, "--json", json_path, "--csv", csv_path) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[1].split() == ["a", "-", "-", "-", "-", "-"]
    assert shown[3].split()[-2:] == ["0.333", "-"]
    assert json.loads(json_path.read_text())["images"]["a"]["mean_iou"] is None
    with csv_path.open(newline="") as file:
        assert [bool(row["mean_iou"]) for row in csv.DictReader(file)] == [False, True]


@pytest.mark.parametrize("options", [("--areas", "--drop-below", 5), ("--ignore", 0)])
def test_options_of_the_other_kind_are_refused(options, folders, capsys):
    assert evaluate(folders, *options) == 2
    assert "--areas" in capsys.readouterr().err


@pytest.mark.parametrize("shape", [(1, 50), (50, 1), (1, 1)])
def test_label_images_one_pixel_wide_are_label_images(shape, tmp_path, capsys):
    for name in ("predicted", "truth"):
        (tmp_path / name).mkdir()
        tifffile.imwrite(tmp_path / name / "a.tif", np.ones(shape, np.uint32))
    assert evaluate((tmp_path / "predicted", tmp_path / "truth")) == 0
    assert "a " in capsys.readouterr().out


def test_images_and_masks_in_place_of_labels_are_doubted(folders, capsys):
    predicted, truth = folders
    grey = np.random.default_rng(0).integers(1, 200, (20, 20)).astype(np.uint16)
    tifffile.imwrite(predicted / "a.tif", grey)
    mask = np.zeros((20, 20), np.uint8)
    mask[1::5, 1::5] = 255
    Image.fromarray(mask).save(truth / "b.png")
    assert evaluate(folders) == 0
    told = capsys.readouterr().err
    assert f"{predicted / 'a.tif'}: most neighbouring pixels differ, so this seems to be an image" in told
    assert f"{truth / 'b.png'}: the only label is in many pieces, so this seems to be a mask" in told


def test_labels_of_objects_are_not_doubted(folders, capsys):
    touching = np.kron(np.arange(1, 26).reshape(5, 5), np.ones((4, 4), int)).astype(np.uint16)
    for folder in folders:
        for path in folder.glob("a.*"):
            path.unlink()
        tifffile.imwrite(folder / "a.tif", touching)
    assert evaluate(folders) == 0
    assert "seems to be" not in capsys.readouterr().err


def test_json_and_csv_are_two_files(folders, tmp_path, capsys):
    assert evaluate(folders, "--json", tmp_path / "out", "--csv", tmp_path / "out") == 2
    assert "--json and --csv would both be written" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
