"""Labels layers are saved at their finest level, with their pixel size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

pytest.importorskip("napari", reason="napari is not installed")

from napari.layers import Labels

from napari_mouse_seg.errors import ExportError, UnsupportedImageError
from napari_mouse_seg.images import open_image
from napari_mouse_seg.plugin._writer import write_labels
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from pathlib import Path

LARGE_ID = 70_000


@pytest.fixture
def pyramid() -> Labels:
    finest = np.zeros((1, 300, 400), np.uint32)
    finest[0, 10:50, 20:90] = LARGE_ID
    finest[0, 200:210, 300:320] = 3
    levels = [finest, finest[:, ::2, ::2], finest[:, ::4, ::4]]
    return Labels(levels, multiscale=True, scale=(1, 0.5, 0.25), units=("um", "um", "um"), name="nuclei")


@pytest.mark.parametrize("ending", [".tif", ".ome.zarr"])
def test_a_pyramid_is_saved_at_its_finest_level(pyramid: Labels, tmp_path: Path, ending: str) -> None:
    path = str(tmp_path / f"nuclei{ending}")
    assert write_labels(path, *pyramid.as_layer_data_tuple()[:2]) == [path]
    image = open_image(path, labels=True)
    assert image.pixel_size_um == pytest.approx((0.5, 0.25))
    np.testing.assert_array_equal(image.plane().read(0, Box(0, 0, 300, 400)), pyramid.data[0][0])


def test_the_pixel_size_is_that_in_the_world(pyramid: Labels, tmp_path: Path) -> None:
    pyramid.affine = np.diag([1, 3, 3, 1])
    write_labels(str(tmp_path / "a.tif"), *pyramid.as_layer_data_tuple()[:2])
    assert open_image(tmp_path / "a.tif", labels=True).pixel_size_um == pytest.approx((1.5, 0.75))


def test_measurements_and_outlines_are_saved_by_their_ending(pyramid: Labels, tmp_path: Path) -> None:
    for ending, n_lines in ((".csv", 3), (".geojson", None)):
        path = tmp_path / f"nuclei{ending}"
        write_labels(str(path), *pyramid.as_layer_data_tuple()[:2])
        text = path.read_text()
        assert str(LARGE_ID) in text
        assert n_lines is None or len(text.splitlines()) == n_lines


def test_a_plain_layer_without_units_is_saved_without_a_pixel_size(tmp_path: Path) -> None:
    labels = np.zeros((20, 30), np.int32)
    labels[3, 4] = 9
    write_labels(str(tmp_path / "a.tif"), *Labels(labels).as_layer_data_tuple()[:2])
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), labels)
    assert open_image(tmp_path / "a.tif", labels=True).pixel_size_um is None


def test_what_cannot_be_saved_is_told_in_words(tmp_path: Path) -> None:
    several = Labels(np.zeros((2, 20, 30), np.uint8), name="stack").as_layer_data_tuple()[:2]
    with pytest.raises(UnsupportedImageError, match="“stack” has 2 planes; only labels of one plane"):
        write_labels(str(tmp_path / "a.tif"), *several)
    with pytest.raises(ExportError, match=r"a\.doc ends in no known format; give it one of \.tif"):
        write_labels(str(tmp_path / "a.doc"), *several)
    assert list(tmp_path.iterdir()) == []
