"""Layers become images, and labels lie where the image lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dask.array as da
import numpy as np
import pytest
import zarr
from napari.layers import Image

from napari_mouse_seg.errors import UnsupportedImageError
from napari_mouse_seg.pipeline import ObjectCanvas
from napari_mouse_seg.plugin._layers import image_of_layer, make_labels_layer, pixel_size_um
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from typing import Any

GRADIENT = np.arange(60 * 80, dtype=np.uint16).reshape(60, 80)


@pytest.mark.parametrize("wrap", [np.asarray, lambda a: da.from_array(a, chunks=16), zarr.array])
def test_arrays_of_any_kind_are_read_as_they_are(wrap: Any) -> None:
    image = image_of_layer(Image(wrap(GRADIENT)))
    np.testing.assert_array_equal(image.plane().read(0, Box(10, 20, 13, 24)), GRADIENT[10:13, 20:24])


def test_levels_of_a_multiscale_layer_are_kept() -> None:
    image = image_of_layer(Image([GRADIENT, GRADIENT[::2, ::2]], multiscale=True))
    assert image.level_shapes[:2] == ((60, 80), (30, 40))


def test_rgb_layer_is_an_rgb_image() -> None:
    image = image_of_layer(Image(np.zeros((60, 80, 4), np.uint8), rgb=True))
    assert image.is_rgb
    assert image.shape == (60, 80)


def test_named_axes_are_believed() -> None:
    image = image_of_layer(Image(np.zeros((2, 5, 60, 80), np.uint8), axis_labels=("c", "z", "y", "x")))
    assert (image.n_channels, image.n_z, image.n_t) == (2, 5, 1)


def test_unnamed_leading_axes_are_time_and_plane() -> None:
    image = image_of_layer(Image(np.zeros((2, 5, 60, 80), np.uint8)))
    assert (image.n_channels, image.n_z, image.n_t) == (1, 5, 2)


def test_too_many_axes_are_refused_in_words() -> None:
    with pytest.raises(UnsupportedImageError, match="has 4 axes beside rows and columns; at most 3"):
        image_of_layer(Image(np.zeros((1, 1, 1, 1, 8, 8), np.uint8)))


@pytest.mark.parametrize(
    ("unit", "scale", "expected"),
    [("um", 0.5, (0.5, 0.5)), ("nm", 650, (0.65, 0.65)), ("mm", 0.001, (1.0, 1.0)), ("pixel", 0.5, None)],
)
def test_pixel_size_is_told_by_units_of_length(unit: str, scale: float, expected: tuple[float, float] | None) -> None:
    layer = Image(GRADIENT, scale=(scale, scale), units=(unit, unit))
    size = pixel_size_um(layer)
    assert size is None if expected is None else size == pytest.approx(expected)


def test_pixel_size_counts_the_affine_and_no_rotation() -> None:
    layer = Image(GRADIENT, scale=(0.5, 0.25), rotate=30, affine=np.diag([2.0, 2.0, 1.0]), units=("um", "um"))
    assert pixel_size_um(layer) == pytest.approx((1.0, 0.5))


TRANSFORMS = {
    "plain": {},
    "scaled": {"scale": (0.5, 0.25), "translate": (10, -20)},
    "turned": {"scale": (0.5, 0.25), "translate": (10, -20), "rotate": 33},
    "affine": {
        "scale": (0.5, 2),
        "translate": (3, 4),
        "rotate": -15,
        "shear": (0.2,),
        "affine": np.array([[1.5, 0.3, 7], [-0.2, 0.8, -9], [0, 0, 1]]),
    },
}


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS.keys())
@pytest.mark.parametrize("pixel_scale", [(1.0, 1.0), (2.0, 4.0), (0.5, 0.4)])
def test_label_pixel_lies_where_the_image_pixel_lies(transform: Any, pixel_scale: tuple[float, float]) -> None:
    layer = Image(GRADIENT, **transform)
    shape = (round(60 / pixel_scale[0]), round(80 / pixel_scale[1]))
    labels = make_labels_layer(layer, ObjectCanvas(shape), pixel_scale, (), "labels")
    # Corners of the image: the outer corner of the first pixel lies half a pixel before its centre.
    for network, image in (((-0.5, -0.5), (-0.5, -0.5)), ((shape[0] - 0.5, shape[1] - 0.5), (59.5, 79.5))):
        np.testing.assert_allclose(labels.data_to_world(network), layer.data_to_world(image), atol=1e-9)


def test_labels_of_a_stack_lie_on_their_plane() -> None:
    layer = Image(np.zeros((4, 6, 60, 80), np.uint8), scale=(2, 3, 1, 1), translate=(0, 100, 0, 0))
    labels = make_labels_layer(layer, ObjectCanvas((30, 40)), (2.0, 2.0), (3, 5), "labels")
    assert labels.data.shape == (1, 1, 30, 40)
    np.testing.assert_allclose(labels.data_to_world((0, 0, 0, 0)), layer.data_to_world((3, 5, 0.5, 0.5)))


def test_small_labels_can_be_painted_and_share_the_canvas() -> None:
    canvas = ObjectCanvas((60, 80))
    labels = make_labels_layer(Image(GRADIENT), canvas, (1.0, 1.0), (), "labels")
    assert labels.editable
    labels.data_setitem((np.array([5]), np.array([6])), 9)
    assert canvas.array[5, 6] == 9


def test_large_labels_are_a_pyramid() -> None:
    layer = Image(da.zeros((5000, 5000), np.uint8, chunks=1000), contrast_limits=(0, 1))
    labels = make_labels_layer(layer, ObjectCanvas((5000, 5000)), (1.0, 1.0), (), "labels")
    assert labels.multiscale
