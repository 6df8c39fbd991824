"""Fixtures of the tests that drive a real viewer, and a model whose answer is known."""

from __future__ import annotations

import gc
import shutil
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from helpers.pyramids import means, write_pyramid_tiff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari import Viewer
    from npe2._pytest_plugin import TestPluginManager
    from numpy.typing import NDArray
    from pytestqt.qtbot import QtBot

    from helpers.desks import Desk
    from napari_mouse_seg.networks import Model
    from napari_mouse_seg.plugin._segment_panel import SegmentWidget

FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything beside this file: ``-m "not gui"`` leaves it out."""
    for item in items:
        if item.path.parent == FOLDER:
            item.add_marker(pytest.mark.gui)


@pytest.fixture(autouse=True, scope="module")
def _modules_are_not_searched_for_garbage() -> None:
    """Let napari's fixture, which collects garbage several times a test, skip the million objects of loaded modules."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _panels_leave_that_to_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A panel that closes would give back what the tests leave out."""
    from napari_mouse_seg.plugin import _garbage

    monkeypatch.setattr(_garbage, "gc", SimpleNamespace(freeze=int, unfreeze=int, collect=int))


@pytest.fixture(autouse=True)
def _no_triton_after_mesa() -> Iterator[None]:
    """Tests that load torch after a window was drawn would end the process otherwise."""
    yield
    from napari_mouse_seg.plugin._warm_up import keep_triton_out

    keep_triton_out()


@pytest.fixture
def set_view(make_napari_viewer: Callable[..., Viewer]) -> Callable[..., None]:
    """Return a function that puts the camera so that the canvas shows a known world rectangle."""

    def place(viewer: Viewer, centre: tuple[float, float], zoom: float) -> None:
        viewer.scene.camera.center = (0.0, *centre)
        viewer.scene.camera.zoom = zoom

    return place


@pytest.fixture(scope="session")
def brightness_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Return a real network whose weights are set by hand: bright is foreground, nothing is boundary."""
    from napari_mouse_seg.networks import CompactPlan, ModelCard, load_model, save_model

    path: Path = tmp_path_factory.mktemp("model") / "brightness.safetensors"
    architecture = CompactPlan(widths=(2, 2), encoder_blocks=(1, 1), decoder_blocks=(1,))
    card = ModelCard(
        name="brightness",
        summary="Bright discs",
        architecture=architecture,
        modality="fluorescence",
        pixel_size_um=0.5,
        stride_px=8,
        halo_px=32,
    )
    save_model(path, card, _brightness_network(architecture))
    return load_model(path)


def _brightness_network(architecture: object) -> object:
    """Pass the mean of 2 x 2 pixels through the first level to the outputs."""
    import torch
    from torch import nn

    from napari_mouse_seg.networks import build_network

    network = build_network(architecture)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                module.weight.zero_()
                if module.bias is not None:
                    module.bias.zero_()
        network.stem[0].weight[0, 0, 2:4, 2:4] = 0.25  # 6 x 6, stride 2, padding 2: pixels 2i and 2i + 1
        for stage in (network.encoder[0], network.decoder[0]):
            stage[0].conv.weight[0, 0, 1, 1] = 1.0
        # Each output has four channels, one for each pixel of a block: foreground, touching boundary, distance.
        for channel in (0, 2):
            network.head.weight[4 * channel : 4 * channel + 4, 0, 1, 1] = 20.0
        network.head.bias[:] = torch.tensor([-10.0, -20.0, -10.0]).repeat_interleave(4)
    return network


@pytest.fixture(scope="session")
def discs() -> tuple[NDArray[np.uint8], list[tuple[int, int]]]:
    """Return an image of bright discs of radius 8 on a dark ground, and their centres."""
    image = np.full((384, 512), 10, np.uint8)
    rows, columns = np.ogrid[: image.shape[0], : image.shape[1]]
    centres = [(y, x) for y in range(24, 384, 48) for x in range(24, 512, 48)]
    for y, x in centres:
        image[(rows - y) ** 2 + (columns - x) ** 2 <= 64] = 200
    return image, centres


@pytest.fixture
def open_panel(brightness_model: Model) -> Callable[[Viewer], SegmentWidget]:
    """Return a function that docks the panel in a viewer."""

    def dock(viewer: Viewer) -> SegmentWidget:
        from napari_mouse_seg.plugin._segment_panel import SegmentWidget

        widget = SegmentWidget(viewer, models=(brightness_model,))
        viewer.window.add_dock_widget(widget, name="Segment")
        return widget

    return dock


@pytest.fixture
def nothing_left(qtbot: QtBot) -> Iterator[None]:
    """Fail a test that leaves a process behind, once its viewers are closed."""
    from helpers.desks import workers

    yield
    assert workers() == []


@pytest.fixture(scope="session")
def slide_file(
    discs: tuple[NDArray[np.uint8], list[tuple[int, int]]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return a pyramid of the discs."""
    path = tmp_path_factory.mktemp("slide") / "slide.ome.tif"
    metadata = {"axes": "YX", "PhysicalSizeY": 0.25, "PhysicalSizeX": 0.25}
    return write_pyramid_tiff(path, means(discs[0], 3), metadata=metadata)


@pytest.fixture
def slide(slide_file: Path, tmp_path: Path) -> Path:
    """Return the pyramid in a folder of the test's own."""
    return Path(shutil.copy(slide_file, tmp_path))


@pytest.fixture
def open_desk(
    nothing_left: None,
    npe2pm: TestPluginManager,
    make_napari_viewer: Callable[..., Viewer],
    qtbot: QtBot,
    slide: Path,
    brightness_model: Model,
) -> Iterator[Callable[..., Desk]]:
    """Return a function that opens the image in a new viewer with the panel *Train*."""
    from npe2 import PluginManifest

    from helpers.desks import Desk

    manifest = PluginManifest.from_file(Path(str(files("napari_mouse_seg"))) / "napari.yaml")
    desks: list[Desk] = []

    def sit_down(path: Path = slide, **placed: Any) -> Desk:
        desks.append(Desk(make_napari_viewer(show=True), qtbot, path, (brightness_model,), **placed))
        return desks[-1]

    with npe2pm.tmp_plugin(manifest=manifest):
        yield sit_down
    for desk in desks:
        vars(desk).clear()  # pytest holds it longer than its window may live.


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    """Return a viewer with the slide and the panel *Train*."""
    return open_desk()
