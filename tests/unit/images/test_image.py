"""Planes, boxes and samples of a multi-level image."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import zarr
from tests.helpers.pyramids import halves, pattern

from napari_mouse_seg.errors import DamagedImageError, PlanError, UnsupportedImageError
from napari_mouse_seg.images import from_arrays
from napari_mouse_seg.tiling import Box


class Counting:
    """An array that notes the indices it is read at."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels = pixels
        self.shape, self.dtype = pixels.shape, pixels.dtype
        self.n_read = 0
        self.largest = 0

    def __getitem__(self, index: object) -> np.ndarray:
        found = self.pixels[index]
        self.n_read += found.size
        self.largest = max(self.largest, found.size)
        return found


class Failing:
    """An array whose pixels cannot be read."""

    shape, dtype = (50, 50), np.dtype("uint8")

    def __getitem__(self, index: object) -> np.ndarray:
        raise RuntimeError("connection lost")


@pytest.mark.parametrize("kind", [np.asarray, lambda pixels: da.from_array(pixels, chunks=7), zarr.array])
def test_arrays_of_other_readers_are_taken(kind):
    levels = halves(pattern((2, 3, 50, 41), "uint16"), 2)
    image = from_arrays([kind(level) for level in levels], "TZYX", name="layer", pixel_size_um=(0.5, 0.25))
    assert (image.name, image.path, image.axes, image.n_t, image.n_z) == ("layer", None, "TZYX", 2, 3)
    assert image.pixel_size_um == (0.5, 0.25)
    assert image.level_scales == ((1, 1), (2, 2))
    np.testing.assert_array_equal(image.plane(t=1, z=2).read(1, Box(3, 4, 20, 21)), levels[1][1, 2, 3:20, 4:21])


@pytest.mark.parametrize(
    ("shape", "coarse", "scale"),
    [
        ((2077, 2777), (1039, 1389), (2, 2)),  # rounded up
        ((2077, 2777), (1038, 1388), (2, 2)),  # rounded down
        ((501, 333), (63, 41), (8, 8)),
        ((500, 300), (500, 100), (1, 3)),
        ((100, 100), (67, 40), (100 / 67, 2.5)),
        ((2000, 1000), (98, 999), (2000 / 98, 1000 / 999)),
    ],
)
def test_a_level_has_a_whole_scale_where_that_explains_its_size_and_else_the_ratio(
    shape: tuple[int, int], coarse: tuple[int, int], scale: tuple[float, float]
):
    image = from_arrays([np.broadcast_to(np.uint8(0), shape), np.broadcast_to(np.uint8(0), coarse)], "YX")
    assert image.level_scales[1] == scale


def test_one_array_is_one_level():
    image = from_arrays(pattern((30, 40, 4)), "YXS")
    assert (image.is_rgb, image.levels[0].shape, image.n_stored_levels) == (True, (30, 40, 3), 1)


def test_a_box_reads_its_pixels_and_no_others():
    array = Counting(pattern((4, 300, 200)))
    from_arrays(array, "CYX").plane(channel=3).read(0, Box(10, 20, 110, 70))
    assert array.n_read == 100 * 50


def test_making_an_image_reads_nothing():
    array = Counting(pattern((3000, 3000)))
    image = from_arrays(array, "YX")
    assert (len(image.levels), array.n_read) == (2, 0)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"channel": 3}, r"cells has no channel 3: choose one from 0 to 2 along C"),
        ({"t": 1}, r"cells has no time point 1: choose one from 0 to 0 along T"),
        ({"z": -1}, r"cells has no plane -1: choose one from 0 to 4 along Z"),
    ],
)
def test_a_plane_outside_the_image_is_refused(choice: dict[str, int], message: str):
    image = from_arrays(pattern((3, 5, 9, 9)), "CZYX", name="cells")
    with pytest.raises(PlanError, match=message):
        image.plane(**choice)


@pytest.mark.parametrize("box", [Box(-1, 0, 5, 5), Box(0, 0, 10, 5), Box(0, 0, 5, 13), Box(5, 0, 4, 5)])
def test_a_box_outside_the_level_is_refused(box: Box):
    plane = from_arrays(pattern((9, 12)), "YX", name="cells").plane()
    with pytest.raises(PlanError, match="outside level 0 of cells, which has 9 rows and 12 columns"):
        plane.read(0, box)


@pytest.mark.parametrize("level", [-1, 1])
def test_a_level_that_is_not_there_is_refused(level: int):
    with pytest.raises(PlanError, match=f"cells has no level {level}: choose one from 0 to 0"):
        from_arrays(pattern((9, 12)), "YX", name="cells").plane().read(level, Box(0, 0, 1, 1))


def test_an_empty_box_is_an_empty_array():
    assert from_arrays(pattern((9, 12)), "YX").plane().read(0, Box(9, 3, 9, 7)).shape == (0, 4)


