"""Files that hold several images."""

from __future__ import annotations

import json
import shutil
import uuid
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
import zarr
from tests.helpers.pyramids import pattern, write_ome_zarr

from napari_mouse_seg.errors import DamagedImageError, PlanError, UnsupportedImageError
from napari_mouse_seg.images import list_series, open_image, result_stem

if TYPE_CHECKING:
    from pathlib import Path

SHAPES = ((40, 60), (80, 70), (80, 70))


def positions() -> list[np.ndarray]:
    """Three images, the first of which is the smallest."""
    return [pattern(shape) // (number + 1) for number, shape in enumerate(SHAPES)]


@pytest.fixture
def stage_file(tmp_path: Path) -> Path:
    """An OME-TIFF of three positions of a stage, of different pixel sizes; the last has no name."""
    path = tmp_path / "stage.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        for number, pixels in enumerate(positions()):
            name = {"Name": f"Position {number + 1}"} if number < 2 else {"Name": " "}
            size = {"PhysicalSizeX": 0.5 + number, "PhysicalSizeY": 0.5 + number}
            file.write(pixels, photometric="minisblack", metadata={"axes": "YX", **name, **size})
    return path


@pytest.fixture
def converted(tmp_path: Path) -> Path:
    """What bioformats2raw makes of it."""
    folder = tmp_path / "stage.zarr"
    zarr.open_group(str(folder), mode="w", zarr_format=2).attrs["bioformats2raw.layout"] = 3
    for number, pixels in enumerate(positions()):
        write_ome_zarr(folder / str(number), [pixels], version="0.4")
    zarr.open_group(str(folder / "OME"), mode="w", zarr_format=2).attrs["series"] = ["0", "1", "2"]
    (folder / "OME" / "METADATA.ome.xml").write_text(
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="a" Name="Position 1"/><Image ID="b" Name="Position 2"/><Image ID="c"/></OME>'
    )
    return folder


@pytest.mark.parametrize("kind", ["stage_file", "converted"])
def test_each_can_be_opened(kind: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(kind)
    for number, pixels in enumerate(positions()):
        image = open_image(path, series=number)
        np.testing.assert_array_equal(image.levels[0][...], pixels)
        assert (image.name, image.path) == (path.name, path)
        assert result_stem(image) == f"stage-series{number}"
        assert image.series is not None
        assert (image.series.index, image.series.is_chosen) == (number, True)
        assert image.series.names == ("Position 1", "Position 2", "series 2")
    with pytest.raises(PlanError, match=r"holds 3 images and no series 3: choose one from 0 to 2") as told:
        open_image(path, series=3)
    assert told.value.field == "series"


def test_each_has_its_own_pixel_size(stage_file: Path) -> None:
    sizes = [open_image(stage_file, series=number).pixel_size_um for number in range(3)]
    assert sizes == [(0.5, 0.5), (1.5, 1.5), (2.5, 2.5)]


def test_the_largest_is_taken_where_nobody_has_chosen(stage_file: Path, converted: Path) -> None:
    series = open_image(stage_file).series
    assert series is not None
    assert (series.index, series.name, series.is_chosen) == (1, "Position 2", False)
    assert list_series(stage_file) == series
    assert result_stem(open_image(stage_file)) == "stage"
    first = open_image(converted).series
    assert first is not None
    assert (first.index, first.is_chosen) == (0, False)


def test_a_conversion_that_lists_nothing_is_counted(converted: Path) -> None:
    (converted / "OME" / "METADATA.ome.xml").write_text("<OME")
    (converted / "OME" / ".zattrs").write_text(json.dumps({}))
    for number in (9, 10):
        write_ome_zarr(converted / str(number), [pattern((8, 9))], version="0.4")
    names = open_image(converted, series=4).series
    assert names is not None
    assert names.names == tuple(f"series {number}" for number in range(5))
    assert open_image(converted, series=4).shape == (8, 9)


@pytest.mark.parametrize("name", ["one.tif", "one.ome.tif", "one.png", "one.zarr"])
def test_a_file_of_one_image_has_no_others(tmp_path: Path, name: str) -> None:
    import imagecodecs

    path, pixels = tmp_path / name, pattern((30, 40))
    if name.endswith("zarr"):
        write_ome_zarr(path, [pixels])
    elif name.endswith("png"):
        path.write_bytes(imagecodecs.png_encode(pixels))
    else:
        tifffile.imwrite(path, pixels)
    assert open_image(path).series is None
    assert list_series(path) is None
    assert open_image(path, series=0).series is None
    with pytest.raises(PlanError, match="holds one image and no series 1: leave the series out"):
        open_image(path, series=1)


def test_pages_of_different_sizes_in_a_plain_tiff_are_no_series(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "slide.tif") as file:
        for shape in ((20, 20), (60, 50)):
            file.write(pattern(shape))
    image = open_image(tmp_path / "slide.tif")
    assert (image.shape, image.series) == ((60, 50), None)


def test_a_missing_image_renumbers_no_other(converted: Path) -> None:
    shutil.rmtree(converted / "1")
    np.testing.assert_array_equal(open_image(converted, series=2).levels[0][...], positions()[2])
    with pytest.raises(DamagedImageError, match=r"stage\.zarr has no image 1, although it lists one"):
        open_image(converted, series=1)


def test_images_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "same.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        for name in ("Same", "Other", "Same"):
            file.write(pattern((9, 9)), photometric="minisblack", metadata={"axes": "YX", "Name": name})
    series = list_series(path)
    assert series is not None
    assert series.names == ("Same (0)", "Other", "Same (2)")


def test_a_folder_that_is_no_zarr_holds_no_series(tmp_path: Path) -> None:
    (tmp_path / "x.zarr").mkdir()
    assert list_series(tmp_path / "x.zarr") is None
    with pytest.raises(UnsupportedImageError, match="no OME-Zarr image"):
        open_image(tmp_path / "x.zarr")


@pytest.fixture
def files_of_positions(tmp_path: Path) -> list[Path]:
    """An OME-TIFF of three files, each of which holds one position in two levels and names them all."""
    names = [f"pos{number}.ome.tif" for number in range(3)]
    images = "".join(
        f'<Image ID="Image:{number}" Name="Position {number}"><Pixels ID="Pixels:{number}" DimensionOrder="XYCZT" '
        'Type="uint8" SizeX="60" SizeY="50" SizeC="1" SizeZ="1" SizeT="1">'
        f'<Channel ID="Channel:{number}:0" SamplesPerPixel="1"/><TiffData IFD="0" PlaneCount="1">'
        f'<UUID FileName="{name}">urn:uuid:{uuid.UUID(int=number)}</UUID></TiffData></Pixels></Image>'
        for number, name in enumerate(names)
    )
    for number, name in enumerate(names):
        xml = (
            '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="urn:uuid:{uuid.UUID(int=number)}">{images}</OME>'
        )
        pixels = np.full((50, 60), 10 * (number + 1), np.uint8)
        with tifffile.TiffWriter(tmp_path / name) as file:
            file.write(pixels, description=xml, photometric="minisblack", metadata=None, subifds=1)
            file.write(pixels[::2, ::2], photometric="minisblack", metadata=None, subfiletype=1)
    return [tmp_path / name for name in names]


def test_a_file_of_a_set_is_its_own_position(files_of_positions: list[Path]) -> None:
    for number, path in enumerate(files_of_positions):
        image = open_image(path)
        assert (image.series, image.level_shapes) == (None, ((50, 60), (25, 30)))
        assert int(image.levels[0][0, 0]) == 10 * (number + 1)


def test_a_file_of_a_set_opens_without_the_other_positions(files_of_positions: list[Path]) -> None:
    first, second, third = files_of_positions
    first.unlink()
    third.unlink()
    assert int(open_image(second).levels[0][0, 0]) == 20
    assert list_series(second) is None


def test_memory_of_pieces_is_given_back(stage_file: Path) -> None:
    image = open_image(stage_file, series=0)
    image.levels[0][...]
    cache = image.levels[0]._cache
    image.forget()
    assert cache.n_bytes == 0
    np.testing.assert_array_equal(image.levels[0][...], positions()[0])


def test_a_file_that_only_names_others_opens_the_first_of_them(files_of_positions: list[Path]) -> None:
    _, second, _ = files_of_positions
    with tifffile.TiffFile(second) as file:
        xml = file.pages.first.description
    second.unlink()
    tifffile.imwrite(second, np.zeros((5, 6), np.uint8), description=xml.replace("pos1.", "pos2."), metadata=None)
    image = open_image(second)
    assert image.shape == (50, 60)
    assert int(image.levels[0][0, 0]) == 10


def test_a_renamed_file_of_several_images_lists_them_all(tmp_path: Path) -> None:
    images = "".join(
        f'<Image ID="Image:{number}" Name="P{number}"><Pixels ID="Pixels:{number}" DimensionOrder="XYCZT" '
        'Type="uint8" SizeX="60" SizeY="50" SizeC="1" SizeZ="1" SizeT="1">'
        f'<Channel ID="Channel:{number}:0" SamplesPerPixel="1"/><TiffData IFD="{number}" PlaneCount="1">'
        f'<UUID FileName="old.ome.tif">urn:uuid:{uuid.UUID(int=7)}</UUID></TiffData></Pixels></Image>'
        for number in range(2)
    )
    xml = f'<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{images}</OME>'
    with tifffile.TiffWriter(tmp_path / "new.ome.tif") as file:
        for text in (xml, None):
            file.write(np.zeros((50, 60), np.uint8), description=text, photometric="minisblack", metadata=None)
    series = list_series(tmp_path / "new.ome.tif")
    assert series is not None
    assert series.names == ("P0", "P1")
