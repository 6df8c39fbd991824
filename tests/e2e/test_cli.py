"""The command from end to end, with a small network of random weights on a drawn image."""

import csv
import json
import shutil

import numpy as np
import pytest
import tifffile
import zarr
from tests.helpers.pyramids import write_ome_set, write_plate

from napari_mouse_seg.cli import main
from napari_mouse_seg.export import read_record

SHAPE = (150, 200)
EXTRAS = ("--csv", "--overlay")
THRESHOLDS = ("--foreground-threshold", "0.3", "--min-area-px", "3", "--device", "cpu")


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    import torch

    from napari_mouse_seg.networks import ArchitecturePlan, ModelCard, build_network, save_model

    torch.manual_seed(0)
    architecture = ArchitecturePlan(encoder="mobilenet_v2", encoder_depth=3, decoder_channels=(8, 8, 8))
    card = ModelCard(name="random", summary="Random weights.", architecture=architecture, pixel_size_um=1.0)
    path = tmp_path_factory.mktemp("model") / "random.safetensors"
    save_model(path, card, build_network(architecture))
    return path


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Two readable images of 0.5 µm pixels, and a truncated one between them."""
    folder = tmp_path_factory.mktemp("images")
    rows, columns = np.indices(SHAPE)
    for index, name in enumerate(("a", "c")):
        pixels = 1000 * (1 + np.sin(rows / 7 + index) * np.sin(columns / 7))
        metadata = {"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
        tifffile.imwrite(folder / f"{name}.ome.tif", pixels.astype(np.uint16), ome=True, metadata=metadata)
    (folder / "b.tif").write_bytes((folder / "a.ome.tif").read_bytes()[:300])
    return folder


@pytest.fixture(scope="module")
def done(model_path, images, tmp_path_factory):
    """Exit code and results of the folder, with every extra."""
    folder = tmp_path_factory.mktemp("out") / "results"
    code = main(["segment", str(images), "--output", str(folder), "--model", str(model_path), *EXTRAS, *THRESHOLDS])
    return code, folder


def segment(model_path, image, folder, *options):
    return main(["segment", str(image), "--output", str(folder), "--model", str(model_path), *options])


def test_one_bad_file_does_not_stop_the_others(done):
    code, folder = done
    assert code == 1
    assert sorted(path.name for path in folder.iterdir()) == [
        *("a.csv", "a.json", "a.tif", "a_overlay.png"),
        *("c.csv", "c.json", "c.tif", "c_overlay.png"),
    ]


def test_labels_are_uint32_at_the_size_of_the_image(done):
    labels = tifffile.imread(done[1] / "a.tif")
    assert labels.dtype == np.uint32
    assert labels.shape == SHAPE


def test_record_tells_what_was_done(done, model_path):
    record = read_record(done[1] / "a.json")
    labels = tifffile.imread(done[1] / "a.tif")
    assert record.n_objects > 0
    assert set(np.unique(labels)) <= set(range(record.n_objects + 1))
    assert record.model.name == "random"
    assert record.input is not None
    assert record.input.path.endswith("a.ome.tif")
    assert record.network_shape_px == (75, 100)
    assert record.pixel_scale == (2, 2)
    assert record.plan["instances"]["foreground_threshold"] == 0.3
    assert {"scores", "instances", "write tiff"} <= set(record.timings_s)
    assert record.outputs == {"tiff": "a.tif", "csv": "a.csv", "overlay": "a_overlay.png"}


def test_measurements_are_in_micrometres(done):
    labels = tifffile.imread(done[1] / "a.tif")
    with (done[1] / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["label"]) for row in rows] == np.unique(labels[labels > 0]).tolist()
    assert float(rows[0]["area_um2"]) == pytest.approx((labels == int(rows[0]["label"])).sum() / 4)


def test_recorded_command_gives_the_same_labels_again(done, tmp_path):
    record = read_record(done[1] / "a.json")
    arguments = list(record.command)[1:]
    arguments[arguments.index("--output") + 1] = str(tmp_path)
    assert main(arguments) == 0
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), tifffile.imread(done[1] / "a.tif"))


def test_ome_zarr_holds_the_same_labels(done, model_path, images, tmp_path):
    assert segment(model_path, images / "a.ome.tif", tmp_path, "--format", "ome-zarr", *THRESHOLDS) == 0
    written = zarr.open_group(str(tmp_path / "a.ome.zarr"), mode="r")["0"][:]
    np.testing.assert_array_equal(written, tifffile.imread(done[1] / "a.tif"))


@pytest.fixture(scope="module")
def positions(tmp_path_factory, images):
    """A file of the two images, the second of which is smaller."""
    path = tmp_path_factory.mktemp("stage") / "stage.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        for name, rows in (("a", SHAPE[0]), ("c", SHAPE[0] - 30)):
            pixels = tifffile.imread(images / f"{name}.ome.tif")[:rows]
            metadata = {"axes": "YX", "Name": name, "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
            file.write(pixels, metadata=metadata)
    return path


def single_image(positions):
    """A file of one image beside one of several."""
    path = positions.with_name("single.tif")
    tifffile.imwrite(path, np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8))
    return path


def test_of_a_file_with_several_images_each_can_be_segmented(done, model_path, positions, tmp_path, capsys):
    assert segment(model_path, positions, tmp_path, "--series", "all", *THRESHOLDS) == 0
    told = capsys.readouterr().out
    assert "stage.ome.tif, series 1: " in told
    assert "2 of 2 images done." in told
    names = [path.name for path in sorted(tmp_path.iterdir())]
    assert names == [f"stage-series{number}.{ending}" for number in (0, 1) for ending in ("json", "tif")]
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "stage-series0.tif"), tifffile.imread(done[1] / "a.tif"))
    assert tifffile.imread(tmp_path / "stage-series1.tif").shape == (SHAPE[0] - 30, SHAPE[1])
    record = read_record(tmp_path / "stage-series1.json")
    assert record.input.series == 1
    assert segment(model_path, positions, tmp_path, "--series", "all", "--resume", *THRESHOLDS) == 0
    assert capsys.readouterr().out.count("done before") == 2
    assert segment(model_path, single_image(positions), tmp_path / "one", "--series", "0", *THRESHOLDS) == 0
    assert (tmp_path / "one" / "single.tif").exists()  # It holds one image, which needs no number.
    (tmp_path / "stage-series1.tif").unlink()
    assert main(list(record.command)[1:]) == 0
    assert tifffile.imread(tmp_path / "stage-series1.tif").shape == (SHAPE[0] - 30, SHAPE[1])


def test_the_fields_of_a_plate_are_segmented_one_after_another(model_path, images, tmp_path, capsys):
    pixels = tifffile.imread(images / "a.ome.tif")
    plate = write_plate(tmp_path / "plate.zarr", {"A/1/0": pixels, "A/1/1": pixels[:64, :64], "B/3/0": pixels})
    (plate / "A/1/1/0/zarr.json").write_text("{")
    results = tmp_path / "results"
    assert segment(model_path, plate, results, *THRESHOLDS) == 1
    told = capsys.readouterr()
    assert "plate.zarr/A/1/0: " in told.out
    assert "plate.zarr/A/1/1" in told.err
    assert "2 of 3 images done." in told.out
    names = [path.name for path in sorted(results.iterdir())]
    assert names == [f"plate-{field}.{ending}" for field in ("A-1-0", "B-3-0") for ending in ("json", "tif")]
    first, last = (tifffile.imread(results / f"plate-{field}.tif") for field in ("A-1-0", "B-3-0"))
    assert first.any()
    np.testing.assert_array_equal(first, last)
    assert read_record(results / "plate-B-3-0.json").input.path == str(plate / "B/3/0")
    assert segment(model_path, plate / "A/1", results, "--resume", *THRESHOLDS) == 1
    assert capsys.readouterr().out.count("done before") == 1


def test_of_a_file_with_several_images_the_largest_is_taken_and_told(done, model_path, positions, tmp_path, capsys):
    assert segment(model_path, positions, tmp_path, *THRESHOLDS) == 0
    told = capsys.readouterr().err
    assert (
        "holds 2 images; only number 0 (“a”) is segmented. Choose another with series, on the command line --series."
        in told
    )
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "stage.tif"), tifffile.imread(done[1] / "a.tif"))


def test_all_series_of_a_file_that_cannot_be_opened_is_one_failure(model_path, images, tmp_path, capsys):
    assert segment(model_path, images, tmp_path, "--series", "all", *THRESHOLDS) == 1
    told = capsys.readouterr()
    assert told.err.count("Error:") == 1
    assert "2 of 3 images done." in told.out
    assert (tmp_path / "a.tif").exists()  # It holds one image, which needs no number.


def test_images_beside_one_that_cannot_be_opened_are_segmented(model_path, images, tmp_path, capsys):
    path, results = tmp_path / "stage.ome.tif", tmp_path / "results"
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(np.zeros((200, 200), np.uint32), metadata={"axes": "YX", "Name": "labels"})
        file.write(tifffile.imread(images / "a.ome.tif"), metadata={"axes": "YX", "Name": "a"})
    assert segment(model_path, path, results, "--series", "all", *THRESHOLDS) == 1
    told = capsys.readouterr()
    assert "stage.ome.tif, series 0: " in told.err
    assert "1 of 2 images done." in told.out
    assert (results / "stage-series1.tif").exists()


def test_an_image_whose_result_would_be_called_as_another_input_is_refused(
    model_path, images, positions, tmp_path, capsys
):
    shutil.copy(images / "a.ome.tif", tmp_path / "stage-series1.ome.tif")
    inputs, results = (positions, tmp_path / "stage-series1.ome.tif"), tmp_path / "results"
    options = ("--model", model_path, "--output", results, "--series", "all", *THRESHOLDS)
    assert main(["segment", *map(str, (*inputs, *options))]) == 1
    told = capsys.readouterr()
    assert "stage.ome.tif, series 1: Its results would be called stage-series1, as those of another input" in told.err
    assert "2 of 3 images done." in told.out
    assert read_record(results / "stage-series1.json").input.path == str(inputs[1])


def test_a_channel_that_is_given_is_one_also_of_a_stained_section(model_path, tmp_path, capsys):
    path = tmp_path / "section.ome.tif"
    pixels = np.random.default_rng(0).integers(0, 30, (1, 96, 96)) + np.array([240, 200, 220]).reshape(3, 1, 1)
    pixels[:, 20:40, 20:40] -= 150
    metadata = {"axes": "CYX"}
    tifffile.imwrite(path, pixels.astype(np.uint8), ome=True, photometric="minisblack", metadata=metadata)
    results = tmp_path / "results"
    for options, is_rgb in (((), True), (("--channel", "0"), False), (("--channel", "1"), False)):
        assert segment(model_path, path, results, *options, "--resume", "--overwrite") == 0
        assert "done before" not in capsys.readouterr().out
        assert read_record(results / "section.json").input.is_rgb is is_rgb


def test_results_of_a_version_that_noted_less_are_finished_too(model_path, images, tmp_path, capsys):
    path = images / "a.ome.tif"
    assert segment(model_path, path, tmp_path, *THRESHOLDS) == 0
    record = json.loads((tmp_path / "a.json").read_text())
    del record["input"]["is_rgb"], record["input"]["series"]
    (tmp_path / "a.json").write_text(json.dumps(record))
    assert segment(model_path, path, tmp_path, *THRESHOLDS, "--resume") == 0
    assert "done before" in capsys.readouterr().out


def test_files_of_one_image_are_segmented_once_and_known_by_all_of_them(model_path, tmp_path, capsys):
    images = tmp_path / "images"
    images.mkdir()
    write_ome_set(images)
    assert segment(model_path, images, tmp_path / "out", *THRESHOLDS) == 0
    assert "c1.ome.tif: a part of the image c0.ome.tif, which stands for it" in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["c0.json", "c0.tif"]
    record = read_record(tmp_path / "out" / "c0.json")
    assert record.input.size_bytes == sum(path.stat().st_size for path in images.iterdir())
    assert segment(model_path, images, tmp_path / "out", *THRESHOLDS, "--resume") == 0
    assert "done before" in capsys.readouterr().out
    with tifffile.TiffFile(images / "c1.ome.tif", mode="r+b") as other:
        other.filehandle.seek(other.pages[0].dataoffsets[0])
        other.filehandle.write(b"changed")
    assert segment(model_path, images, tmp_path / "out", *THRESHOLDS, "--resume") == 1
    assert "the image, or its results, changed since" in capsys.readouterr().err
    assert segment(model_path, images / "c1.ome.tif", tmp_path / "out", *THRESHOLDS) == 0


def test_a_run_that_cannot_be_resumed_says_what_differs(model_path, images, tmp_path, capsys):
    path = images / "a.ome.tif"
    assert segment(model_path, path, tmp_path, *THRESHOLDS) == 0
    assert segment(model_path, path, tmp_path, *THRESHOLDS, "--resume", "--csv", "--split-depth", "0.2") == 1
    told = capsys.readouterr().err
    assert "a.ome.tif cannot be resumed: an earlier run differs in csv, split_depth. --overwrite replaces" in told


def test_results_are_not_overwritten_silently(model_path, images, tmp_path, capsys):
    (tmp_path / "a.tif").write_text("precious")
    assert segment(model_path, images / "a.ome.tif", tmp_path) == 1
    assert (tmp_path / "a.tif").read_text() == "precious"
    assert "exists already" in capsys.readouterr().err
    assert segment(model_path, images / "a.ome.tif", tmp_path, "--overwrite") == 0
    assert tifffile.imread(tmp_path / "a.tif").shape == SHAPE


def test_a_run_that_was_cut_off_goes_on_with_what_is_missing(model_path, images, tmp_path, capsys):
    image = tmp_path / "in" / "a.ome.tif"
    image.parent.mkdir()
    image.write_bytes((images / "a.ome.tif").read_bytes())
    other = image.parent / "b.ome.tif"
    other.write_bytes(image.read_bytes())
    out = tmp_path / "out"
    assert segment(model_path, image, out, "--csv") == 0
    written = (out / "a.json").read_bytes()
    assert segment(model_path, image.parent, out, "--csv", "--resume") == 0
    told = capsys.readouterr().out
    assert "a.ome.tif" in told
    assert "done before" in told
    assert "2 of 2 images done" in told
    assert (out / "a.json").read_bytes() == written
    assert (out / "b.json").exists()
    # Other options, a format that is missing, an input that changed: it is not the same run, and nothing is replaced.
    assert segment(model_path, image, out, "--csv", "--resume", "--scale", "0.5") == 1
    (out / "a.csv").unlink()
    assert segment(model_path, image, out, "--csv", "--resume") == 1
    assert "--overwrite" in capsys.readouterr().err
    assert segment(model_path, image, out, "--csv", "--resume", "--overwrite") == 0
    assert (out / "a.csv").exists()
    assert segment(model_path, image, out, "--overwrite", "--scale", "0.5") == 0
    assert (
        segment(model_path, image, out, "--csv", "--resume", "--scale", "0.5") == 1
    )  # the older table went with its run
    assert segment(model_path, image, out, "--csv", "--overwrite") == 0
    (out / "a.json").write_text("")
    assert segment(model_path, image, out, "--csv", "--resume") == 1
    assert "Remove it, or allow overwriting (--overwrite)." in capsys.readouterr().err
    assert segment(model_path, image, out, "--csv", "--resume", "--overwrite") == 0
    tifffile.imwrite(image, tifffile.imread(image)[::-1])
    assert segment(model_path, image, out, "--csv", "--resume") == 1


def test_input_is_never_replaced_by_its_result(model_path, images, tmp_path, capsys):
    image = tmp_path / "a.tif"
    shutil.copy(images / "a.ome.tif", image)
    before = image.read_bytes()
    assert segment(model_path, image, tmp_path, "--overwrite") == 1
    assert image.read_bytes() == before
    assert "would replace its own input" in capsys.readouterr().err


def test_output_among_the_inputs_is_bad_usage(model_path, images, capsys):
    assert segment(model_path, images, images) == 2
    assert "is also an input folder" in capsys.readouterr().err


def test_channel_that_is_not_there_is_told(model_path, images, tmp_path, capsys):
    assert segment(model_path, images / "a.ome.tif", tmp_path, "--channel", "3") == 1
    shown = capsys.readouterr().err
    assert shown.startswith("Error: a.ome.tif has no channel 3")
    assert "Traceback" not in shown
    assert not list(tmp_path.iterdir())


def test_unknown_model_is_told(images, tmp_path, capsys):
    assert segment("no-such-model", images / "a.ome.tif", tmp_path) == 1
    assert "no-such-model" in capsys.readouterr().err


def test_cancelling_ends_with_130_and_leaves_no_half_result(model_path, images, tmp_path, monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("napari_mouse_seg.cli._console.Console.progress", interrupt)
    assert segment(model_path, images / "a.ome.tif", tmp_path) == 130
    assert not list(tmp_path.iterdir())
    assert "Cancelled" in capsys.readouterr().err


def test_a_card_can_be_read(model_path, capsys):
    assert main(["models", "info", str(model_path)]) == 0
    shown = capsys.readouterr().out
    assert "Random weights." in shown
    assert "mobilenet_v2" in shown


def test_demo_writes_and_explains_its_results(model_path, images, tmp_path, monkeypatch, capsys):
    # The bundled sample and model are replaced, as this test is about the command.
    monkeypatch.setattr("napari_mouse_seg.images.sample_path", lambda: images / "a.ome.tif", raising=False)
    arguments = [
        "demo",
        "--output",
        str(tmp_path / "demo"),
        "--model",
        str(model_path),
        "--foreground-threshold",
        "0.3",
    ]
    assert main(arguments) == 0
    assert main(arguments) == 0
    assert {path.name for path in (tmp_path / "demo").iterdir()} == {"a.tif", "a.csv", "a_overlay.png", "a.json"}
    found = json.loads((tmp_path / "demo" / "a.json").read_text())["n_objects"]
    shown = capsys.readouterr().out
    assert f"Found {found} object{'' if found == 1 else 's'} in 150 x 200 px, median diameter" in shown
    assert "µm" in shown
    assert "mouse-seg demo --gui" in shown


def test_labels_that_were_cut_off_are_no_finished_result(model_path, images, tmp_path, capsys):
    assert segment(model_path, images / "a.ome.tif", tmp_path, *THRESHOLDS) == 0
    whole = (tmp_path / "a.tif").read_bytes()
    for content in (b"", whole[:-100]):
        (tmp_path / "a.tif").write_bytes(content)
        assert segment(model_path, images / "a.ome.tif", tmp_path, "--resume", *THRESHOLDS) == 1
        assert "the image, or its results, changed since" in capsys.readouterr().err
    assert segment(model_path, images / "a.ome.tif", tmp_path, "--resume", "--overwrite", *THRESHOLDS) == 0
    assert len((tmp_path / "a.tif").read_bytes()) == len(whole)
    assert segment(model_path, images / "a.ome.tif", tmp_path, "--resume", *THRESHOLDS) == 0
    assert "done before" in capsys.readouterr().out


def test_an_image_that_changes_while_it_is_segmented_has_no_result(model_path, images, tmp_path, capsys, monkeypatch):
    from napari_mouse_seg.cli import _file_run

    image = tmp_path / "a.ome.tif"
    shutil.copy(images / "a.ome.tif", image)
    finish = _file_run._finish

    def change(*arguments):
        result = finish(*arguments)
        with image.open("ab") as file:
            file.write(b"more")
        return result

    monkeypatch.setattr(_file_run, "_finish", change)
    assert segment(model_path, image, tmp_path / "out", *THRESHOLDS) == 1
    assert "a.ome.tif changed while it was segmented" in capsys.readouterr().err
    assert not list((tmp_path / "out").iterdir())
