"""Prefill says what a patch means only as long as what it put in is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt

if TYPE_CHECKING:
    from helpers.desks import Desk

REST = "The rest is background"


def rest_is_background(desk: Desk) -> bool:
    """Whether unpainted pixels are background, as the project and the panel say."""
    meant = desk.project.plan.patches[0].meaning.rest_is_background
    assert desk.button(REST).isChecked() is meant
    return meant


def undo(desk: Desk) -> None:
    desk.hands.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)


def test_undoing_a_prefill_takes_back_that_the_rest_is_background(desk: Desk) -> None:
    paint = desk.add_patch()
    desk.hands.stroke(paint, [(30, 20), (30, 40)])
    before = np.array(paint.data)
    desk.prefill()
    assert rest_is_background(desk)
    desk.hands.stroke(paint, [(5, 5), (5, 9)])
    undo(desk)
    assert rest_is_background(desk)  # Only the stroke is gone.
    undo(desk)
    np.testing.assert_array_equal(paint.data, before)
    assert not rest_is_background(desk)
    desk.until_saved()


def test_undoing_leaves_alone_what_the_user_has_said(desk: Desk) -> None:
    desk.add_patch()
    desk.press(REST)
    assert rest_is_background(desk)
    desk.prefill()
    undo(desk)
    assert not desk.paint.data.any()
    assert rest_is_background(desk)


def test_a_prefill_that_finds_nothing_says_so_and_changes_nothing(desk: Desk) -> None:
    paint = desk.add_patch()
    desk.prefill()
    desk.press(REST)
    assert not rest_is_background(desk)
    before = np.array(paint.data)
    said: list[str] = []
    desk.widget.controller.desk.said.connect(said.append)
    desk.press("Prefill with model")  # All that it finds is painted already.
    desk.until(lambda: said)
    assert "found nothing that is not painted already" in said[0]
    assert not rest_is_background(desk)
    np.testing.assert_array_equal(paint.data, before)
    desk.until(lambda: not desk.is_at_work)
