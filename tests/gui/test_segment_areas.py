"""The panel Segment with a model that finds areas of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QLabel, QPushButton

from napari_mouse_seg.networks import CompactPlan, ModelCard, build_network, load_model, save_model
from napari_mouse_seg.plans import AreaTargets, ClassPlan
from napari_mouse_seg.plugin._segment_panel import SegmentWidget
from napari_mouse_seg.session import RunState
from napari_mouse_seg.widgets._class_legend import ClassLegend

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from numpy.typing import NDArray
    from pytestqt.qtbot import QtBot

    from napari_mouse_seg.networks import Model

LONG_MS = 120_000
BACKGROUND, TISSUE, SCAR = 1, 2, 6
TARGETS = AreaTargets(
    classes=(
        ClassPlan(label=BACKGROUND, name="Background", colour="#808080"),
        ClassPlan(label=TISSUE, name="Tissue <living>", colour="#e69f00"),
        ClassPlan(label=SCAR, name="Scar", colour="#0072b2"),
    )
)


@pytest.fixture(scope="module")
def area_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Return a network set by hand: dark is background, bright is scar, and what is between is tissue."""
    import torch

    architecture = CompactPlan(widths=(4, 4), encoder_blocks=(1, 1), decoder_blocks=(1,), outputs=TARGETS.outputs)
    network = build_network(architecture)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        for norm in (module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)):
            norm.weight.fill_(1)
        stem = cast("torch.nn.Conv2d", network.stem[0])
        stem.weight[0, 0, 2:4, 2:4] = 0.25
        network.encoder[0][0].conv.weight[0, 0, 1, 1] = 1
        network.decoder[0][0].conv.weight[0, 0, 1, 1] = 1
        for place, (slope, offset) in enumerate(((0, 4), (20, 0), (40, -12))):
            network.head.weight[4 * place : 4 * place + 4, 0, 1, 1] = slope
            network.head.bias[4 * place : 4 * place + 4] = offset
    path = tmp_path_factory.mktemp("model") / "areas.safetensors"
    card = ModelCard(
        name="areas", summary="Tissue and scar", architecture=architecture, targets=TARGETS, stride_px=4, halo_px=16
    )
    save_model(path, card, network)
    return load_model(path)


@pytest.fixture(scope="module")
def section() -> NDArray[np.uint8]:
    pixels = np.zeros((300, 400), np.uint8)
    pixels[40:260, 60:340] = 100
    pixels[100:200, 100:220] = 250
    return pixels


@pytest.fixture
def opened(
    make_napari_viewer: Callable[..., Viewer], area_model: Model, brightness_model: Model, section: NDArray[np.uint8]
) -> tuple[Viewer, SegmentWidget]:
    viewer = make_napari_viewer()
    viewer.add_image(section, name="section")
    widget = SegmentWidget(viewer, models=(area_model, brightness_model))
    viewer.window.add_dock_widget(widget, name="Segment")
    return viewer, widget


def segment(qtbot: QtBot, widget: SegmentWidget, text: str) -> None:
    (button,) = [one for one in widget.findChildren(QPushButton) if one.text() == text]
    qtbot.waitUntil(button.isEnabled, timeout=LONG_MS)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: widget.controller.session.state is RunState.IDLE, timeout=LONG_MS)


def found(viewer: Viewer) -> Labels:
    (layer,) = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    return layer


def test_areas_lie_where_they_are_with_their_colours_and_names(
    opened: tuple[Viewer, SegmentWidget], qtbot: QtBot, section: NDArray[np.uint8]
) -> None:
    viewer, widget = opened
    segment(qtbot, widget, "Segment full image")
    layer = found(viewer)
    expected = np.select([section == 0, section == 100], [BACKGROUND, TISSUE], SCAR)
    agreeing = np.asarray(layer.data) == expected
    assert agreeing.mean() > 0.99
    np.testing.assert_allclose(layer.get_color(SCAR), [0, 0x72 / 255, 0xB2 / 255, 1], atol=0.01)
    assert layer.get_color(BACKGROUND) is None or layer.get_color(BACKGROUND)[3] == 0
    assert layer.selected_label == TISSUE
    assert "Scar" in layer.get_status((150, 150), world=True)["value"]
    assert "Scar 10.0\N{NO-BREAK SPACE}%" in widget.panel.result_text()


def test_the_panel_shows_what_colours_mean_in_place_of_thresholds(
    opened: tuple[Viewer, SegmentWidget],
) -> None:
    _, widget = opened
    shown = [label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget)]
    assert any("Tissue &lt;living&gt; (2)" in text and "#e69f00" in text for text in shown)
    assert not widget.panel.thresholds.isVisibleTo(widget)
    box = next(one for one in widget.findChildren(QComboBox) if one.currentText() == "areas")
    box.setCurrentIndex(1)
    assert widget.panel.thresholds.isVisibleTo(widget)
    assert not any(label.isVisibleTo(widget) for label in widget.findChildren(ClassLegend))


def test_a_view_after_the_user_has_painted_keeps_the_paint(opened: tuple[Viewer, SegmentWidget], qtbot: QtBot) -> None:
    viewer, widget = opened
    segment(qtbot, widget, "Segment visible region")
    layer = found(viewer)
    layer.selected_label = SCAR
    layer.brush_size = 20
    layer.paint((60, 100), SCAR)
    segment(qtbot, widget, "Segment full image")
    assert layer.data[60, 100] == SCAR
    assert found(viewer) is layer
