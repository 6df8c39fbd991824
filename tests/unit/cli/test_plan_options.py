"""Options made from plans."""

import argparse
from typing import Literal

import pytest
from pydantic import Field

from napari_mouse_seg.cli._plan_options import add_plan_options, given_options
from napari_mouse_seg.plans import InstancesPlan, Plan, SegmentPlan


class Brew(Plan):
    water_ml: int = Field(200, ge=50, le=500, multiple_of=10, title="Water", description="How much; 100 % pure.")
    kind: Literal["green", "black"] = Field("green", title="Kind", description="Of leaf.")
    warm: bool = Field(False, title="Warm", description="Kept so.")
    inner: InstancesPlan | None = Field(None, title="Inner", description="Not an option.")


@pytest.fixture
def parser():
    made = argparse.ArgumentParser(prog="brew")
    add_plan_options(made, Brew, "brewing")
    return made


def test_only_what_was_given_is_returned(parser):
    assert given_options(parser.parse_args([]), Brew) == {}
    assert given_options(parser.parse_args(["--water-ml", "300"]), Brew) == {"water_ml": 300}


def test_bounds_are_the_plans(parser, capsys):
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(["--water-ml", "40"])
    assert "argument --water-ml: Input should be greater than or equal to 50 (got '40')" in capsys.readouterr().err


def test_choices_are_the_plans(parser, capsys):
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(["--kind", "red"])
    assert "green" in capsys.readouterr().err


def test_help_is_the_plans(parser):
    text = " ".join(parser.format_help().split())
    assert "How much; 100 % pure. (at least 50, at most 500, a multiple of 10, default 200)" in text
    assert "Not an option" not in text


def test_no_option_is_claimed_by_two_plans():
    made = argparse.ArgumentParser()
    add_plan_options(made, SegmentPlan, "one")
    add_plan_options(made, InstancesPlan, "two")
    given = made.parse_args(["--scale", "0.5", "--min-area-px", "7"])
    assert given_options(given, SegmentPlan) == {"scale": 0.5}
    assert given_options(given, InstancesPlan) == {"min_area_px": 7}


@pytest.mark.parametrize(("typed", "value"), [("--warm", True), ("--no-warm", False)])
def test_yes_and_no_take_no_value(parser, typed, value):
    parser.add_argument("leaves")
    given = parser.parse_args([typed, "leaves.txt"])
    assert given.leaves == "leaves.txt"
    assert given_options(given, Brew) == {"warm": value}


def test_defaults_are_not_shown_where_a_card_or_a_project_says_what_holds():
    parser = argparse.ArgumentParser()
    add_plan_options(parser, InstancesPlan, "objects", own_defaults=False)
    shown = parser.format_help()
    assert "--foreground-threshold" in shown
    assert "default" not in shown
