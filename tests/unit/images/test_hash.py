"""Hashes of images in run records and projects."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from tests.helpers.pyramids import pattern, write_ome_zarr

from napari_mouse_seg.errors import ImageNotFoundError
from napari_mouse_seg.images import file_name, image_files, image_fingerprint, image_hash

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


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    """8 MiB of zeros, twice what a fingerprint reads."""
    path = tmp_path / "large.tif"
    path.write_bytes(bytes(8 * 2**20))
    return path


def altered(path: Path, position: int) -> Path:
    with path.open("r+b") as file:
        file.seek(position)
        file.write(b"x")
    return path


@pytest.mark.parametrize("position", [0, 8 * 2**20 - 1])
def test_a_fingerprint_sees_both_ends_of_a_large_file(large_file: Path, position: int):
    before = image_fingerprint(large_file)
    assert image_fingerprint(altered(large_file, position)) != before


def test_a_fingerprint_reads_a_part_of_a_large_file(large_file: Path):
    before = image_fingerprint(large_file)
    assert image_fingerprint(altered(large_file, 100_000)) == before  # between the first two blocks
    assert image_fingerprint(altered(large_file, 133_000)) != before  # in the second


def test_a_fingerprint_follows_the_size(large_file: Path):
    before = image_fingerprint(large_file)
    with large_file.open("ab") as file:
        file.write(b"\0")
    assert image_fingerprint(large_file) != before


def test_a_fingerprint_sees_every_byte_of_a_small_file_and_not_its_name(tmp_path: Path):
    path = tmp_path / "a.tif"
    path.write_bytes(bytes(4 * 2**20))
    before = image_fingerprint(path)
    path = path.rename(tmp_path / "b.tif")
    assert image_fingerprint(path) == before
    assert image_fingerprint(altered(path, 100_000)) != before


def test_a_directory_fingerprint_does_not_depend_on_its_place(tmp_path: Path):
    first = write_ome_zarr(tmp_path / "a.zarr", [pattern((99, 99))])
    second = write_ome_zarr(tmp_path / "elsewhere" / "b.zarr", [pattern((99, 99))])
    assert image_fingerprint(first) == image_fingerprint(second)


def test_a_missing_image_has_no_fingerprint(tmp_path: Path):
    with pytest.raises(ImageNotFoundError, match=r"gone\.tif"):
        image_fingerprint(tmp_path / "gone.tif")


@pytest.mark.parametrize("name", [".DS_Store", "._zarr.json", "Thumbs.db", "desktop.ini"])
def test_what_a_file_manager_leaves_in_a_directory_is_no_part_of_the_image(tmp_path: Path, name: str):
    path = write_ome_zarr(tmp_path / "a.zarr", [pattern((99, 99))])
    before, files = image_hash(path), set(image_files(path))
    (path / "0" / name).write_bytes(b"icons")
    assert image_hash(path) == before
    assert set(image_files(path)) == files


@pytest.mark.parametrize(
    ("text", "name"), [("a/b: c?", "a_b_ c_"), ("plain – 1", "plain – 1"), ("..", ""), ("tab\tin", "tab_in")]
)
def test_any_text_becomes_a_name_that_every_system_takes(text: str, name: str):
    assert file_name(text) == name