def test_a_sample_is_the_finest_level_that_is_small_enough():
    levels = halves(pattern((64, 64)), 3)
    plane = from_arrays(levels, "YX").plane()
    np.testing.assert_array_equal(plane.sample(64 * 64), levels[0])
    np.testing.assert_array_equal(plane.sample(64 * 64 - 1), levels[1])
    np.testing.assert_array_equal(plane.sample(16 * 16), levels[2])


@pytest.mark.parametrize("max_pixels", [1, 7, 100, 1000])
def test_a_sample_smaller_than_all_levels_takes_every_nth_pixel(max_pixels: int):
    pixels = pattern((61, 97))
    found = from_arrays(pixels, "YX").plane().sample(max_pixels)
    assert max_pixels / 8 <= found.size <= max_pixels
    step = next(n for n in range(1, 100) if pixels[::n, ::n].shape == found.shape)
    np.testing.assert_array_equal(found, pixels[::step, ::step])


def test_a_small_stored_level_is_read_at_once():
    levels = [np.zeros((size, size), np.uint8) for size in (4096, 512)]
    plane = from_arrays(levels, "YX").plane()
    steps = plane.sample_steps(512 * 512)
    assert list(steps) == [(1, 1)]


def test_a_sample_is_read_in_bands():
    array = Counting(np.zeros((8000, 2000), np.uint8))
    image = from_arrays([array, np.zeros((2000, 1900), np.uint8)], "YX")
    image.plane().sample()
    assert array.n_read == 0  # the second level is small enough
    single = Counting(np.zeros((1, 2000, 1900), np.uint8))
    from_arrays(single, "CYX").plane().sample(5000)
    assert single.largest <= 4_000_000


def test_an_empty_sample_is_refused():
    with pytest.raises(PlanError, match="A sample of 0 pixels is empty"):
        from_arrays(pattern((9, 9)), "YX").plane().sample(0)


@pytest.mark.parametrize(
    ("shape", "axes", "message"),
    [
        ((9, 9), "YQ", "has the axes 'YQ'"),
        ((9, 9), "YY", "has the axes 'YY'"),
        ((9, 9, 9), "YX", "has 3 dimensions .* but 2 axes"),
        ((9, 9, 5), "YXS", "has 5 samples along S.*Call the axis C instead"),
        ((0, 9), "YX", "has no pixels: level 0 has the shape"),
        ((3, 9, 0), "CYX", "has no pixels"),
    ],
)
def test_axes_and_shapes_that_do_not_work_are_refused(shape: tuple[int, ...], axes: str, message: str):
    with pytest.raises(UnsupportedImageError, match=f"cells {message}"):
        from_arrays(np.zeros(shape, np.uint8), axes, name="cells")


def test_levels_that_grow_are_refused():
    with pytest.raises(UnsupportedImageError, match=r"level 1 has the shape .* Give the finest level first"):
        from_arrays([pattern((9, 9)), pattern((18, 18))], "YX")


def test_levels_of_two_dtypes_are_refused():
    with pytest.raises(UnsupportedImageError, match="level 1 is uint16"):
        from_arrays([pattern((9, 9)), pattern((5, 5), "uint16")], "YX")


def test_no_levels_are_refused():
    with pytest.raises(UnsupportedImageError, match="has no levels"):
        from_arrays([], "YX")


def test_a_failing_array_gives_our_error_with_its_name():
    plane = from_arrays(Failing(), "YX", name="remote").plane()
    with pytest.raises(DamagedImageError, match=r"remote: rows 0 to 50.*connection lost"):
        plane.read(0, Box(0, 0, 50, 50))


def test_channel_names_of_the_wrong_number_are_dropped():
    assert from_arrays(pattern((2, 9, 9)), "CYX", channel_names=("a",)).channel_names == ()
    assert from_arrays(pattern((2, 9, 9)), "CYX", channel_names=("a", "b")).channel_names == ("a", "b")


def test_one_channel_has_levels_without_the_channel_axis():
    levels = halves(pattern((3, 4, 40, 40)), 2)
    chosen = from_arrays(levels, "ZCYX").channel_levels(2)
    assert [level.shape for level in chosen] == [(3, 40, 40), (3, 20, 20)]
    np.testing.assert_array_equal(chosen[1][1:, 3:9], levels[1][1:, 2, 3:9])


@pytest.mark.parametrize("size", [(0, 0), (-1, 1), (float("nan"), 1), (float("inf"), 1), (0.5,), (1, 1, 1)])
def test_sizes_of_pixels_that_cannot_be_are_refused(size):
    with pytest.raises(UnsupportedImageError, match="give two sizes above 0"):
        from_arrays(np.zeros((9, 9), np.uint8), "YX", pixel_size_um=size)
    with pytest.raises(UnsupportedImageError, match="None for what is not known"):
        from_arrays(np.zeros((2, 9, 9), np.uint8), "ZYX", z_step_um=0)
