"""Plates of OME-Zarr: each field is an image of its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr
from tests.helpers.pyramids import pattern, write_ome_zarr, write_plate

from napari_mouse_seg.errors import ImageNotFoundError, UnsupportedImageError
from napari_mouse_seg.images import image_name, image_stem, open_image, plate_fields, result_stem, zarr_root
from napari_mouse_seg.projects import default_folder

FIELDS = ("B/10/0", "B/10/1", "B/2/0")  # Neither the order of texts nor that of numbers.


@pytest.fixture(params=["0.4", "0.5"])
def plate(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    pixels = {field: pattern((40, 60)) // (number + 1) for number, field in enumerate(FIELDS)}
    return write_plate(tmp_path / "my plate.zarr", pixels, version=request.param)


def test_fields_are_found_in_the_order_of_the_metadata(plate: Path) -> None:
    fields = plate_fields(plate)
    assert [field.relative_to(plate).as_posix() for field in fields] == list(FIELDS)
    for number, field in enumerate(fields):
        np.testing.assert_array_equal(open_image(field).levels[0][...], pattern((40, 60)) // (number + 1))
    assert plate_fields(plate / "B/10") == fields[:2]


def test_all_else_has_no_fields(tmp_path: Path) -> None:
    write_ome_zarr(tmp_path / "one.zarr", [pattern((9, 9))])
    (tmp_path / "file.tif").touch()
    for name in ("one.zarr", "file.tif", "missing.zarr", "."):
        assert plate_fields(tmp_path / name) == []


@pytest.mark.parametrize("text", ["{", "[]", '"plate"', '{"plate": []}', '{"plate": {"wells": [3, {"path": ""}, {}]}}'])
def test_metadata_that_say_nothing_hold_no_field(tmp_path: Path, text: str) -> None:
    (tmp_path / ".zattrs").write_text(text)
    assert plate_fields(tmp_path) == []


def test_a_well_that_is_missing_or_damaged_hides_no_other(plate: Path) -> None:
    shutil.rmtree(plate / "B/10")
    missing, there = plate_fields(plate)
    assert (missing, there) == (plate / "B/10", plate / "B/2/0")
    assert open_image(there).shape == (40, 60)
    with pytest.raises(ImageNotFoundError, match=r"no file or directory .*B/10"):
        open_image(missing)


def test_a_field_is_named_after_its_plate(plate: Path) -> None:
    image = open_image(plate / "B/10/1")
    assert image.name == image_name(plate / "B/10/1") == "my plate.zarr/B/10/1"
    assert result_stem(image) == image_stem(plate / "B/10/1") == "my plate-B-10-1"
    assert default_folder(plate / "B/10/1") == plate.parent / "my plate-B-10-1.mouse-seg"
    assert zarr_root(plate / "B/10/1") == plate
    assert image_stem(plate) == "my plate"


@pytest.mark.parametrize("path", ["x/plate.zarr/results/a.tif", "field.zarr", "x.zarr/y.zarr", "plain/a/0", "a"])
def test_what_has_an_ending_or_is_in_no_zarr_is_named_after_itself(path: str) -> None:
    assert zarr_root(Path(path)) == Path(path)
    assert image_name(Path(path)) == Path(path).name


def test_a_plate_or_well_is_no_image_and_the_way_to_one_is_told(plate: Path) -> None:
    with pytest.raises(UnsupportedImageError, match=r"plate or well, not an image; open one of its 3 .*B/10/0"):
        open_image(plate)
    with pytest.raises(UnsupportedImageError, match=r"open one of its 2 fields"):
        open_image(plate / "B/10", series=1)


def test_a_plate_without_wells_says_so(tmp_path: Path) -> None:
    zarr.open_group(str(tmp_path / "p.zarr"), mode="w", zarr_format=2).attrs["plate"] = {"wells": []}
    with pytest.raises(UnsupportedImageError, match="plate or well, not an image; it lists no field"):
        open_image(tmp_path / "p.zarr")
    assert json.loads((tmp_path / "p.zarr" / ".zattrs").read_text()) == {"plate": {"wells": []}}
