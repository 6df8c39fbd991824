"""Opening reads structure only, boxes read their tiles only, and nothing is left open."""

from __future__ import annotations

import builtins
import gc
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import dask.array as da
import numpy as np
import pytest
import tifffile
import zarr
from tests.helpers.pyramids import halves, pattern, write_ome_zarr, write_pyramid_tiff, write_sparse_tiff

from napari_mouse_seg.errors import DamagedImageError
from napari_mouse_seg.images import _tiff_level, from_arrays, open_image
from napari_mouse_seg.images._cache import ByteCache
from napari_mouse_seg.images._levels import ArrayLevel
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from typing import Any


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Offset and length of every segment read from TIFF files."""
    noted: list[tuple[int, int]] = []
    original = _tiff_level._LazyFile.read

    def read(self: Any, offset: int, count: int) -> bytes:
        noted.append((offset, count))
        return original(self, offset, count)

    monkeypatch.setattr(_tiff_level._LazyFile, "read", read)
    return noted


def test_opening_decodes_nothing_and_a_box_only_its_tiles(tmp_path: Path, reads: list[tuple[int, int]]):
    path = write_pyramid_tiff(tmp_path / "a.tif", halves(pattern((512, 512)), 2), compression="zlib")
    plane = open_image(path).plane()
    assert reads == []
    plane.read(0, Box(70, 70, 130, 120))
    with tifffile.TiffFile(path) as tiff:
        offsets = tiff.pages[0].dataoffsets
    assert [offset for offset, _ in reads] == [offsets[9], offsets[17]]


def test_a_box_of_a_palette_image_decodes_only_its_tiles(tmp_path: Path, reads: list[tuple[int, int]]):
    colours = np.random.default_rng(0).integers(0, 65_536, (3, 256)).astype(np.uint16)
    options = {"photometric": "palette", "colormap": colours, "compression": "zlib"}
    plane = open_image(write_pyramid_tiff(tmp_path / "a.tif", [pattern((512, 512))], **options)).plane()
    assert reads == []
    for _ in range(2):
        plane.read(0, Box(70, 70, 130, 120))
    assert len(reads) == 2


def test_tiles_are_decoded_once(tmp_path: Path, reads: list[tuple[int, int]]):
    path = write_pyramid_tiff(tmp_path / "a.tif", [pattern((256, 256))], compression="zlib")
    plane = open_image(path).plane()
    for y in range(0, 200, 20):
        plane.read(0, Box(y, 0, y + 56, 256))
    assert len(reads) == len(set(reads)) == 16


def test_a_large_image_opens_at_once_and_has_small_levels(tmp_path: Path, reads: list[tuple[int, int]]):
    path = write_sparse_tiff(tmp_path / "large.tif")
    assert path.stat().st_size < 100_000
    image = open_image(path)
    assert (image.shape, image.level_shapes[-1]) == ((20_480, 20_480), (1280, 1280))
    assert not image.plane().read(0, Box(20_000, 20_000, 20_400, 20_400)).any()
    assert reads == []


def test_a_plain_file_is_mapped_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pixels = pattern((1500, 2000), "uint16")
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    image = open_image(tmp_path / "a.tif")
    n_read = 0

    class Noting(io.BufferedReader):
        def read(self, *size: int) -> bytes:
            nonlocal n_read
            data = super().read(*size)
            n_read += len(data)
            return data

    monkeypatch.setattr(Path, "open", lambda path, mode: Noting(io.FileIO(path, "r")))
    box = Box(700, 900, 800, 1000)
    np.testing.assert_array_equal(image.plane().read(0, box), pixels[box.slices])
    assert n_read == 0


def test_no_file_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    opened: list[Any] = []
    original = io.open

    def noting(*args: Any, **kwargs: Any) -> Any:
        opened.append(original(*args, **kwargs))
        return opened[-1]

    path = write_pyramid_tiff(tmp_path / "a.ome.tif", halves(pattern((256, 256)), 2), compression="zlib")
    monkeypatch.setattr(io, "open", noting)
    monkeypatch.setattr(builtins, "open", noting)
    image = open_image(path)
    image.plane().sample(100)
    image.plane().read(0, Box(0, 0, 9, 9))
    assert len(opened) >= 2
    assert all(file.closed for file in opened)
    del image
    gc.collect()


@pytest.mark.parametrize("kind", ["zlib", "plain", "zarr"])
def test_threads_read_the_same_pixels(tmp_path: Path, kind: str):
    pixels = pattern((600, 500), "uint16")
    if kind == "zarr":
        path = write_ome_zarr(tmp_path / "a.zarr", [pixels])
    else:
        path = write_pyramid_tiff(tmp_path / "a.tif", [pixels], compression=None if kind == "plain" else kind)
    plane = open_image(path).plane()
    random = np.random.default_rng(0)
    corners = random.integers(0, [500, 400], (200, 2))
    boxes = [Box(int(y), int(x), int(y) + 100, int(x) + 100) for y, x in corners]
    with ThreadPoolExecutor(8) as pool:
        for box, found in zip(boxes, pool.map(lambda box: plane.read(0, box), boxes), strict=True):
            np.testing.assert_array_equal(found, pixels[box.slices])


def test_a_zarr_image_opens_without_reading_chunks(tmp_path: Path):
    path = write_ome_zarr(tmp_path / "a.zarr", halves(pattern((256, 256)), 2))
    for chunk in (path / "0" / "c").rglob("*"):
        if chunk.is_file() and chunk.relative_to(path / "0" / "c").as_posix() != "1/2":
            chunk.write_bytes(b"broken")
    found = open_image(path).plane().read(0, Box(64, 128, 128, 192))
    np.testing.assert_array_equal(found, pattern((256, 256))[64:128, 128:192])


def break_chunks(level: Path) -> None:
    """Overwrite every chunk of a Zarr array, so that only what was read before can be read again."""
    for chunk in (level / "c").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(b"broken")


@pytest.mark.parametrize("leading_chunk", [1, 3])
def test_zarr_chunks_are_decoded_once(tmp_path: Path, leading_chunk: int):
    pixels = pattern((3, 200, 180), "uint16")
    plane = open_image(write_ome_zarr(tmp_path / "a.zarr", [pixels], "zyx", leading_chunk=leading_chunk)).plane(z=2)
    plane.read(0, Box(70, 70, 120, 150))
    break_chunks(tmp_path / "a.zarr" / "0")
    box = Box(64, 64, 128, 180)
    np.testing.assert_array_equal(plane.read(0, box), pixels[2][box.slices])
    with pytest.raises(DamagedImageError, match=r"a\.zarr: rows 60 to 128, columns 64 to 180 could not be read"):
        plane.read(0, Box(60, 64, 128, 180))


@pytest.mark.parametrize("leading_chunk", [1, 2, 5])
@pytest.mark.parametrize("axes", ["tzyx", "tzxy"])
def test_boxes_over_several_zarr_chunks_are_put_together(tmp_path: Path, axes: str, leading_chunk: int):
    levels = halves(pattern((2, 5, 150, 131), "uint16"), 2)
    path = write_ome_zarr(tmp_path / "a.zarr", levels, axes, chunk=32, leading_chunk=leading_chunk)
    image = open_image(path)
    for (t, z), number in zip([(0, 0), (1, 4), (0, 3), (1, 0), (0, 4)], [0, 1, 0, 1, 0], strict=True):
        expected = levels[number][t, z] if axes == "tzyx" else levels[number][t, z].T
        rows, columns = expected.shape
        for box in (Box(31, 33, 65, 64), Box(0, 0, rows, columns), Box(rows - 1, 0, rows, 1), Box(5, 40, 6, columns)):
            np.testing.assert_array_equal(image.plane(t=t, z=z).read(number, box), expected[box.slices])


@pytest.mark.parametrize("limit", [100, 64 * 64 * 2, 5 * 64 * 64 * 2])
def test_kept_zarr_chunks_stay_below_the_limit_and_larger_ones_are_read(tmp_path: Path, limit: int):
    pixels = pattern((4, 300, 280), "uint16")
    array = zarr.open_array(str(write_ome_zarr(tmp_path / "a.zarr", [pixels], "zyx", leading_chunk=4) / "0"), mode="r")
    cache = ByteCache(limit)
    level = ArrayLevel(array, "ZYX", "ZYX", "a", cache)
    for z in range(4):
        np.testing.assert_array_equal(level.plane((z,), Box(3, 5, 290, 270)), pixels[z, 3:290, 5:270])
        assert 0 < cache.n_bytes <= max(limit, 64 * 64 * 2)


@pytest.mark.parametrize("kind", ["numpy", "dask", "zarr"])
def test_an_array_that_changes_is_read_anew(kind: str):
    pixels = pattern((90, 80))
    stored = pixels if kind == "numpy" else zarr.array(pixels, chunks=(32, 32))
    plane = from_arrays(da.from_array(stored) if kind == "dask" else stored, "YX").plane()
    plane.read(0, Box(0, 0, 90, 80))
    stored[40:50] = 7
    assert (plane.read(0, Box(40, 0, 50, 80)) == 7).all()
