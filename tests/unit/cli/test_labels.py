"""Labels as ``mouse-seg evaluate`` reads them."""

from __future__ import annotations

import numpy as np
import pytest
import zarr
from PIL import Image

from napari_mouse_seg.cli._labels import read_labels
from napari_mouse_seg.errors import UnsupportedImageError


def test_a_zarr_group_without_an_image_is_not_called_damaged(tmp_path):
    zarr.open_group(str(tmp_path / "a.zarr"), mode="w")
    with pytest.raises(UnsupportedImageError, match="names no image"):
        read_labels(tmp_path / "a.zarr")


def test_large_png_labels_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # Pillow refuses twice as many; really it is 179 million.
    labels = np.arange(900, dtype=np.uint16).reshape(30, 30)
    Image.fromarray(labels).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png"), labels)
    assert Image.MAX_IMAGE_PIXELS == 100


def test_the_numbers_of_a_palette_are_the_labels(tmp_path):
    labels = np.arange(9, dtype=np.uint8).reshape(3, 3)
    picture = Image.fromarray(labels, "P")
    picture.putpalette([255 - value for value in range(256) for _ in range(3)])
    picture.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png"), labels)
