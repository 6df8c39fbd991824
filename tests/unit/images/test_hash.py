"""The hash of an image in run records."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from tests.helpers.pyramids import pattern, write_ome_zarr

from napari_mouse_seg.errors import ImageNotFoundError
from napari_mouse_seg.images import image_hash

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_has_the_sha256_of_its_bytes(tmp_path: Path):
    data = bytes(range(256)) * 5000
    (tmp_path / "a.tif").write_bytes(data)
    assert image_hash(tmp_path / "a.tif") == hashlib.sha256(data).hexdigest()


def test_a_directory_hash_does_not_depend_on_its_place(tmp_path: Path):
    first = write_ome_zarr(tmp_path / "a.zarr", [pattern((99, 99))])
    second = write_ome_zarr(tmp_path / "elsewhere" / "b.zarr", [pattern((99, 99))])
    assert image_hash(first) == image_hash(second)


@pytest.mark.parametrize("change", ["metadata", "name", "size"])
def test_a_directory_hash_follows_metadata_names_and_sizes(tmp_path: Path, change: str):
    path = write_ome_zarr(tmp_path / "a.zarr", [pattern((99, 99))])
    before = image_hash(path)
    chunk = path / "0" / "c" / "0" / "0"
    if change == "metadata":
        metadata = path / "zarr.json"
        metadata.write_text(metadata.read_text().replace("micrometer", "nanometer."))
    elif change == "name":
        chunk.rename(chunk.with_name("7"))
    else:
        chunk.write_bytes(chunk.read_bytes() + b"0")
    assert image_hash(path) != before


def test_a_missing_image_is_named(tmp_path: Path):
    with pytest.raises(ImageNotFoundError, match=r"gone\.tif"):
        image_hash(tmp_path / "gone.tif")
