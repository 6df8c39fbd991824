"""The size of the objects decides the network's grid, if it can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import ndimage

from helpers.models import write_random_model
from helpers.scenes import draw_discs
from napari_mouse_seg.errors import ImageError
from napari_mouse_seg.events import Finished, Started
from napari_mouse_seg.images import MultiscaleImage, from_arrays, open_image, sample_path
from napari_mouse_seg.instances import Discs, find_discs
from napari_mouse_seg.networks import DEFAULT_MODEL, find_model
from napari_mouse_seg.pipeline import measure_diameter, resolve
from napari_mouse_seg.pipeline._size_check import check_diameter
from napari_mouse_seg.plans import SegmentPlan

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_mouse_seg.networks import Model

RADIUS = 14
NUCLEI = find_model(DEFAULT_MODEL)


def discs(side: int, dark: bool = False) -> MultiscaleImage:
    labels = np.tile(draw_discs((50, 50), [(25, 25)], RADIUS), (side // 50, side // 50))
    rng = np.random.default_rng(0)
    pixels = 100 + 60.0 * ((labels == 0) if dark else (labels > 0)) + rng.normal(0, 3, labels.shape)
    return grey(pixels, "discs")


def grey(pixels: NDArray[np.generic], name: str) -> MultiscaleImage:
    return from_arrays([pixels.astype(np.float32)], axes="YX", name=name)


def nuclei() -> NDArray[np.generic]:
    image = open_image(sample_path())
    return image.plane().sample(image.shape[0] * image.shape[1])


def measured(image: MultiscaleImage, model: Model, plan: SegmentPlan) -> float:
    last = list(measure_diameter(resolve(image, model, plan)))[-1]
    assert isinstance(last, Finished)
    return float(last.result)


@pytest.mark.parametrize("side", [500, 2500])  # whole, and in windows
@pytest.mark.parametrize("dark", [False, True])
def test_objects_are_measured_in_image_pixels(tmp_path: Path, side: int, dark: bool) -> None:
    model = write_random_model(tmp_path)
    plan = SegmentPlan(scale=0.5, polarity="dark" if dark else "bright")  # the scale must not matter
    assert measured(discs(side, dark), model, plan) == pytest.approx(2 * RADIUS, abs=3)


def test_too_few_objects_are_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"too few objects that stand out.*fewer than 5.*draw across one"):
        measured(grey(np.eye(200), "line"), write_random_model(tmp_path), SegmentPlan())


def test_objects_of_too_many_sizes_are_told_in_words(tmp_path: Path) -> None:
    centres = [(60 * row + 40, 60 * column + 40) for row in range(9) for column in range(9)]
    pixels = (draw_discs((640, 640), centres, 5) > 0).astype(np.float32)
    alike, mixed = pixels.copy(), pixels.copy()
    mixed[draw_discs((640, 640), [(190, 190), (430, 430)], 24) > 0] = 1
    model = write_random_model(tmp_path)
    assert measured(grey(alike, "alike"), model, SegmentPlan()) == pytest.approx(10, abs=2)
    with pytest.raises(ImageError, match=r"of mixed are of too many sizes .* 1\d px and many 4\d px across; type"):
        measured(grey(mixed, "mixed"), model, SegmentPlan())


@pytest.mark.parametrize("factor", [1 / 3, 0.5, 2.0])
def test_a_resized_image_of_nuclei_is_measured_in_its_own_pixels(factor: float) -> None:
    own = measured(grey(nuclei(), "own"), NUCLEI, SegmentPlan())
    resized = ndimage.zoom(nuclei().astype(np.float32), factor, order=1)
    assert measured(grey(resized, "resized"), NUCLEI, SegmentPlan()) == pytest.approx(factor * own, rel=0.15)


@pytest.mark.parametrize("corner", [(0, 0), (0, 160), (160, 160), (320, 480)])
def test_a_field_of_few_nuclei_among_specks_is_left_as_it_is(corner: tuple[int, int]) -> None:
    y, x = corner
    few = nuclei().astype(np.float32)[y : y + 160, x : x + 160]
    pixels = np.pad(few, 40, constant_values=np.percentile(few, 5))
    for row, column in np.random.default_rng(y).integers(4, len(pixels) - 8, (300, 2)):
        pixels[row : row + 3, column : column + 3] = pixels.max()
    pixels = ndimage.gaussian_filter(pixels, 0.7)
    assert find_discs(pixels).diameter() < 14  # so that what would be measured is wrong
    with pytest.raises(ImageError, match=r"type the diameter .* or draw across one in the panel"):
        measured(grey(pixels, "sparse"), NUCLEI, SegmentPlan())


@pytest.mark.parametrize(
    ("resized", "wrong_px", "right_px"),
    [(1.0, (7.0, 12.0, 70.0, 120.0), ()), (0.3, (4.0, 60.0), (8.0, 10.0)), (4.0, (60.0, 500.0), (100.0, 115.0))],
)
def test_only_a_size_with_which_the_model_finds_objects_more_surely_is_used(
    resized: float, wrong_px: tuple[float, ...], right_px: tuple[float, ...]
) -> None:
    pixels = ndimage.zoom(nuclei().astype(np.float32)[:300, :300], resized, order=1)
    job = resolve(grey(pixels, "nuclei"), NUCLEI, SegmentPlan())
    centres = np.argwhere(np.ones((10, 10))) * len(pixels) / 10
    for diameter in right_px:
        assert list(check_diameter(job, diameter, Discs(centres, np.full(100, diameter / 2))))
    for diameter in wrong_px:
        told = f"nuclei seem to be {diameter:.0f} px across, but with that size nuclei-fluorescence "
        with pytest.raises(ImageError, match=told):
            list(check_diameter(job, diameter, Discs(centres, np.full(100, diameter / 2))))


def test_a_size_that_the_model_knows_is_not_looked_at_again(tmp_path: Path) -> None:
    model = write_random_model(tmp_path, object_diameter_px=2 * RADIUS)
    events = list(measure_diameter(resolve(discs(500), model, SegmentPlan())))
    assert {event.stage for event in events if isinstance(event, Started)} == {"statistics", "windows"}


def test_of_a_large_image_only_a_part_is_looked_at(tmp_path: Path) -> None:
    model = write_random_model(tmp_path, object_diameter_px=10)
    looks = (
        event.total
        for event in measure_diameter(resolve(discs(2100), model, SegmentPlan()))
        if isinstance(event, Started) and event.stage == "scores"
    )
    assert max(next(looks), next(looks)) <= 36  # of 256 px; the image has 81


def test_measuring_can_be_given_up_while_the_model_looks(tmp_path: Path) -> None:
    model = write_random_model(tmp_path, object_diameter_px=7)
    events = measure_diameter(resolve(discs(500), model, SegmentPlan()))
    next(event for event in events if isinstance(event, Started) and event.stage == "scores")
    events.close()
    assert not list(events)


@pytest.mark.parametrize(
    ("plan", "shape"),
    [
        (SegmentPlan(object_diameter_px=60), (200, 200)),
        (SegmentPlan(object_diameter_px=15), (800, 800)),
        (SegmentPlan(object_diameter_px=27), (400, 400)),  # near enough
        (SegmentPlan(object_diameter_px=60, scale=0.25), (100, 100)),  # the scale is the user's word
    ],
)
def test_the_object_diameter_chooses_the_grid(tmp_path: Path, plan: SegmentPlan, shape: tuple[int, int]) -> None:
    model = write_random_model(tmp_path, object_diameter_px=30, pixel_size_um=0.5)
    image = from_arrays([np.zeros((400, 400), np.uint8)], axes="YX", pixel_size_um=(0.1, 0.1))
    assert resolve(image, model, plan).network_shape == shape


def test_the_object_diameter_keeps_objects_round_where_pixels_are_not_square(tmp_path: Path) -> None:
    model = write_random_model(tmp_path, object_diameter_px=30)
    image = from_arrays([np.zeros((400, 300), np.uint8)], axes="YX", pixel_size_um=(0.25, 0.5))
    assert resolve(image, model, SegmentPlan(object_diameter_px=60)).network_shape == (200, 300)


def test_a_model_that_does_not_know_its_objects_says_so(tmp_path: Path) -> None:
    model = write_random_model(tmp_path)
    image = from_arrays([np.zeros((400, 400), np.uint8)], axes="YX")
    job = resolve(image, model, SegmentPlan(object_diameter_px=60))
    assert job.network_shape == (400, 400)
    assert any("does not say how large its objects are" in warning for warning in job.warnings)
