"""Layers that are used again lie where they belong, whatever image they lie over."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")

from napari.components import ViewerModel
from napari.layers import Image, Layer

from helpers.runners import FakeRunner
from napari_mouse_seg.events import Finished
from napari_mouse_seg.networks import Model, ModelCard
from napari_mouse_seg.plans import PatchPlan
from napari_mouse_seg.plugin import _preview
from napari_mouse_seg.plugin._patch_layers import PatchLayers
from napari_mouse_seg.plugin._preview import Previews
from napari_mouse_seg.plugin._truth_layers import LabelsLayerList
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Callable

BOX = Box(4, 6, 12, 18)
SCALE = 2.0  # Image pixels per network pixel.
FIRST: dict[str, Any] = {"scale": (0.5, 0.5), "units": ("um", "um")}
OTHERS: dict[str, dict[str, Any]] = {
    "pixel size": {"scale": (0.2, 0.2), "units": ("um", "um")},
    "units": {"scale": (0.5, 0.5), "units": ("mm", "mm")},
    "rotation": {"scale": (0.5, 0.5), "units": ("um", "um"), "rotate": 30},
    "affine": {"scale": (0.5, 0.5), "units": ("um", "um"), "affine": np.diag([2.0, 2.0, 1.0])},
    "planes": {"scale": (1, 0.5, 0.5), "units": ("um", "um", "um")},
}


def image(placed: dict[str, Any]) -> Image:
    ndim = len(placed["scale"])
    return Image(np.zeros((3,) * (ndim - 2) + (40, 60), np.uint8), name="image", **placed)


def check_place(layer: Layer, over: Image) -> None:
    """A layer's first and last pixel lie on those of the image that were looked at."""
    lead = (0,) * (over.ndim - 2)
    assert layer.ndim == over.ndim
    assert layer.units == over.units
    for corner, (y, x) in ((BOX.y0, BOX.x0), (0, 0)), ((BOX.y1 - 1, BOX.x1 - 1), (BOX.shape[0] - 1, BOX.shape[1] - 1)):
        image_px = [(index + 0.5) * SCALE - 0.5 for index in corner]
        expected = over.data_to_world((*lead, *image_px))
        np.testing.assert_allclose(layer.data_to_world((*lead, y, x)), expected, rtol=1e-9, atol=1e-6)


@pytest.fixture
def preview(monkeypatch: pytest.MonkeyPatch) -> Callable[[Image], Layer]:
    """Return a function that shows a preview over an image, and returns its layer."""
    runner, viewer = FakeRunner(), ViewerModel()
    previews = Previews(viewer, runner)

    job = SimpleNamespace(model=Model(ModelCard(name="mine", summary="A model"), Path("mine"), ""))

    def look_with(_model: object, _place: object) -> Any:
        labels = np.full(BOX.shape, 1, np.uint32)
        labels[:, 6:] = 2
        yield Finished(SimpleNamespace(labels=labels, box=BOX, pixel_scale=(SCALE, SCALE), found="", job=job))

    monkeypatch.setattr(_preview, "look_with", look_with)

    def show(over: Image) -> Layer:
        place = _preview.Place(over, None, (0,) * (over.ndim - 2), None, BOX)
        previews.show("preview", None, place)
        runner.tasks[-1].finish()
        (layer,) = viewer.layers
        return layer

    return show


@pytest.mark.parametrize("placed", OTHERS.values(), ids=OTHERS.keys())
def test_a_preview_over_another_image_lies_on_it(preview: Callable[[Image], Layer], placed: dict[str, Any]) -> None:
    first, second = image(FIRST), image(placed)
    check_place(preview(first), first)
    check_place(preview(second), second)


def test_a_preview_that_is_only_moved_keeps_its_layer(preview: Callable[[Image], Layer]) -> None:
    layer = preview(image(FIRST))
    moved = image({**FIRST, "translate": (7, -3)})
    assert preview(moved) is layer
    check_place(layer, moved)


def test_a_small_step_far_from_the_origin_is_made(preview: Callable[[Image], Layer]) -> None:
    far: dict[str, Any] = {"scale": (0.1, 0.1), "units": ("um", "um"), "translate": (60_000, 80_000)}
    layer = preview(image(far))
    moved = image({**far, "translate": (60_000, 80_000.7)})
    assert preview(moved) is layer
    check_place(layer, moved)


def test_a_preview_that_was_hidden_stays_so_over_another_image(preview: Callable[[Image], Layer]) -> None:
    preview(image(FIRST)).visible = False
    assert not preview(image(OTHERS["rotation"])).visible


def test_a_preview_holds_outlines_and_is_no_labels_to_compare_with(preview: Callable[[Image], Layer]) -> None:
    layer, viewer = preview(image(FIRST)), ViewerModel()
    assert layer.data[:, 4:6].tolist() == [[1, 1]] * 8
    assert layer.data[:, 6:8].tolist() == [[2, 2]] * 8
    assert np.count_nonzero(layer.data) == 8 * 4  # Nothing inside, and none where the view cuts an object.
    assert layer.contour == 0
    labels = LabelsLayerList(viewer)
    labels.start()
    viewer.layers.append(layer)
    viewer.add_labels(layer.data, name="mine")
    assert labels.names == ["mine"]


@pytest.mark.parametrize("placed", [placed for name, placed in OTHERS.items() if name != "planes"])
def test_a_patch_lies_on_its_image_after_that_was_placed_anew(placed: dict[str, Any]) -> None:
    viewer, over = ViewerModel(), image(FIRST)
    layers = PatchLayers(viewer)
    patch = PatchPlan(id="p001", box=(BOX.y0, BOX.x0, BOX.y1, BOX.x1))
    pixels, paint = np.zeros((1, *BOX.shape), np.float32), np.zeros(BOX.shape, np.uint32)
    for now in (FIRST, placed):
        for name, value in now.items():
            setattr(over, name, value)
        layers.show(over, (), (SCALE, SCALE), patch, pixels, paint, (0.0, 1.0), editable=True)
        assert len(viewer.layers) == 2
        for layer in viewer.layers:
            check_place(layer, over)
    layers.close()
