"""The size of the objects decides the network's grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from helpers.models import write_random_model
from helpers.scenes import draw_discs
from napari_mouse_seg.errors import ImageError
from napari_mouse_seg.events import Finished
from napari_mouse_seg.images import MultiscaleImage, from_arrays
from napari_mouse_seg.pipeline import measure_diameter, resolve
from napari_mouse_seg.plans import SegmentPlan

if TYPE_CHECKING:
    from pathlib import Path

    from napari_mouse_seg.networks import Model

RADIUS = 14


def discs(side: int, dark: bool = False) -> MultiscaleImage:
    labels = np.tile(draw_discs((50, 50), [(25, 25)], RADIUS), (side // 50, side // 50))
    rng = np.random.default_rng(0)
    pixels = 100 + 60.0 * ((labels == 0) if dark else (labels > 0)) + rng.normal(0, 3, labels.shape)
    return from_arrays([pixels.astype(np.float32)], axes="YX", name="discs")


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


def test_an_image_of_noise_is_told_in_words(tmp_path: Path) -> None:
    image = from_arrays([np.eye(200, dtype=np.float32)], axes="YX", name="line")
    with pytest.raises(ImageError, match="too few objects that stand out"):
        measured(image, write_random_model(tmp_path), SegmentPlan())


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


def test_a_model_that_does_not_know_its_objects_says_so(tmp_path: Path) -> None:
    model = write_random_model(tmp_path)
    image = from_arrays([np.zeros((400, 400), np.uint8)], axes="YX")
    job = resolve(image, model, SegmentPlan(object_diameter_px=60))
    assert job.network_shape == (400, 400)
    assert any("does not say how large its objects are" in warning for warning in job.warnings)
