"""The image that is painted while it is removed, or has its pixels replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from helpers.desks import ENDLESS

if TYPE_CHECKING:
    from napari.layers import Image

    from helpers.desks import Desk

    Discs = tuple[np.ndarray, list[tuple[int, int]]]

pytestmark = pytest.mark.usefixtures("home")


def add_image(desk: Desk, pixels: np.ndarray) -> Image:
    """Add an image that is in no file, and choose it."""
    desk.image = desk.viewer.add_image(pixels, name="memory", scale=(0.25, 0.25), units=("um", "um"))
    choose_image(desk, "memory")
    return desk.image


def choose_image(desk: Desk, name: str) -> None:
    """Choose an image, and wait for its project."""
    images = desk.widget.controller._layers
    images.choose(images.names.index(name))
    desk.until(lambda: not desk.session.is_opening)


def test_nothing_is_cut_from_an_image_that_is_not_the_chosen_one_any_more(desk: Desk, discs: Discs) -> None:
    desk.add_patch()
    desk.prefill()
    painted = desk.image
    other = add_image(desk, discs[0])
    choose_image(desk, painted.name)
    button = desk.button("Add patch here")
    desk.train(ENDLESS)
    choose_image(desk, other.name)
    desk.until(lambda: not button.isEnabled())
    assert f"Training works on “{painted.name}”; patches of another image can be added when it has" in desk.texts()
    choose_image(desk, painted.name)
    desk.until(button.isEnabled)
    desk.viewer.layers.remove(painted)
    desk.until(lambda: not button.isEnabled())
    desk.panel.cancelRequested.emit()
    desk.until_idle()
    desk.until(button.isEnabled)
    assert desk.session.project is None
    assert "Training works on" not in desk.texts()


def test_patches_are_cut_from_pixels_that_were_replaced(desk: Desk, discs: Discs) -> None:
    image = add_image(desk, discs[0])
    desk.add_patch()
    folder = desk.project.folder
    image.data = np.full_like(discs[0], 77)
    image.data[::2] = 79
    desk.add_patch()
    assert desk.project.folder == folder
    np.testing.assert_allclose(desk.project.pixels("p002"), 78)
    assert desk.project.pixels("p001").max() == 200


@pytest.mark.parametrize(
    "moved", [{"translate": (30, 40)}, {"rotate": 20.0}, {"scale": (0.3, 0.3)}], ids=["translate", "rotate", "scale"]
)
def test_a_patch_goes_with_an_image_that_is_moved(desk: Desk, discs: Discs, moved: dict[str, Any]) -> None:
    image = add_image(desk, discs[0])
    paint = desk.add_patch()
    for name, value in moved.items():
        setattr(image, name, value)
    (patch,) = desk.project.plan.patches
    steps = np.divide(discs[0].shape, desk.project.plan.network_shape)
    for layer in (desk.pixels, desk.paint):
        first = [(corner + 0.5) * step - 0.5 for corner, step in zip(patch.box[:2], steps, strict=True)]
        np.testing.assert_allclose(layer.data_to_world((0, 0)), image.data_to_world(first))
        last = [(corner - 0.5) * step - 0.5 for corner, step in zip(patch.box[2:], steps, strict=True)]
        end = np.subtract(layer.data.shape, 1)
        np.testing.assert_allclose(layer.data_to_world(end), image.data_to_world(last))
    assert desk.paint is paint


def test_pixels_of_another_size_close_the_project_in_words(desk: Desk, discs: Discs) -> None:
    image = add_image(desk, discs[0])
    desk.add_patch()
    first = desk.project.folder
    image.data = discs[0][:200]
    assert desk.session.project is None
    assert "“memory” has another size or other axes now, so its project is closed." in desk.panel.failure_text()
    assert not desk.paints()
    desk.until(lambda: not desk.session.is_opening)
    desk.add_patch((100.0, 256.0))
    assert desk.project.folder != first
    image.data = discs[0]
    desk.until(lambda: desk.session.project is not None and desk.project.folder == first)
