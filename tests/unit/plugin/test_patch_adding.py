"""What a patch of a new network is measured by."""

from __future__ import annotations

import numpy as np
import pytest

from napari_mouse_seg.events import Finished
from napari_mouse_seg.images import ImagePlane, from_arrays, intensity_range
from napari_mouse_seg.pipeline import cut_patch, resolve
from napari_mouse_seg.plans import SegmentPlan
from napari_mouse_seg.plugin._patch_adding import _stand_in

PLAN = SegmentPlan(scale=1.0)
BLUE = np.zeros((96, 128, 3), np.uint8)
BLUE[..., 2] = np.random.default_rng(0).integers(20, 220, BLUE.shape[:2])


@pytest.mark.parametrize("pixels", [BLUE, BLUE[..., 2]], ids=["colours", "grey"])
def test_a_new_network_sees_the_range_of_the_channels_it_will_see(pixels: np.ndarray) -> None:
    image = from_arrays([pixels], "YXS" if pixels.ndim == 3 else "YX")
    model = _stand_in(image)
    assert model.card.architecture.in_channels == (3 if pixels.ndim == 3 else 1)
    (*_, last) = cut_patch(resolve(image, model, PLAN), 64)
    assert isinstance(last, Finished)
    seen = intensity_range(pixels.astype(np.float32), model.card.intensity)
    limits = last.result.limits if pixels.ndim == 2 else last.result.colour_limits
    np.testing.assert_allclose(limits, (seen.low, seen.high), rtol=0.02)


@pytest.mark.parametrize(("size", "expected"), [((0.25, 0.5), None), ((0.25, 0.251), 0.25), (None, None)])
def test_only_square_pixels_have_a_size_to_learn(size: tuple[float, float] | None, expected: float | None) -> None:
    image = from_arrays([BLUE[..., 2]], "YX", pixel_size_um=size)
    job = resolve(image, _stand_in(image), SegmentPlan(), network_shape=image.shape)
    assert job.network_pixel_um == expected


def test_a_patch_of_colours_is_measured_for_grey_networks_too() -> None:
    (*_, last) = cut_patch(resolve(from_arrays([BLUE], "YXS"), _stand_in(from_arrays([BLUE], "YXS")), PLAN), 64)
    assert isinstance(last, Finished)
    assert last.result.intensity.polarity == "bright"
    grey = intensity_range(BLUE.mean(-1, dtype=np.float32), last.result.intensity)
    np.testing.assert_allclose(last.result.limits, (grey.low, grey.high), rtol=0.02)


def test_however_much_is_measured_the_whole_image_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []
    plain = ImagePlane.sample_steps
    monkeypatch.setattr(ImagePlane, "sample_steps", lambda plane: reads.append(plane) or plain(plane))
    image = from_arrays([BLUE], "YXS")
    assert isinstance([*cut_patch(resolve(image, _stand_in(image), PLAN), 64)][-1], Finished)
    assert len(reads) == 1


@pytest.mark.parametrize("expected", ["bright", "dark"])
@pytest.mark.parametrize("level", [40, 200], ids=["dark", "bright"])
def test_objects_are_taken_to_be_what_most_of_the_image_is_not(level: int, expected: str) -> None:
    pixels = np.random.default_rng(1).normal(level, 3, (96, 128)).clip(0, 255).astype(np.uint8)
    pixels[:30, :30] = 240 - level
    image = from_arrays([pixels], "YX")
    (*_, last) = cut_patch(resolve(image, _stand_in(image), PLAN.replace(polarity=expected)), 64)
    assert isinstance(last, Finished)
    assert last.result.intensity.polarity == ("bright" if level == 40 else "dark")
