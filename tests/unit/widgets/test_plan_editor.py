"""A form generated from a plan shows, checks and gives back the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field
from qtpy.QtCore import QLocale, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLabel, QLineEdit, QSpinBox, QWidget

from napari_mouse_seg.plans import InstancesPlan, IntensityPlan, Plan, SegmentPlan
from napari_mouse_seg.widgets import PlanEditor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot


class EveryKind(Plan):
    """One field of each kind that has a widget."""

    ratio: float = Field(0.5, ge=0, le=1, title="Ratio", description="A slider.")
    length: float = Field(3.0, ge=0, le=1000, title="Length (µm)", description="A number.")
    count: int = Field(4, ge=1, le=64, multiple_of=4, title="Count", description="A whole number.")
    limit: int | None = Field(None, ge=1, le=50, title="Limit", description="May be left to the program.")
    factor: float | None = Field(None, gt=0.01, lt=100, title="Factor", description="May be left to the program.")
    mode: Literal["fast", "exact"] = Field("fast", title="Mode", description="A choice.")
    is_on: bool = Field(False, title="On", description="A switch.")
    note: str = Field("", title="Note", description="A text.")


def editor_of(qtbot: QtBot, plan: Plan, *fields: str) -> PlanEditor[Any]:
    editor = PlanEditor(plan, fields or None)
    qtbot.addWidget(editor)
    return editor


PLANS = st.builds(
    EveryKind,
    ratio=st.integers(0, 100).map(lambda n: n / 100),
    length=st.integers(0, 1000).map(float),
    count=st.integers(1, 16).map(lambda n: 4 * n),
    limit=st.none() | st.integers(1, 50),
    factor=st.none() | st.integers(1, 99).map(float),
    mode=st.sampled_from(["fast", "exact"]),
    is_on=st.booleans(),
    note=st.text("abc", max_size=5),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=PLANS)
def test_what_is_set_is_given_back(qtbot: QtBot, plan: EveryKind) -> None:
    editor = PlanEditor(EveryKind())
    editor.set_value(plan)
    assert editor.value() == plan
    editor._on_input()  # reads every widget again
    assert editor.value() == plan
    editor.deleteLater()


def test_digits_that_a_widget_does_not_show_stay_until_it_is_moved(qtbot: QtBot) -> None:
    editor = editor_of(qtbot, EveryKind(ratio=0.4753, length=1.00001))
    editor.input_widget("count").setValue(8)
    assert editor.value() == EveryKind(ratio=0.4753, length=1.00001, count=8)
    editor.input_widget("ratio").setValue(0.6)
    assert editor.value().ratio == 0.6
    editor.input_widget("ratio").setValue(0.4753)
    assert editor.value().ratio == pytest.approx(0.48)


@pytest.mark.parametrize("plan", [SegmentPlan().replace(scale=2.5), InstancesPlan(), IntensityPlan()])
def test_every_plan_of_the_package_can_be_edited(qtbot: QtBot, plan: Plan) -> None:
    fields = [name for name in type(plan).model_fields if name != "instances"]
    assert editor_of(qtbot, plan, *fields).value() == plan


def test_change_is_told_with_the_new_plan(qtbot: QtBot) -> None:
    editor = editor_of(qtbot, InstancesPlan(), "min_area_px")
    with qtbot.waitSignal(editor.valueChanged) as told:
        editor.input_widget("min_area_px").setValue(33)
    assert told.args == [InstancesPlan(min_area_px=33)]


def test_setting_the_same_plan_tells_nothing(qtbot: QtBot) -> None:
    editor = editor_of(qtbot, InstancesPlan())
    with qtbot.assertNotEmitted(editor.valueChanged):
        editor.set_value(InstancesPlan())


def test_setting_another_plan_tells_once(qtbot: QtBot) -> None:
    editor = editor_of(qtbot, EveryKind())
    told: list[Plan] = []
    editor.valueChanged.connect(told.append)
    editor.set_value(EveryKind(ratio=0.1, count=8, mode="exact"))
    assert told == [EveryKind(ratio=0.1, count=8, mode="exact")]


def test_hidden_fields_keep_their_values(qtbot: QtBot) -> None:
    editor = editor_of(qtbot, InstancesPlan(max_hole_px=7), "min_area_px")
    editor.input_widget("min_area_px").setValue(33)
    assert editor.value() == InstancesPlan(max_hole_px=7, min_area_px=33)


def test_invalid_input_is_explained_at_the_field_and_not_taken_over(qtbot: QtBot) -> None:
    editor = editor_of(qtbot, EveryKind())
    with qtbot.waitSignal(editor.problemChanged):
        editor.input_widget("count").setValue(6)
    assert editor.problem() == "Count: Input should be a multiple of 4 (now 6)."
    assert editor.value().count == 4
    note = editor.input_widget("count").parentWidget().findChildren(QLabel)[-1]
    assert "multiple of 4" in note.text()
    editor.input_widget("count").setValue(8)
    assert editor.problem() == ""
    assert note.isHidden()


def test_bounds_of_the_plan_bound_the_widget(qtbot: QtBot) -> None:
    editor = editor_of(qtbot, EveryKind())
    box = editor.input_widget("count")
    assert isinstance(box, QSpinBox)
    assert (box.minimum(), box.maximum(), box.singleStep()) == (1, 64, 4)


def test_every_field_has_its_description_as_a_tooltip(qtbot: QtBot) -> None:
    editor = editor_of(qtbot, EveryKind())
    for name, info in EveryKind.model_fields.items():
        assert editor.input_widget(name).toolTip() == info.description


def test_none_is_shown_as_auto(qtbot: QtBot) -> None:
    editor = editor_of(qtbot, EveryKind())
    assert editor.input_widget("factor").text() == "auto"
    assert editor.input_widget("limit").text() == "auto"
    assert editor.value().factor is None


def test_small_numbers_are_shown_with_all_their_digits(qtbot: QtBot) -> None:
    class Rate(Plan):
        rate: float = Field(1e-3, gt=0, lt=1, title="Rate", description="Smaller than a slider's step.")

    editor = editor_of(qtbot, Rate(rate=0.00025))
    assert editor.input_widget("rate").text() == "0.00025"
    editor.input_widget("rate").setValue(0.5)
    assert editor.value() == Rate(rate=0.5)
    assert editor.input_widget("rate").text() == "0.5"


def test_a_switch_bears_its_title(qtbot: QtBot) -> None:
    editor = editor_of(qtbot, EveryKind())
    assert editor.input_widget("is_on").text() == "On"
    assert "On" not in [label.text() for label in editor.findChildren(QLabel)]


def test_a_long_text_shows_its_beginning(qtbot: QtBot) -> None:
    editor = editor_of(qtbot, EveryKind(note="a name that is too long to be seen"))
    assert editor.input_widget("note").cursorPosition() == 0


def test_field_of_unknown_type_is_refused(qtbot: QtBot) -> None:
    class Nested(Plan):
        inner: InstancesPlan = InstancesPlan()

    with pytest.raises(TypeError, match="no input widget for a field of type"):
        PlanEditor(Nested(), parent=QWidget())


@pytest.fixture(params=[QLocale.Language.German, QLocale.Language.English, QLocale.Language.French])
def language(request: pytest.FixtureRequest) -> Iterator[None]:
    """Systems of people who write decimals behind a comma, or a point."""
    before = QLocale()
    QLocale.setDefault(QLocale(request.param))
    yield
    QLocale.setDefault(before)


@pytest.mark.usefixtures("language")
@pytest.mark.parametrize("typed", ["0.25", "0,25"])
@pytest.mark.parametrize("field", ["ratio", "length", "factor"])
def test_decimals_mean_the_same_in_every_language(qtbot: QtBot, field: str, typed: str) -> None:
    editor = editor_of(qtbot, EveryKind())
    box = editor.input_widget(field)
    (line,) = box.findChildren(QLineEdit)
    line.clear()
    QTest.keyClicks(line, typed)
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert getattr(editor.value(), field) == 0.25
    assert line.text() == "0.25"
