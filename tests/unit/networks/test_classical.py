from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from helpers.scenes import draw_discs
from napari_mouse_seg import SegmentPlan, segment
from napari_mouse_seg.images import MultiscaleImage, from_arrays
from napari_mouse_seg.networks import ClassicalPlan, CompactPlan, ModelCard, build_network, find_model
from napari_mouse_seg.networks._classical import distance_to_background
from napari_mouse_seg.tiling import Box


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 30), st.floats(0.5, 0.999))
def test_distances_are_euclidean_and_end_at_the_farthest(seed: int, farthest: int, share: float) -> None:
    inside = np.random.default_rng(seed).random((40, 33)) < share
    inside[20, 15] = False
    expected = np.minimum(ndimage.distance_transform_edt(inside), farthest)
    found = distance_to_background(torch.from_numpy(inside)[None, None], farthest)[0, 0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_where_there_is_no_background_all_is_as_far_as_can_be() -> None:
    assert (distance_to_background(torch.ones(1, 1, 9, 70, dtype=torch.bool), 12) == 12).all()


def test_scores_are_intensity_nothing_and_distance() -> None:
    network = build_network(ClassicalPlan(distance_px=10))
    image = torch.zeros(1, 1, 60, 60)
    image[..., 20:40, 20:40] = 0.8
    with torch.inference_mode():
        foreground, boundary, distance = torch.sigmoid(network(image))[0]
    assert foreground[30, 30] == pytest.approx(0.8, abs=1e-3)
    assert (foreground > 0.5).sum() == pytest.approx(400, abs=12)
    assert boundary.max() < 1e-6
    assert 0.85 < distance.max() <= 1
    assert distance[30, 22] < distance[30, 26] < distance[30, 30]


def test_a_tile_with_its_halo_has_the_scores_of_the_whole_image() -> None:
    network = build_network(ClassicalPlan())
    image = torch.from_numpy(ndimage.gaussian_filter(np.random.default_rng(0).random((180, 200)), 4)).float()
    image = ((image - image.min()) / (image.max() - image.min()))[None, None]
    halo = network.reach_px
    with torch.inference_mode():
        whole = network(image)[..., 60:100, 70:120]
        part = network(image[..., 60 - halo : 100 + halo, 70 - halo : 120 + halo])[..., halo:-halo, halo:-halo]
    torch.testing.assert_close(part, whole)


def scene() -> tuple[np.ndarray, np.ndarray]:
    labels = draw_discs((160, 200), [(40, 40), (40, 62), (100, 60), (110, 150), (40, 140)], 13)
    rng = np.random.default_rng(0)
    return labels, (300 + 900 * ndimage.gaussian_filter((labels > 0) * 1.0, 1) + rng.normal(0, 30, labels.shape))


def image_of(pixels: np.ndarray) -> MultiscaleImage:
    return from_arrays([pixels.astype(np.uint16)], axes="YX", name="scene")


@pytest.mark.parametrize("polarity", ["bright", "dark"])
def test_the_baseline_finds_discs_and_parts_those_that_touch(polarity: str) -> None:
    labels, image = scene()
    image = image if polarity == "bright" else 2000 - image
    plan = SegmentPlan(polarity=polarity, device="cpu")
    found = segment(image_of(image), "otsu-watershed", plan).labels
    assert found.max() == labels.max()
    assert ((found > 0) == (labels > 0)).mean() > 0.99


def test_a_region_of_the_baseline_is_the_crop_of_the_full_result() -> None:
    _, pixels = scene()
    plan = SegmentPlan(device="cpu", core_px=64)
    full = segment(image_of(pixels), "otsu-watershed", plan).labels
    view = segment(image_of(pixels), "otsu-watershed", plan, region=Box(60, 20, 150, 90)).result
    assert view.box.area < full.size
    crop = full[view.box.slices]
    for label in set(range(1, view.n_objects + 1)) - view.cut:
        own = view.labels == label
        np.testing.assert_array_equal(crop == crop[own][0], own)
    assert view.n_objects > len(view.cut)


def test_the_baseline_cannot_be_trained_and_networks_can() -> None:
    assert not find_model("otsu-watershed").card.is_trainable
    assert ModelCard(name="x", summary="y", architecture=CompactPlan()).is_trainable
