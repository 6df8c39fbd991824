"""Cards are shown in their own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_mouse_seg.networks import ModelCard
from napari_mouse_seg.widgets import CardView

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def test_card_is_shown_with_its_titles(qtbot: QtBot) -> None:
    card = ModelCard(name="nuclei", summary="Finds <nuclei>.", known_failures=("Histology.",), pixel_size_um=0.65)
    view = CardView([(card.name, card)])
    qtbot.addWidget(view)
    for text in ("nuclei", "Finds <nuclei>.", "Known failures", "Histology.", "Pixel size (µm)", "0.65"):
        assert text in view.text()


def test_no_models_are_said_so(qtbot: QtBot) -> None:
    view = CardView([])
    qtbot.addWidget(view)
    assert "No model is installed" in view.text()
