"""What the panel *Train* says beside its buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.desks import SHORT

if TYPE_CHECKING:
    from helpers.desks import Desk


def test_warnings_of_a_round_are_shown_together_until_the_next_one_begins(desk: Desk) -> None:
    desk.add_patch()
    desk.prefill()
    shown: list[str] = []
    desk.session.state_changed.connect(lambda _state: shown.append(desk.texts()))
    desk.session.stepped.connect(lambda _event: shown.append(desk.texts()))
    for words in ("The first is odd.", "The second is odd.", "The first is odd."):
        desk.session.warned.emit(words)
    lines = desk.texts().splitlines()
    assert lines.count("The first is odd.") == 1
    assert lines.count("The second is odd.") == 1
    desk.session.update(retrain=SHORT)  # The panel shows everything anew.
    assert "The second is odd." in desk.texts()
    desk.train(SHORT)
    desk.until_idle()
    assert shown
    assert all("No patch is used for validation" in text and "is odd" not in text for text in shown)
    assert "is odd" not in desk.texts()
    assert "No patch is used for validation" in desk.texts()  # What this round has warned of.


def test_warnings_are_gone_with_their_project(desk: Desk) -> None:
    desk.add_patch()
    desk.session.warned.emit("The first is odd.")
    desk.viewer.layers.remove(desk.image)
    assert "is odd" not in desk.texts()
