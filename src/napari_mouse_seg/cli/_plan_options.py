"""Command-line options made from plan fields: name, bounds, default and help stand only in the plan."""

from __future__ import annotations

import argparse
import typing
from typing import TYPE_CHECKING, Any

from napari_mouse_seg.errors import PlanError
from napari_mouse_seg.plans import Plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic.fields import FieldInfo

_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below", "multiple_of": "a multiple of"}


def add_plan_options(
    parser: argparse.ArgumentParser, plan: type[Plan], group: str, *, own_defaults: bool = True
) -> None:
    """Add one option a field; fields that are plans themselves are left out.

    An option that is not given does not appear in the parsed arguments.

    Parameters
    ----------
    parser
        Takes the options.
    plan
        Has the fields.
    group
        Title above them.
    own_defaults
        Whether the plan's defaults hold where nothing is given; otherwise a card or a project says what does.
    """
    options = parser.add_argument_group(group)
    for name, info in plan.model_fields.items():
        if _is_plan(info.annotation):
            continue
        if info.annotation is bool:
            # Without a value, which would swallow the file that follows; the no is for where a project says yes.
            action = argparse.BooleanOptionalAction
            options.add_argument(
                option_name(name), dest=name, action=action, default=argparse.SUPPRESS, help=_help(info, own_defaults)
            )
            continue
        choices = _choices(info.annotation)
        options.add_argument(
            option_name(name),
            dest=name,
            type=_checked(plan, name),
            choices=choices,
            metavar=None if choices else "N",
            default=argparse.SUPPRESS,
            help=_help(info, own_defaults),
        )


def given_options(arguments: argparse.Namespace, plan: type[Plan]) -> dict[str, Any]:  # Any: values of fields
    """Return the fields of a plan that were given on the command line."""
    return {name: value for name, value in vars(arguments).items() if name in plan.model_fields}


def option_name(field: str) -> str:
    """Return the option of a field."""
    return "--" + field.replace("_", "-")


def option_parts(field: str, value: Any) -> tuple[str, ...]:  # Any: value of a field
    """Return the arguments that give a field a value."""
    if isinstance(value, bool):
        return (option_name(field if value else f"no_{field}"),)
    return option_name(field), str(value)


def _checked(plan: type[Plan], name: str) -> Callable[[str], Any]:
    """Parser of one field, which is checked by the plan itself."""

    def parse(text: str) -> Any:
        try:
            return getattr(plan.build(**{name: text}), name)
        except PlanError as error:
            raise argparse.ArgumentTypeError(str(error).removeprefix(f"{name}: ")) from error

    return parse


def _help(info: FieldInfo, own_defaults: bool) -> str:
    limits = [
        f"{words} {getattr(bound, kind):g}"
        for bound in info.metadata
        for kind, words in _BOUNDS.items()
        if getattr(bound, kind, None) is not None
    ]
    notes = limits if info.default is None or not own_defaults else [*limits, f"default {info.default}"]
    text = f"{info.description} ({', '.join(notes)})" if notes else f"{info.description}"
    return text.replace("%", "%%")


def _parts(annotation: Any) -> tuple[Any, ...]:  # Any: annotations have no common type
    return typing.get_args(annotation) or (annotation,)


def _is_plan(annotation: Any) -> bool:
    return any(isinstance(part, type) and issubclass(part, Plan) for part in _parts(annotation))


def _choices(annotation: Any) -> tuple[str, ...] | None:
    is_literal = typing.get_origin(annotation) is typing.Literal
    return typing.get_args(annotation) if is_literal else None
