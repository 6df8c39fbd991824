"""Colours that a file keeps in channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
import zarr
from tests.helpers.pyramids import halves, write_pyramid_tiff

from napari_mouse_seg.errors import DamagedImageError
from napari_mouse_seg.images import open_image
from napari_mouse_seg.images._levels import Level
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from pathlib import Path

    from napari_mouse_seg.images import MultiscaleImage

SHAPE = (120, 160)
WHITE, PINK, PURPLE = (240, 238, 242), (225, 160, 200), (120, 70, 150)
RED, BLUE = (190, 50, 70), (90, 110, 180)


def section(shape: tuple[int, int] = SHAPE, stains: tuple = (PINK, PURPLE), share: float = 0.6) -> np.ndarray:
    """A stained section as (3, Y, X): spots of the second colour in tissue of the first on a white ground."""
    rows, columns = np.indices(shape)
    tissue, spots = rows >= shape[0] * (1 - share), (rows % 20 < 6) & (columns % 20 < 6)
    colours = np.where(tissue[..., None], np.where(spots[..., None], stains[1], stains[0]), WHITE)
    noise = np.random.default_rng(0).integers(-8, 8, (*shape, 1))
    return np.moveaxis((colours + noise).astype(np.uint8), -1, 0)


def stains(shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """Three fluorescence channels, bright on dark."""
    return (255 - section(shape)) // np.array([1, 2, 3], np.uint8)[:, None, None]


def write(path: Path, pixels: np.ndarray, names: list[str] | None = None) -> Path:
    metadata = {"axes": "CYX"} | ({"Channel": {"Name": names}} if names else {})
    tifffile.imwrite(path, pixels, ome=True, photometric="minisblack", metadata=metadata)
    return path


@pytest.mark.parametrize(
    "names",
    [
        None,
        ["Red", "Green", "Blue"],
        ["Channel 0", "Channel 1", "Channel 2"],
        ["0:0"] * 3,
        ["c:1/3 - he.tif", "c:2/3 - he.tif", "c:3/3 - he.tif"],
    ],
)
def test_a_stained_section_in_channels_is_rgb(tmp_path: Path, names: list[str] | None) -> None:
    image = open_image(write(tmp_path / "a.ome.tif", section(), names))
    assert (image.is_rgb, image.n_channels, image.axes, image.channel_names) == (True, 1, "YXS", ())
    pixels = np.moveaxis(section(), 0, -1)
    np.testing.assert_array_equal(image.levels[0][...], pixels)
    np.testing.assert_array_equal(image.plane().read(0, Box(30, 40, 70, 90)), pixels[30:70, 40:90])


@pytest.mark.parametrize("share", [0.1, 0.95])
@pytest.mark.parametrize("stains", [(PINK, PURPLE), (RED, BLUE), (BLUE, RED)], ids=["H&E", "muscle", "scar"])
def test_it_is_known_by_its_ground_whatever_the_stain(tmp_path: Path, stains: tuple, share: float) -> None:
    assert open_image(write(tmp_path / "a.ome.tif", section(stains=stains, share=share))).is_rgb


def test_every_level_and_plane_of_an_ome_zarr_is_joined(tmp_path: Path) -> None:
    planes = np.stack([section(), section()[:, ::-1]], axis=1)  # C, Z, Y, X
    levels = [planes, planes[..., ::2, ::2]]
    group = zarr.open_group(str(tmp_path / "a.zarr"), mode="w", zarr_format=2)
    for number, level in enumerate(levels):
        group.create_array(str(number), data=level, chunks=(1, 1, 64, 64))
    group.attrs["multiscales"] = [
        {"version": "0.4", "axes": [*"czyx"], "datasets": [{"path": str(number)} for number in range(2)]}
    ]
    group.attrs["omero"] = {"channels": [{"label": f"Channel {number}", "color": "FF0000"} for number in range(3)]}
    image = open_image(tmp_path / "a.zarr")
    assert (image.axes, image.n_z, image.level_shapes) == ("ZYXS", 2, (SHAPE, (60, 80)))
    for number, level in enumerate(levels):
        np.testing.assert_array_equal(image.levels[number][1], np.moveaxis(level[:, 1], 0, -1))


@pytest.mark.parametrize(
    ("pixels", "names"),
    [
        pytest.param(stains(), None, id="fluorescence"),
        pytest.param(section(), ["DAPI", "GFP", "Cy3"], id="names of their own"),
        pytest.param(section().astype(np.uint16), None, id="16 bit"),
        pytest.param(section()[:2], None, id="two channels"),
        pytest.param(np.full((3, *SHAPE), 140, np.uint8), None, id="grey without white"),
        pytest.param(np.random.default_rng(0).integers(0, 256, (3, *SHAPE), np.uint8), None, id="noise"),
    ],
)
def test_other_channels_stay_channels(tmp_path: Path, pixels: np.ndarray, names: list[str] | None) -> None:
    image = open_image(write(tmp_path / "a.ome.tif", pixels, names))
    assert (image.is_rgb, image.n_channels) == (False, len(pixels))


def test_of_a_large_image_small_patches_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    levels = [np.ascontiguousarray(level) for level in halves(section((2400, 3200)), 2)]
    path = write_pyramid_tiff(tmp_path / "a.ome.tif", levels, photometric="minisblack", metadata={"axes": "CYX"})
    read: list[int] = []
    plane = Level.plane

    def note(self: Level, leading: tuple[int, ...], box: Box) -> np.ndarray:
        read.append(box.area)
        return plane(self, leading, box)

    monkeypatch.setattr(Level, "plane", note)
    assert open_image(path).is_rgb
    assert max(read) <= 256 * 256
    assert sum(read) <= 3 * 25 * 256 * 256


def test_what_a_scanner_left_out_says_nothing(tmp_path: Path) -> None:
    pixels = section()
    pixels[:, :, :80] = 0
    assert open_image(write(tmp_path / "a.ome.tif", pixels)).is_rgb
    assert not open_image(write(tmp_path / "b.ome.tif", np.zeros_like(pixels))).is_rgb


def test_a_dim_section_without_white_ground_is_rgb(tmp_path: Path) -> None:
    dim = (section(share=1.0) * 0.7).astype(np.uint8)
    assert open_image(write(tmp_path / "a.ome.tif", dim)).is_rgb


def test_channels_can_be_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ome.tif", section())
    image = open_image(path, join=False)
    assert (image.is_rgb, image.n_channels) == (False, 3)


def broken(path: Path, monkeypatch: pytest.MonkeyPatch, first_row: int) -> MultiscaleImage:
    """Open an image whose blue cannot be read from a row on."""
    plane = Level.plane

    def fail(self: Level, leading: tuple[int, ...], box: Box) -> np.ndarray:
        if leading == (2,) and box.y1 > first_row:
            raise DamagedImageError("rows cannot be read")
        return plane(self, leading, box)

    monkeypatch.setattr(Level, "plane", fail)
    return open_image(path)


def test_damage_does_not_change_what_an_image_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = broken(write(tmp_path / "a.ome.tif", section((800, 700))), monkeypatch, 600)
    assert image.is_rgb
    assert image.plane().read(0, Box(0, 0, 500, 500)).shape == (500, 500, 3)
    with pytest.raises(DamagedImageError, match="cannot be read"):
        image.plane().read(0, Box(500, 0, 700, 500))


def test_damage_that_leaves_nothing_to_judge_by_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DamagedImageError, match="cannot be read"):
        broken(write(tmp_path / "a.ome.tif", section()), monkeypatch, 0)
