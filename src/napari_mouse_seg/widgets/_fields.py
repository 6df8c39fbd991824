"""One input widget for one field of a plan, made from what the plan says of it."""

from __future__ import annotations

import math
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from qtpy.QtCore import QLocale, Qt
from qtpy.QtGui import QDoubleValidator
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget
from superqt import QLabeledDoubleSlider

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic.fields import FieldInfo

_SLIDER_SPAN = 10.0
_SLIDER_STEP = 0.01
_DECIMALS = 6
_NUMBER_PX = 90
_MOST = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Input:
    """A widget with its value in the plan's terms."""

    widget: QWidget
    get: Callable[[], Any]  # Any: bool, int, float, str or None, as the field is typed
    set: Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class _Limits:
    low: float
    high: float
    step: float

    @classmethod
    def of(cls, info: FieldInfo, smallest: float) -> _Limits:
        """Read bounds from a field's constraints; an open bound is moved in by ``smallest``."""
        low, high, step = -math.inf, math.inf, 0.0
        for limit in info.metadata:
            low = max(low, getattr(limit, "ge", -math.inf), getattr(limit, "gt", -math.inf) + smallest)
            high = min(high, getattr(limit, "le", math.inf), getattr(limit, "lt", math.inf) - smallest)
            step = getattr(limit, "multiple_of", step)
        return cls(low, high, step)


def make_input(info: FieldInfo, changed: Callable[[], None]) -> Input:
    """Make the widget for a field.

    A number that may be None shows "auto" below its smallest value; a ratio with close bounds is a slider.

    Parameters
    ----------
    info
        The plan's field.
    changed
        Called after each change, by the user or by ``set``.

    Returns
    -------
    Input
        With the field's description as its tooltip.

    Raises
    ------
    TypeError
        If there is no widget for the field's type.
    """
    kind, optional = _kind(info.annotation)
    if get_origin(kind) is Literal:
        made = _choice(get_args(kind), changed)
    elif kind is bool:
        made = _check_box(changed)
    elif kind is int:
        made = _integer(info, optional, changed)
    elif kind is float:
        made = _number(info, changed) if optional else _number_or_slider(info, changed)
    elif kind is str:
        made = _text(changed)
    else:
        raise TypeError(f"There is no input widget for a field of type {info.annotation}.")
    made.widget.setToolTip(info.description or "")
    return made


def _kind(annotation: Any) -> tuple[Any, bool]:  # Any: type expressions
    """Return the type without None, and whether None was in it."""
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        if len(kinds) == 1:
            return kinds[0], True
    return annotation, False


def _choice(values: tuple[Any, ...], changed: Callable[[], None]) -> Input:
    box = QComboBox()
    for value in values:
        box.addItem(str(value), value)
    box.currentIndexChanged.connect(changed)
    return Input(box, box.currentData, lambda value: box.setCurrentIndex(box.findData(value)))


def _check_box(changed: Callable[[], None]) -> Input:
    box = QCheckBox()
    box.toggled.connect(changed)
    return Input(box, box.isChecked, box.setChecked)


def _text(changed: Callable[[], None]) -> Input:
    line = QLineEdit()
    line.editingFinished.connect(changed)

    def show(text: str) -> None:
        line.setText(text)
        line.setCursorPosition(0)  # otherwise a long text shows its end

    return Input(line, line.text, show)


def _integer(info: FieldInfo, optional: bool, changed: Callable[[], None]) -> Input:
    limits = _Limits.of(info, 1)
    box = QSpinBox()
    box.setMinimumWidth(_NUMBER_PX)  # its own is that of the longest number, which few ever type
    step = int(limits.step or 1)
    low = int(max(limits.low, -_MOST))
    none = low - step
    box.setRange(none if optional else low, int(min(limits.high, _MOST)))
    box.setSingleStep(step)
    box.setKeyboardTracking(False)
    box.valueChanged.connect(changed)
    if not optional:
        return Input(box, box.value, box.setValue)
    box.setSpecialValueText("auto")
    return Input(
        box,
        lambda: None if box.value() == none else box.value(),
        lambda value: box.setValue(none if value is None else value),
    )


def _number_or_slider(info: FieldInfo, changed: Callable[[], None]) -> Input:
    limits = _Limits.of(info, _SLIDER_STEP)
    is_fine = isinstance(info.default, float) and 0 < info.default < _SLIDER_STEP
    if is_fine or limits.high - limits.low > _SLIDER_SPAN:
        return _number(info, changed)
    slider = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
    for line in slider.findChildren(QLineEdit):
        line.setValidator(_PointValidator(line))
    slider.setRange(limits.low, limits.high)
    slider.setSingleStep(_SLIDER_STEP)  # type: ignore[arg-type]  # superqt types its float slider as one of integers
    slider.setPageStep(0.1)  # type: ignore[arg-type]
    slider.setDecimals(2)
    slider.valueChanged.connect(changed)
    return Input(slider, lambda: round(slider.value(), 2), slider.setValue)


def _number(info: FieldInfo, changed: Callable[[], None]) -> Input:
    """Make a number box; one that may be None shows "auto" at the bottom of its range, which its bounds exclude."""
    _, optional = _kind(info.annotation)
    limits = _Limits.of(info, 0.0)
    box = _NumberBox()
    box.setMinimumWidth(_NUMBER_PX)
    box.setDecimals(_DECIMALS)
    box.setRange(max(limits.low, -_MOST), min(limits.high, _MOST))
    box.setSingleStep(0.1)
    box.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
    box.setKeyboardTracking(False)
    box.valueChanged.connect(changed)
    if not optional:
        return Input(box, box.value, box.setValue)
    box.setSpecialValueText("auto")
    return Input(
        box,
        lambda: None if box.value() == box.minimum() else box.value(),
        lambda value: box.setValue(box.minimum() if value is None else value),
    )


def _with_point() -> QLocale:
    """Return number rules that are the same on every system: a decimal point, nothing between thousands.

    By German rules "0.5" is five and "12.5" a hundred and twenty-five, which Qt takes without a word.
    """
    rules = QLocale(QLocale.Language.C)
    rules.setNumberOptions(QLocale.NumberOption.OmitGroupSeparator | QLocale.NumberOption.RejectGroupSeparator)
    return rules


def _pointed(text: str | None) -> str:
    return (text or "").replace(",", ".")


class _PointValidator(QDoubleValidator):
    """Takes a comma for the decimal point; what superqt reads as a number must have a point."""

    def __init__(self, line: QLineEdit) -> None:
        super().__init__(line)
        self.setLocale(_with_point())

    def validate(self, text: str | None, position: int) -> Any:  # Any: state, text and position
        """Return what the text is, and the text with a point."""
        return super().validate(_pointed(text), position)


class _NumberBox(QDoubleSpinBox):
    """Shows no more digits than the number has; decimals may be typed behind a point or a comma."""

    def __init__(self) -> None:
        super().__init__()
        self.setLocale(_with_point())

    def validate(self, text: str | None, position: int) -> Any:  # Any: state, text and position
        """Return what the text is, and the text with a point."""
        return super().validate(_pointed(text), position)

    def valueFromText(self, text: str | None) -> float:
        """Return the number that a text is."""
        return float(super().valueFromText(_pointed(text)))

    def textFromValue(self, value: float) -> str:
        """Return the number without zeros at its end."""
        text = str(super().textFromValue(value))
        point = self.locale().decimalPoint()
        return text.rstrip("0").removesuffix(point) if point in text else text
