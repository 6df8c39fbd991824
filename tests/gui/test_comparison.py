"""Two rounds are compared in the view, or it is said why not."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from napari_mouse_seg.plans import RoundPlan
from napari_mouse_seg.plugin._rounds import PREVIEW

if TYPE_CHECKING:
    from collections.abc import Callable

    from helpers.desks import Desk
    from napari_mouse_seg.networks import Model


def add_rounds(desk: Desk, model: Model, *names: str) -> None:
    """Let the project have finished rounds of a model."""
    desk.add_patch()
    for number, name in enumerate(names, 1):
        file = desk.project.round_file(number)
        file.parent.mkdir(exist_ok=True)
        shutil.copy(model.path, file)
        desk.project.add_round(RoundPlan(number=number, name=name, base="brightness"))


def results(desk: Desk) -> list[str]:
    """Names of the results in sight."""
    known = (desk.image, desk.pixels, desk.paint)
    return [layer.name for layer in desk.viewer.layers if layer.visible and layer not in known]


def look_away(desk: Desk) -> None:
    desk.look((9000.0, 9000.0))


def show_in_3d(desk: Desk) -> None:
    desk.viewer.dims.ndisplay = 3


@pytest.mark.parametrize(
    ("hinder", "words"), [(look_away, "is outside of the view"), (show_in_3d, "switch to the 2-D view")]
)
def test_where_nothing_can_be_compared_that_is_said_and_the_preview_stays(
    desk: Desk, brightness_model: Model, hinder: Callable[[Desk], None], words: str
) -> None:
    add_rounds(desk, brightness_model, "first", "second")
    desk.panel.roundUsed.emit(1)
    desk.until(lambda: results(desk) == [PREVIEW])
    hinder(desk)
    desk.panel.roundsCompared.emit(1, 2)
    assert words in desk.panel.failure_text()
    desk.until(lambda: not desk.widget.controller._previews.is_at_work)
    assert results(desk) == [PREVIEW]
    desk.viewer.dims.ndisplay = 2


def test_rounds_of_one_name_are_shown_in_two_layers(desk: Desk, brightness_model: Model) -> None:
    add_rounds(desk, brightness_model, "mine", "mine")
    desk.panel.roundsCompared.emit(1, 2)
    desk.until(lambda: results(desk) == ["mine (round 1)", "mine (round 2)"])
    desk.panel.roundUsed.emit(2)
    desk.until(lambda: results(desk) == [PREVIEW])
    desk.until(lambda: not desk.widget.controller._previews.is_at_work)
