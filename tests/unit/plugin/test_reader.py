"""The reader gives napari lazy layers with scale, units, names and contrast limits."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import dask
import dask.array as da
import imagecodecs
import numpy as np
import pytest
import tifffile
from napari.layers import Labels
from tests.helpers.pyramids import (
    halves,
    pattern,
    write_ome_zarr,
    write_plate,
    write_pyramid_tiff,
    write_sparse_tiff,
)

from napari_mouse_seg.errors import DamagedImageError, ImageNotFoundError, UnsupportedImageError
from napari_mouse_seg.export import LabelImage, write_tiff
from napari_mouse_seg.export import write_ome_zarr as write_ome_zarr_labels
from napari_mouse_seg.images import _tiff_level
from napari_mouse_seg.plugin._reader import get_reader, read

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_dask_threads():
    """Leave no thread pool behind."""
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.mark.parametrize(
    "name",
    ["a.tif", "a.TIFF", "a.ome.tif", "a.svs", "a.ndpi", "a.scn", "a.png", "a.jpg", "a.JPEG", "a.ome.zarr", "a.zarr/"],
)
def test_image_names_are_accepted_alone_and_in_lists(name: str):
    assert get_reader(name) is read
    assert get_reader([name, "b.tif"]) is read


@pytest.mark.parametrize("path", ["a.csv", "a.npy", "zarr", "a.tif.txt", [], ["a.tif", "b.csv"]])
def test_other_names_are_left_to_other_readers(path: str | list[str]):
    assert get_reader(path) is None


def write_positions(path: Path, count: int) -> Path:
    """An OME-TIFF of several positions, the second of which is the largest; each has two channels."""
    with tifffile.TiffWriter(path, ome=True) as file:
        for number in range(count):
            pixels = np.stack([pattern((30, 40 + 10 * (number == 1)))] * 2)
            metadata = {"axes": "CYX", "Name": f"Position {number + 1}"}
            file.write(pixels, photometric="minisblack", metadata=metadata)
    return path


def test_every_image_of_a_file_becomes_layers_and_the_largest_is_seen(tmp_path: Path):
    layers = read(write_positions(tmp_path / "stage.ome.tif", 3))
    names = [arguments["name"] for _, arguments, _ in layers]
    assert names == [f"stage – Position {number} – channel {channel}" for number in (1, 3, 2) for channel in (0, 1)]
    assert [arguments["visible"] for _, arguments, _ in layers] == [False] * 4 + [True] * 2
    said = [arguments["metadata"]["mouse_seg_series"]["index"] for _, arguments, _ in layers]
    assert said == [0, 0, 2, 2, 1, 1]


def test_of_very_many_images_the_first_are_opened_and_the_others_named(tmp_path: Path, monkeypatch):
    told: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", told.append)
    layers = read(write_positions(tmp_path / "stage.ome.tif", 18))
    assert len(layers) == 2 * 16
    assert told == [f"{tmp_path / 'stage.ome.tif'}: Of its 18 images these are not opened: Position 17, Position 18."]


def test_an_image_that_cannot_be_opened_does_not_hide_the_others(tmp_path: Path, monkeypatch):
    from napari_mouse_seg import images

    told: list[str] = []
    opened = images.open_image

    def refuse(path: Path, *, series: int | None = None, labels: bool = False):
        if series == 0:
            raise DamagedImageError("Position 1 is damaged")
        return opened(path, series=series, labels=labels)

    monkeypatch.setattr(images, "open_image", refuse)
    monkeypatch.setattr("napari.utils.notifications.show_warning", told.append)
    layers = read(write_positions(tmp_path / "stage.ome.tif", 2))
    assert [arguments["name"] for _, arguments, _ in layers] == [f"stage – Position 2 – channel {c}" for c in (0, 1)]
    assert told == [f"{tmp_path / 'stage.ome.tif'}: Position 1: Position 1 is damaged"]


def test_the_first_fields_of_a_plate_become_layers_and_the_first_of_them_is_seen(tmp_path: Path, monkeypatch):
    told: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", told.append)
    names = [f"A/{column}/0" for column in range(1, 19)]
    plate = write_plate(tmp_path / "screen.ome.zarr", {name: pattern((30, 40)) for name in names})
    shutil.rmtree(plate / "A/2")
    layers = read(plate)
    assert [arguments["name"] for _, arguments, _ in layers][-2:] == ["screen.ome – A/16/0", "screen.ome – A/1/0"]
    assert [arguments["visible"] for _, arguments, _ in layers] == [False] * 14 + [True]
    assert layers[-1][1]["metadata"]["mouse_seg_path"] == str(plate / "A/1/0")
    assert "A/2: There is no file or directory" in told[0]
    assert told[0].endswith("Of its 18 images these are not opened: A/17/0, A/18/0.")


def test_wells_and_fields_of_a_plate_are_read_too(tmp_path: Path):
    plate = write_plate(tmp_path / "p.zarr", {name: pattern((30, 40)) for name in ("A/1/0", "A/1/1")})
    for path, count in ((plate / "A" / "1", 2), (plate / "A" / "1" / "1", 1)):
        reader = get_reader(str(path))
        assert reader is not None
        assert len(reader(str(path))) == count


def test_where_the_largest_cannot_be_opened_another_is_seen(tmp_path: Path, monkeypatch):
    told: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", told.append)
    with tifffile.TiffWriter(tmp_path / "stage.ome.tif", ome=True) as file:
        for dtype, size in (("complex64", 90), ("uint8", 30), ("uint8", 20)):
            file.write(np.zeros((size, size), dtype), photometric="minisblack", metadata={"axes": "YX"})
    layers = read(tmp_path / "stage.ome.tif")
    assert [(len(data), arguments["visible"]) for data, arguments, _ in layers] == [(20, False), (30, True)]
    assert "Image0: " in told[0]
    with tifffile.TiffWriter(tmp_path / "none.ome.tif", ome=True) as file:
        for _ in range(2):
            file.write(np.zeros((9, 9), "complex64"), photometric="minisblack", metadata={"axes": "YX"})
    with pytest.raises(UnsupportedImageError, match="complex64"):
        read(tmp_path / "none.ome.tif")


def test_many_troubles_are_counted(tmp_path: Path, monkeypatch):
    told: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", told.append)
    read(write_positions(tmp_path / "stage.ome.tif", 40))
    assert "Position 17, Position 18, Position 19, Position 20, Position 21 and 19 more." in told[0]


def test_a_pyramid_becomes_a_multiscale_layer_in_micrometres(tmp_path: Path):
    levels = halves(pattern((300, 200), "uint16"), 3)
    metadata = {"axes": "YX", "PhysicalSizeX": 250, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.5}
    path = write_pyramid_tiff(tmp_path / "cells.ome.tif", levels, metadata=metadata)
    [(data, arguments, kind)] = read(str(path))
    assert kind == "image"
    assert [level.shape for level in data] == [(300, 200), (150, 100), (75, 50)]
    assert all(isinstance(level, da.Array) for level in data)
    np.testing.assert_array_equal(np.asarray(data[1][20:80, 3:50]), levels[1][20:80, 3:50])
    assert (arguments["name"], arguments["multiscale"], arguments["rgb"]) == ("cells", True, False)
    assert arguments["scale"] == pytest.approx((0.5, 0.25))
    assert arguments["units"] == ("µm", "µm")
    assert arguments["metadata"] == {
        "mouse_seg_path": str(path),
        "mouse_seg_axes": "YX",
        "mouse_seg_channel": 0,
    }


def test_each_channel_is_a_layer_with_its_name_and_limits(tmp_path: Path):
    pixels = np.stack([np.full((4, 64, 64), 10), np.full((4, 64, 64), 500)]).astype(np.uint16)
    pixels[:, 2, ::2] = [[[20]], [[900]]]
    scales = [[1, 2.0, 0.5, 0.5]]
    path = write_ome_zarr(tmp_path / "a.ome.zarr", [pixels], "czyx", scales=scales, channels=("DAPI", "Actin"))
    layers = read(path)
    assert [arguments["name"] for _, arguments, _ in layers] == ["a – DAPI", "a – Actin"]
    assert [arguments["contrast_limits"] for _, arguments, _ in layers] == [(10, 20), (500, 900)]
    data, arguments, _ = layers[1]
    assert (data.shape, arguments["multiscale"]) == ((4, 64, 64), False)
    assert (arguments["scale"], arguments["units"]) == ((2.0, 0.5, 0.5), ("µm", "µm", "µm"))
    assert (arguments["metadata"]["mouse_seg_axes"], arguments["metadata"]["mouse_seg_channel"]) == ("ZYX", 1)
    np.testing.assert_array_equal(np.asarray(data[2, 5:9]), pixels[1, 2, 5:9])


def test_an_unknown_pixel_size_gives_pixels(tmp_path: Path):
    tifffile.imwrite(tmp_path / "a.tif", pattern((30, 40)))
    [(_, arguments, _)] = read(tmp_path / "a.tif")
    assert (arguments["scale"], arguments["units"]) == ((1.0, 1.0), ("pixel", "pixel"))


def test_colour_has_no_contrast_limits(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(pattern((30, 40, 4))))
    [(data, arguments, _)] = read(tmp_path / "a.png")
    assert (data.shape, arguments["rgb"], "contrast_limits" in arguments) == ((30, 40, 3), True, False)


@pytest.mark.parametrize(
    ("pixels", "limits"),
    [
        (np.full((20, 20), 7, np.uint8), (0, 255)),
        (np.full((20, 20), np.nan, np.float32), (0, 1)),
        (np.where(np.arange(2000).reshape(40, 50) == 3, np.float32(5), np.float32(1)), (1, 5)),
        (np.where(np.arange(400).reshape(20, 20) % 2, np.float32(np.inf), np.float32(-3)), (0, 1)),
    ],
)
def test_contrast_limits_are_finite_and_ordered(tmp_path: Path, pixels: np.ndarray, limits: tuple[float, float]):
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    [(_, arguments, _)] = read(tmp_path / "a.tif")
    assert arguments["contrast_limits"] == limits


def test_a_large_flat_image_is_not_read_for_its_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked: set[tuple[int, ...]] = set()
    original = _tiff_level.TiffLevel._decode

    def noting(self: _tiff_level.TiffLevel, number: int, segment: int, file: object) -> np.ndarray:
        asked.add((number, segment))
        return original(self, number, segment, file)

    monkeypatch.setattr(_tiff_level.TiffLevel, "_decode", noting)
    [(data, _, _)] = read(write_sparse_tiff(tmp_path / "a.tif"))
    assert [level.shape[0] for level in data] == [20_480, 10_240, 5120, 2560, 1280]
    assert 0 < len(asked) <= 100 < 1600


def test_several_paths_give_the_layers_of_all(tmp_path: Path):
    for name in ("a.tif", "b.tif"):
        tifffile.imwrite(tmp_path / name, pattern((30, 40)))
    layers = read([str(tmp_path / "a.tif"), str(tmp_path / "b.tif")])
    assert [arguments["name"] for _, arguments, _ in layers] == ["a", "b"]


def test_errors_are_ours(tmp_path: Path):
    with pytest.raises(ImageNotFoundError, match=r"gone\.tif"):
        read(tmp_path / "gone.tif")
    (tmp_path / "a.tif").write_bytes(b"II*\0\1\2\3\4")
    with pytest.raises(DamagedImageError, match=r"a\.tif"):
        read(tmp_path / "a.tif")


def test_napari_makes_layers_of_it(tmp_path: Path):
    layers = pytest.importorskip("napari.layers")
    levels = halves(pattern((3, 2, 150, 131), "uint16"), 2)
    metadata = {"axes": "ZCYX", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2.0}
    path = write_pyramid_tiff(tmp_path / "a.ome.tif", levels, metadata=metadata, photometric="minisblack")
    made = [layers.Layer.create(*layer) for layer in read(path)]
    assert [(layer.ndim, layer.multiscale) for layer in made] == [(3, True), (3, True)]
    assert [str(unit) for unit in made[1].units] == ["micrometer"] * 3
    assert made[1].scale == pytest.approx((2, 0.5, 0.25))
    np.testing.assert_array_equal(np.asarray(made[1].data[0][2, :9]), levels[0][2, 1, :9])


@pytest.mark.parametrize("ending", ["tif", "ome.zarr"])
@pytest.mark.parametrize("side", [700, 4100])
def test_results_come_back_as_labels_in_their_place(tmp_path: Path, ending: str, side: int):
    labels = np.zeros((side, side + 50), np.uint32)
    labels[10:600, 20:500] = 70_000
    labels[601:650, 20:500] = 3
    write = write_tiff if ending == "tif" else write_ome_zarr_labels
    write(tmp_path / f"cells.{ending}", LabelImage(labels, (0.5, 0.25), "cells"))
    [(data, arguments, kind)] = read(str(tmp_path / f"cells.{ending}"))
    assert kind == "labels"
    assert isinstance(data, np.ndarray) == (side == 700)  # Small ones can be painted in.
    assert arguments["multiscale"] == (side != 700)
    levels = data if arguments["multiscale"] else [data]
    np.testing.assert_array_equal(np.asarray(levels[0][:700, :600]), labels[:700, :600])
    assert set(np.unique(np.asarray(levels[-1]))) <= {0, 3, 70_000}
    assert arguments["scale"] == pytest.approx((0.5, 0.25))
    assert "contrast_limits" not in arguments
    Labels(data, **arguments)
