"""Whatever is at a path, opening and reading it gives an image or an ``ImageError`` that names it."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.helpers.pyramids import halves, pattern, smooth, write_pyramid_tiff

from napari_mouse_seg.errors import DamagedImageError, ImageError, ImageNotFoundError, UnsupportedImageError
from napari_mouse_seg.images import open_image
from napari_mouse_seg.images._guard import reading
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ("plain", "striped", "tiled", "jpeg", "ome", "imagej")


def small_tiff(folder: Path, kind: str) -> bytes:
    """One valid file of each kind, at most a few kilobytes."""
    path = folder / f"{kind}.tif"
    pixels = pattern((40, 48), "uint16")
    if kind == "plain":
        tifffile.imwrite(path, pixels, metadata=None)
    elif kind == "striped":
        tifffile.imwrite(path, pixels, compression="lzw", rowsperstrip=9, metadata=None)
    elif kind == "tiled":
        write_pyramid_tiff(path, halves(pixels, 2), tile=(16, 16), compression="zlib")
    elif kind == "jpeg":
        tifffile.imwrite(path, smooth((40, 48), samples=3), compression="jpeg", tile=(16, 16), photometric="rgb")
    elif kind == "ome":
        path = write_pyramid_tiff(folder / "a.ome.tif", halves(pixels, 2), tile=(16, 16), metadata={"axes": "YX"})
    else:
        tifffile.imwrite(path, pattern((3, 20, 24)), imagej=True, metadata={"axes": "ZYX", "unit": "um"})
    return path.read_bytes()


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("valid")
    return {kind: small_tiff(folder, kind) for kind in KINDS}


def open_and_read(path: Path) -> None:
    """Read some of every level; an image of an absurd size only in a corner."""
    image = open_image(path)
    plane = image.plane()
    for level, (rows, columns) in enumerate(image.level_shapes[: image.n_stored_levels]):
        plane.read(level, Box(0, 0, min(rows, 64), min(columns, 64)))


def test_the_undamaged_files_are_read(tmp_path: Path, valid: dict[str, bytes]):
    for kind, data in valid.items():
        (tmp_path / kind).write_bytes(data)
        open_and_read(tmp_path / kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_truncated_tiff_is_an_image_error(tmp_path: Path, valid: dict[str, bytes], kind: str):
    data = valid[kind]
    path = tmp_path / "cut.tif"
    for length in range(0, len(data) - 64, max(1, len(data) // 60)):
        path.write_bytes(data[:length])
        with pytest.raises(ImageError, match=r"cut\.tif"):
            open_and_read(path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_flipped_bytes_give_an_image_error_or_an_image(tmp_path: Path, valid: dict[str, bytes], data: st.DataObject):
    damaged = bytearray(valid[data.draw(st.sampled_from(KINDS))])
    for _ in range(data.draw(st.integers(1, 4))):
        # half of the damage goes to the structure at the beginning
        reach = data.draw(st.sampled_from([400, len(damaged)]))
        damaged[data.draw(st.integers(0, min(reach, len(damaged)) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "flipped.tif"
    path.write_bytes(damaged)
    with contextlib.suppress(ImageError):
        open_and_read(path)


def test_truncated_pixels_are_noticed_at_opening(tmp_path: Path):
    tifffile.imwrite(tmp_path / "a.tif", pattern((400, 480), "uint16"))
    data = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(data[: len(data) // 2])
    with pytest.raises(DamagedImageError, match=r"a\.tif is truncated: its pixels reach to byte .* copy it again"):
        open_image(tmp_path / "a.tif")


@pytest.mark.parametrize("share", [0.99, 0.5, 0.2])
def test_a_truncated_stack_of_one_page_is_noticed_at_opening(tmp_path: Path, share: float):
    pixels = pattern((6, 100, 90), "uint16")
    with tifffile.TiffWriter(tmp_path / "a.tif", imagej=True) as writer:
        writer.write(pixels, truncate=True, metadata={"axes": "ZYX"})
    np.testing.assert_array_equal(open_image(tmp_path / "a.tif").levels[0][...], pixels)
    data = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(
        DamagedImageError, match=r"a\.tif is truncated: its last of 6 planes reaches to byte .* copy it"
    ):
        open_image(tmp_path / "a.tif")


def test_a_damaged_tile_stops_only_reads_that_touch_it(tmp_path: Path):
    pixels = pattern((128, 128))
    path = write_pyramid_tiff(tmp_path / "a.tif", [pixels], compression="zlib")
    with tifffile.TiffFile(path) as tiff:
        offset, count = tiff.pages[0].dataoffsets[3], tiff.pages[0].databytecounts[3]
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\x07" * count)
    plane = open_image(path).plane()
    np.testing.assert_array_equal(plane.read(0, Box(0, 0, 128, 64)), pixels[:, :64])
    with pytest.raises(DamagedImageError, match=r"a\.tif: rows 60 to 70, columns 60 to 70 could not be read"):
        plane.read(0, Box(60, 60, 70, 70))


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_file_that_shrinks_after_opening_is_an_image_error(tmp_path: Path, compression: str | None):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pattern((300, 300)), compression=compression)
    image = open_image(path)
    os.truncate(path, 2000)
    with pytest.raises(ImageError, match=r"a\.tif was changed after it was opened"):
        image.plane().read(0, Box(0, 0, 300, 300))


def test_a_file_that_vanishes_after_opening_is_an_image_error(tmp_path: Path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pattern((30, 30)))
    image = open_image(path)
    path.unlink()
    with pytest.raises(ImageNotFoundError, match=r"a\.tif is no longer there"):
        image.plane().read(0, Box(0, 0, 30, 30))


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ImageNotFoundError, match=r"There is no file or directory .*gone\.tif; check the path"):
        open_image(tmp_path / "gone.tif")


def test_an_empty_file_is_named(tmp_path: Path):
    (tmp_path / "a.tif").touch()
    with pytest.raises(DamagedImageError, match=r"a\.tif is empty \(0 bytes\)"):
        open_image(tmp_path / "a.tif")


def test_another_kind_of_file_is_refused(tmp_path: Path):
    (tmp_path / "a.tif").write_text("not an image")
    with pytest.raises(UnsupportedImageError, match=r"a\.tif is no TIFF, SVS, PNG or JPEG .*convert it"):
        open_image(tmp_path / "a.tif")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_does_not_hang(tmp_path: Path):
    os.mkfifo(tmp_path / "a.tif")
    with pytest.raises(UnsupportedImageError, match="neither a file nor a directory"):
        open_image(tmp_path / "a.tif")


def test_a_giant_compressed_strip_is_refused_before_decoding(tmp_path: Path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pattern((16, 16)), compression="zlib", metadata=None)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        for name in ("ImageWidth", "ImageLength", "RowsPerStrip"):
            tiff.pages[0].tags[name].overwrite(60_000)
    with pytest.raises(UnsupportedImageError, match=r"stores 3\.4 GiB of pixels in one compressed piece"):
        open_image(path)


@pytest.mark.parametrize("kind", ["plain", "tiled"])
def test_a_file_that_is_written_anew_while_it_is_open_is_told(tmp_path: Path, valid: dict[str, bytes], kind: str):
    path = tmp_path / "a.tif"
    path.write_bytes(valid[kind])
    image = open_image(path)
    path.write_bytes(valid[kind])
    os.utime(path, ns=(0, 10**18))
    with pytest.raises(ImageError, match=r"a\.tif was changed after it was opened; open it again"):
        image.plane().read(0, Box(0, 0, 9, 9))
    open_and_read(path)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError("9 GiB"), "there is not memory enough for rows 0 to 9; close"),
        (OSError(errno.EMFILE, "Too many open files"), "as too many files are open"),
        (OSError(errno.EIO, "Input/output error"), "The disk or the network failed; try again"),
    ],
)
def test_what_is_no_fault_of_the_file_is_not_called_its_damage(error: Exception, words: str):
    with pytest.raises(ImageError, match=words) as caught, reading("a.tif", "rows 0 to 9"):
        raise error
    assert not isinstance(caught.value, DamagedImageError)


def test_a_compression_that_nobody_knows_is_refused_at_opening(tmp_path: Path):
    tifffile.imwrite(tmp_path / "a.tif", pattern((64, 64)), compression="zlib")
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as tiff:
        tiff.pages[0].tags["Compression"].overwrite(34677)
    with pytest.raises(
        UnsupportedImageError, match=r"a\.tif is compressed by SGILOG24 \(34677\), which cannot be read"
    ):
        open_image(tmp_path / "a.tif")
