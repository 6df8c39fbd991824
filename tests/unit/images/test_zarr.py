"""OME-Zarr 0.4 and 0.5."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr
from tests.helpers.pyramids import halves, pattern, write_ome_zarr

from napari_mouse_seg.errors import DamagedImageError, UnsupportedImageError
from napari_mouse_seg.images import open_image
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_levels_channels_and_pixel_size_are_read(tmp_path: Path, version: str):
    levels = halves(pattern((1, 2, 3, 150, 131), "uint16"), 3)
    scales = [[1, 1, 2.5, 0.3 * 2**n, 0.4 * 2**n] for n in range(3)]
    path = write_ome_zarr(
        tmp_path / "a.ome.zarr", levels, "tczyx", version=version, scales=scales, channels=("DAPI", "Actin")
    )
    image = open_image(path)
    assert (image.axes, image.n_channels, image.n_z, image.channel_names) == ("CZYX", 2, 3, ("DAPI", "Actin"))
    assert image.pixel_size_um == pytest.approx((0.3, 0.4))
    assert image.z_step_um == pytest.approx(2.5)
    assert image.level_shapes == ((150, 131), (75, 66), (38, 33))
    assert image.level_scales == ((1, 1), (2, 2), (4, 4))
    box = Box(10, 7, 38, 33)
    np.testing.assert_array_equal(image.plane(channel=1, z=2).read(2, box), levels[2][0, 1, 2][box.slices])


def test_units_and_the_scale_of_the_whole_image_are_applied(tmp_path: Path):
    scales = [[1, 1], [2, 2]]
    path = write_ome_zarr(
        tmp_path / "a.zarr", halves(pattern((60, 60)), 2), scales=scales, unit="nanometer", image_scale=[500, 250]
    )
    assert open_image(path).pixel_size_um == pytest.approx((0.5, 0.25))


def test_no_unit_means_no_pixel_size(tmp_path: Path):
    assert open_image(write_ome_zarr(tmp_path / "a.zarr", [pattern((60, 60))], unit=None)).pixel_size_um is None


def edit_ome(path: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    """Change the OME metadata of a written image."""
    metadata = json.loads((path / "zarr.json").read_text())
    edit(metadata["attributes"]["ome"])
    (path / "zarr.json").write_text(json.dumps(metadata))
    return path


@pytest.mark.parametrize("transforms", [None, [{"type": "identity"}], [{"type": "translation", "translation": [1, 1]}]])
def test_a_unit_without_a_scale_means_no_pixel_size(tmp_path: Path, transforms: list[dict[str, Any]] | None):
    def drop_scales(ome: dict[str, Any]) -> None:
        for dataset in ome["multiscales"][0]["datasets"]:
            dataset["coordinateTransformations"] = transforms

    image = open_image(edit_ome(write_ome_zarr(tmp_path / "a.zarr", halves(pattern((60, 60)), 2)), drop_scales))
    assert image.pixel_size_um is None
    assert image.level_scales == ((1, 1), (2, 2))


def test_a_scale_of_the_whole_image_alone_is_its_pixel_size(tmp_path: Path):
    path = write_ome_zarr(tmp_path / "a.zarr", halves(pattern((60, 60)), 2), image_scale=[0.25, 0.5])
    edit_ome(path, lambda ome: [one.pop("coordinateTransformations") for one in ome["multiscales"][0]["datasets"]])
    image = open_image(path)
    assert image.pixel_size_um == pytest.approx((0.25, 0.5))
    assert image.level_scales == ((1, 1), (2, 2))


@pytest.mark.parametrize("described", [[None, None], [None, {"label": "Actin"}]])
def test_channels_that_are_not_described_have_no_names(tmp_path: Path, described: list[Any]):
    path = write_ome_zarr(tmp_path / "a.zarr", [pattern((2, 60, 60))], "cyx", channels=("a", "b"))
    image = open_image(edit_ome(path, lambda ome: ome["omero"].update(channels=described)))
    assert (image.n_channels, image.channel_names) == (2, ())


def test_a_scale_that_contradicts_the_shapes_is_replaced_by_their_ratio(tmp_path: Path):
    path = write_ome_zarr(tmp_path / "a.zarr", halves(pattern((150, 131)), 2), scales=[[1, 1], [1, 1]])
    assert open_image(path).level_scales[1] == (2, 2)


def test_a_scale_that_is_no_whole_number_is_kept(tmp_path: Path):
    levels = [pattern((100, 100)), pattern((67, 67))]
    path = write_ome_zarr(tmp_path / "a.zarr", levels, scales=[[2, 2], [3, 3]])
    assert open_image(path).level_scales[1] == (1.5, 1.5)


def test_fewer_planes_at_a_coarse_level_are_mapped(tmp_path: Path):
    levels = [pattern((6, 50, 50)), pattern((3, 25, 25))]
    path = write_ome_zarr(tmp_path / "a.zarr", levels, "zyx", scales=[[1, 1, 1], [2, 2, 2]])
    plane = open_image(path).plane(z=5)
    np.testing.assert_array_equal(plane.read(0, Box(0, 0, 50, 50)), levels[0][5])
    np.testing.assert_array_equal(plane.read(1, Box(0, 0, 25, 25)), levels[1][2])


def test_x_before_y_is_turned(tmp_path: Path):
    pixels = pattern((2, 40, 30))
    image = open_image(write_ome_zarr(tmp_path / "a.zarr", [pixels], "cxy"))
    assert (image.axes, image.shape) == ("CYX", (30, 40))
    np.testing.assert_array_equal(image.plane(channel=1).read(0, Box(3, 5, 20, 25)), pixels[1].T[3:20, 5:25])


def test_the_first_image_of_a_converted_file_is_taken(tmp_path: Path):
    pixels = pattern((40, 30))
    root = zarr.open_group(str(tmp_path / "a.zarr"), mode="w", zarr_format=2)
    root.attrs["bioformats2raw.layout"] = 3
    write_ome_zarr(tmp_path / "a.zarr" / "0", [pixels], version="0.4")
    np.testing.assert_array_equal(open_image(tmp_path / "a.zarr").levels[0][...], pixels)


def test_a_plain_directory_is_refused(tmp_path: Path):
    with pytest.raises(UnsupportedImageError, match="is a directory but no OME-Zarr image"):
        open_image(tmp_path)


def test_a_group_without_metadata_is_refused(tmp_path: Path):
    zarr.open_group(str(tmp_path / "a.zarr"), mode="w")
    with pytest.raises(UnsupportedImageError, match=r"a\.zarr is a Zarr group without OME-Zarr metadata"):
        open_image(tmp_path / "a.zarr")


def test_a_bare_array_is_refused(tmp_path: Path):
    write_ome_zarr(tmp_path / "a.zarr", [pattern((40, 30))])
    with pytest.raises(UnsupportedImageError, match="is a single Zarr array"):
        open_image(tmp_path / "a.zarr" / "0")


def test_unknown_axes_are_refused(tmp_path: Path):
    path = write_ome_zarr(tmp_path / "a.zarr", [pattern((2, 40, 30))], "zyx")
    edit_ome(path, lambda ome: ome["multiscales"][0]["axes"][0].update(name="q"))
    with pytest.raises(UnsupportedImageError, match="has the axes 'QYX'"):
        open_image(path)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_missing_level_is_named(tmp_path: Path, version: str):
    path = write_ome_zarr(tmp_path / "a.zarr", halves(pattern((60, 60)), 2), version=version)
    shutil.rmtree(path / "1")
    with pytest.raises(DamagedImageError, match=r"a\.zarr has no level '1'"):
        open_image(path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"zarr_format": 9, "node_type": "group"}'])
def test_damaged_metadata_are_an_image_error(tmp_path: Path, text: str):
    path = write_ome_zarr(tmp_path / "a.zarr", [pattern((60, 60))])
    (path / "zarr.json").write_text(text)
    with pytest.raises(DamagedImageError, match=r"a\.zarr"):
        open_image(path)


def test_a_damaged_chunk_is_an_image_error_when_it_is_read(tmp_path: Path):
    path = write_ome_zarr(tmp_path / "a.zarr", [pattern((120, 60))])
    chunk = path / "0" / "c" / "1" / "0"
    chunk.write_bytes(chunk.read_bytes()[:-20])
    plane = open_image(path).plane()
    np.testing.assert_array_equal(plane.read(0, Box(0, 0, 64, 60)), pattern((120, 60))[:64])
    with pytest.raises(DamagedImageError, match=r"a\.zarr: rows 60 to 120, columns 0 to 60 could not be read"):
        plane.read(0, Box(60, 0, 120, 60))


def test_labels_of_signed_integers_are_opened_as_such(tmp_path):
    labels = np.arange(40 * 50).reshape(40, 50).astype(np.int32)
    source = write_ome_zarr(tmp_path / "labels.ome.zarr", [labels], axes="yx")
    image = open_image(source, labels=True)
    assert image.holds_labels
    np.testing.assert_array_equal(image.plane().read(0, Box(0, 0, 40, 50)), labels)
    with pytest.raises(UnsupportedImageError, match="holds int32 pixels"):
        open_image(source)
