"""Time left comes from the pace of the stage."""

from __future__ import annotations

from napari_mouse_seg.events import Started, TileDone, Warned
from napari_mouse_seg.session._messages import ProgressMeter


def test_time_left_is_the_rest_at_the_pace_so_far() -> None:
    now = [100.0]
    meter = ProgressMeter(clock=lambda: now[0])
    meter.update(Started("scores", 10))
    now[0] = 104.0
    progress = meter.update(TileDone("scores", 4, 10))
    assert progress is not None
    assert progress.left_s == 6.0


def test_no_guess_from_the_first_moment() -> None:
    now = [0.0]
    meter = ProgressMeter(clock=lambda: now[0])
    meter.update(Started("scores", 1000))
    now[0] = 0.01
    progress = meter.update(TileDone("scores", 1, 1000))
    assert progress is not None
    assert progress.left_s is None


def test_other_events_are_no_progress() -> None:
    assert ProgressMeter().update(Warned("dim")) is None
