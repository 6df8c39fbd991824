"""What the panel *Train* says beside its buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox

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


def test_warnings_of_a_round_are_gone_once_patches_are_used_otherwise(desk: Desk) -> None:
    desk.add_patch()
    desk.session.warned.emit("No patch is used for validation: how good the model is is not measured.")
    project = desk.session.project
    assert project is not None
    (patch,) = project.plan.patches
    desk.session.update_patch(patch.replace(role="validate"))
    assert "for validation" not in desk.texts()


def test_warnings_are_gone_with_their_project(desk: Desk) -> None:
    desk.add_patch()
    desk.session.warned.emit("The first is odd.")
    desk.viewer.layers.remove(desk.image)
    assert "is odd" not in desk.texts()


def test_another_image_in_the_box_says_at_once_whether_it_can_be_painted(desk: Desk) -> None:
    beside = desk.viewer.add_image(desk.image.data[0][:100, :100], name="beside", translate=(0, 5000))
    (box,) = [box for box in desk.widget.findChildren(QComboBox) if box.findText("beside") >= 0]
    desk.until(desk.button("Add patch here").isEnabled)
    desk.until_still(lambda: desk.widget.controller._follow.isActive())
    box.setCurrentIndex(box.findText("beside"))
    assert f"{beside.name!r} is outside of the view" in desk.texts()
    assert not desk.button("Add patch here").isEnabled()
    box.setCurrentIndex(box.findText(desk.image.name))
    assert "is outside of the view" not in desk.texts()
    assert desk.button("Add patch here").isEnabled()


def test_what_failed_with_one_image_is_not_said_of_another(desk: Desk) -> None:
    desk.viewer.add_image(desk.image.data[0][:100, :100], name="beside")
    (box,) = [box for box in desk.widget.findChildren(QComboBox) if box.findText("beside") >= 0]
    desk.add_patch()
    desk.session.run_failed.emit("The disk of the first image is full.")
    assert "disk of the first image" in desk.texts()
    box.setCurrentIndex(box.findText("beside"))
    assert "disk of the first image" not in desk.texts()
