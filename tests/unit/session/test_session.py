"""The session, with a runner that is stepped by hand and an engine that needs no network."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest

from helpers.runners import FakeRunner
from napari_mouse_seg.errors import ImageError, PlanError
from napari_mouse_seg.events import Event, Finished, Started, TileDone, Warned
from napari_mouse_seg.plans import InstancesPlan, SegmentPlan
from napari_mouse_seg.session import RunState, SegmentSession, Workspace
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Iterator

BOUNDS = Box(0, 0, 1000, 1000)
LEFT = Box(0, 0, 100, 100)
RIGHT = Box(0, 500, 100, 600)


class FakeCanvas:
    is_editable = True

    def __init__(self) -> None:
        self.log: list[Any] = []

    def add(self, result: Any) -> None:
        self.log.append((result.job.box, result.job.instances))

    def claim(self, ids: set[int]) -> None:
        pass

    def compare(self, result: Any) -> Any:
        return result

    def apply(self, result: Any) -> None:
        assert threading.current_thread() is threading.main_thread()
        self.add(result)


@dataclass
class FakeEngine:
    """Jobs are plain records; scores are known for boxes in the cache's ``done``."""

    computed: list[Box] = field(default_factory=list)
    error: Exception | None = None
    warnings: tuple[str, ...] = ()
    cache_bytes: int = 0

    def resolve(self, image: Any, model: Any, plan: SegmentPlan, region: Box | None) -> Any:
        if plan.channel > 3:
            raise PlanError("There is no channel 9; choose one from 0 to 3.")
        key = (id(image), id(model), plan.channel, plan.scale)
        instances = plan.instances or InstancesPlan()
        return SimpleNamespace(
            image=image, box=region or BOUNDS, bounds=BOUNDS, key=key, instances=instances, warnings=self.warnings
        )

    def segment(self, job: Any, cache: Any) -> Iterator[Event]:
        for message in self.warnings:
            yield Warned(message)
        if not any(known.contains(job.box) for known in cache.done):
            yield Started("scores", 2)
            yield TileDone("scores", 1, 2)
            if self.error is not None:
                raise self.error
            yield TileDone("scores", 2, 2)
            self.computed.append(job.box)
            cache.done.append(job.box)
        yield Started("instances", 1)
        yield TileDone("instances", 1, 1)
        yield Finished(SimpleNamespace(found="7 objects", device="CPU", job=job))

    def new_cache(self, job: Any) -> Any:
        return SimpleNamespace(done=[], image=job.image, close=MagicMock(), n_bytes=self.cache_bytes)

    def new_canvas(self, job: Any) -> Any:
        return FakeCanvas()


@dataclass
class Heard:
    """Everything a session said."""

    said: list[tuple[str, Any]] = field(default_factory=list)

    def listen(self, session: SegmentSession) -> None:
        for name in ("checked", "state_changed", "progressed", "workspace_opened", "workspace_closed"):
            getattr(session, name).connect(lambda value, name=name: self.said.append((name, value)))
        for name in ("canvas_changed", "run_finished", "run_failed", "workspace_aside", "workspace_resumed", "noted"):
            getattr(session, name).connect(lambda value, name=name: self.said.append((name, value)))
        session.run_cancelled.connect(lambda: self.said.append(("run_cancelled", None)))

    def of(self, name: str) -> list[Any]:
        return [value for said, value in self.said if said == name]


@pytest.fixture
def runner() -> FakeRunner:
    return FakeRunner()


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def session(runner: FakeRunner, engine: FakeEngine) -> SegmentSession:
    session = SegmentSession(runner, engine)
    session.set_image(SimpleNamespace(name="image"))
    session.set_model(SimpleNamespace(card=None))
    return session


@pytest.fixture
def heard(session: SegmentSession) -> Heard:
    heard = Heard()
    heard.listen(session)
    return heard


def thresholds(value: float) -> SegmentPlan:
    return SegmentPlan(instances=InstancesPlan(foreground_threshold=value))


def run_view(session: SegmentSession, runner: FakeRunner, region: Box | None = LEFT) -> Workspace:
    """Segment to the end; return where the result went."""
    session.segment(region)
    runner.tasks[-1].finish()
    assert session.workspace is not None
    return session.workspace


def canvas_log(session: SegmentSession) -> list[Any]:
    assert session.workspace is not None
    return session.workspace.canvas.log


def boxes(session: SegmentSession) -> list[Any]:
    return [box for box, _ in canvas_log(session)]


def test_run_goes_from_idle_to_running_to_a_summary(session: SegmentSession, runner: FakeRunner, heard: Heard) -> None:
    session.segment(LEFT)
    assert session.state is RunState.RUNNING
    runner.tasks[0].finish()
    assert heard.of("state_changed") == [RunState.RUNNING, RunState.IDLE]
    (summary,) = heard.of("run_finished")
    assert (summary.found, summary.whole_image, summary.device) == ("7 objects", False, "CPU")
    assert boxes(session) == [LEFT]


def test_layer_is_announced_before_and_labels_after_the_run(
    session: SegmentSession, runner: FakeRunner, heard: Heard
) -> None:
    session.segment(LEFT)
    runner.tasks[0].finish()
    names = [name for name, _ in heard.said if name in ("workspace_opened", "canvas_changed", "run_finished")]
    assert names == ["workspace_opened", "canvas_changed", "run_finished"]


def test_second_view_adds_to_the_same_canvas(session: SegmentSession, runner: FakeRunner, heard: Heard) -> None:
    for region in (LEFT, RIGHT):
        run_view(session, runner, region)
    assert len(heard.of("workspace_opened")) == 1
    assert boxes(session) == [LEFT, RIGHT]
    assert session.workspace is not None
    assert session.workspace.regions == (LEFT, RIGHT)


@pytest.mark.parametrize("change", ["image", "model", "channel", "scale"])
def test_other_choice_opens_another_canvas(
    session: SegmentSession, runner: FakeRunner, heard: Heard, change: str
) -> None:
    run_view(session, runner)
    first = session.workspace
    if change == "image":
        session.set_image(SimpleNamespace(name="other"))
    elif change == "model":
        session.set_model(SimpleNamespace(card=None))
    else:
        session.set_plan(SegmentPlan(channel=1) if change == "channel" else SegmentPlan(scale=2.0))
    run_view(session, runner)
    assert session.workspace is not first
    assert len(heard.of("workspace_opened")) == 2
    assert heard.of("workspace_closed") == []


def test_thresholds_replace_objects_of_all_regions_without_the_network(
    session: SegmentSession, runner: FakeRunner, engine: FakeEngine
) -> None:
    for region in (LEFT, RIGHT):
        run_view(session, runner, region)
    session.set_plan(thresholds(0.3))
    session.apply_thresholds()
    runner.tasks[-1].finish()
    assert boxes(session) == [LEFT, RIGHT]
    assert canvas_log(session)[-1][1].foreground_threshold == 0.3
    assert engine.computed == [LEFT, RIGHT]


def test_same_thresholds_start_no_run(session: SegmentSession, runner: FakeRunner) -> None:
    run_view(session, runner)
    session.apply_thresholds()
    assert len(runner.tasks) == 1


def test_thresholds_before_any_run_start_nothing(session: SegmentSession, runner: FakeRunner) -> None:
    session.set_plan(thresholds(0.3))
    session.apply_thresholds()
    assert runner.tasks == []


def test_newer_threshold_overtakes_an_older_one(session: SegmentSession, runner: FakeRunner) -> None:
    run_view(session, runner)
    for value in (0.3, 0.4):
        session.set_plan(thresholds(value))
        session.apply_thresholds()
    runner.tasks[1].finish()
    runner.tasks[2].finish()
    assert [instances.foreground_threshold for _, instances in canvas_log(session)] == [0.4]


def test_thresholds_wait_for_a_run_that_computes_scores(session: SegmentSession, runner: FakeRunner) -> None:
    session.segment(LEFT)
    runner.tasks[0].step()
    for value in (0.3, 0.4):
        session.set_plan(thresholds(value))
        session.apply_thresholds()
    assert session.state is RunState.RUNNING
    runner.tasks[0].finish()
    runner.tasks[1].finish()
    assert len(runner.tasks) == 2
    assert canvas_log(session)[-1] == (LEFT, InstancesPlan(foreground_threshold=0.4))


def test_new_view_with_new_thresholds_redoes_earlier_views(session: SegmentSession, runner: FakeRunner) -> None:
    run_view(session, runner)
    session.set_plan(thresholds(0.3))
    run_view(session, runner, RIGHT)
    assert boxes(session) == [LEFT, RIGHT]
    assert {instances.foreground_threshold for _, instances in canvas_log(session)} == {0.3}


def test_full_image_covers_earlier_views(session: SegmentSession, runner: FakeRunner) -> None:
    run_view(session, runner)
    run_view(session, runner, None)
    assert session.workspace is not None
    assert session.workspace.regions == (None,)


def test_painted_labels_are_kept_and_new_thresholds_get_a_new_layer(
    session: SegmentSession, runner: FakeRunner, heard: Heard, engine: FakeEngine
) -> None:
    painted = run_view(session, runner)
    session.mark_edited(painted)
    session.set_plan(thresholds(0.3))
    session.apply_thresholds()
    runner.tasks[-1].finish()
    assert [instances.foreground_threshold for _, instances in painted.canvas.log] == [0.5]
    assert session.workspace is not painted
    assert (heard.of("workspace_aside"), heard.of("workspace_closed")) == ([painted], [])
    assert len(heard.of("workspace_opened")) == 2
    assert engine.computed == [LEFT]
    (summary,) = heard.of("run_finished")[1:]
    assert "are kept, in a layer whose eye is closed" in summary.remark


def change(session: SegmentSession, runner: FakeRunner, threshold: float) -> Workspace:
    """Move a threshold as the panel does; return what is shown then."""
    begun = len(runner.tasks)
    session.set_plan(thresholds(threshold))
    session.apply_thresholds()
    if len(runner.tasks) > begun:
        runner.tasks[-1].finish()
    assert session.workspace is not None
    return session.workspace


def test_the_former_thresholds_bring_painted_labels_back(
    session: SegmentSession, runner: FakeRunner, heard: Heard
) -> None:
    painted = run_view(session, runner)
    session.mark_edited(painted)
    beside = change(session, runner, 0.3)
    n_runs = len(runner.tasks)
    assert change(session, runner, 0.5) is painted
    assert (painted.edited, len(painted.canvas.log), len(runner.tasks)) == (True, 1, n_runs)
    assert heard.of("noted") == ["The labels that you painted in are back."]
    assert change(session, runner, 0.4) is beside  # No third layer: nobody has painted in this one.
    assert beside.instances == InstancesPlan(foreground_threshold=0.4)
    assert heard.of("workspace_aside") == [painted, beside, painted]
    assert heard.of("workspace_resumed") == [painted, beside]
    assert len(heard.of("workspace_opened")) == 2
    session.set_plan(thresholds(0.5))
    run_view(session, runner, RIGHT)
    assert session.workspace is painted
    assert boxes(session) == [LEFT, RIGHT]


def test_painted_labels_are_back_when_those_beside_them_are_given_up(
    session: SegmentSession, runner: FakeRunner, heard: Heard
) -> None:
    painted = run_view(session, runner)
    session.mark_edited(painted)
    beside = change(session, runner, 0.3)
    session.forget_labels(beside)
    assert session.workspace is painted
    assert session.workspace_here() is painted
    assert heard.of("workspace_closed") == [beside]
    assert heard.of("noted") == ["The labels that you painted in are back."]
    session.forget_labels(painted)
    assert session.workspace is None
    assert heard.of("workspace_closed") == [beside, painted]


def test_painted_labels_that_are_given_up_while_aside_are_not_said_to_be_back(
    session: SegmentSession, runner: FakeRunner, heard: Heard
) -> None:
    painted = run_view(session, runner)
    session.mark_edited(painted)
    beside = change(session, runner, 0.3)
    session.forget_labels(painted)
    assert session.workspace is beside
    assert heard.of("noted") == []
    assert change(session, runner, 0.5) is beside


def test_both_may_be_painted_in(session: SegmentSession, runner: FakeRunner) -> None:
    first = run_view(session, runner)
    session.mark_edited(first)
    second = change(session, runner, 0.3)
    session.mark_edited(second)
    third = change(session, runner, 0.4)
    assert len({id(each) for each in (first, second, third)}) == 3
    assert change(session, runner, 0.3) is second
    assert change(session, runner, 0.5) is first
    session.forget_labels(second)
    assert session.workspace is first
    assert change(session, runner, 0.3) is third


def test_labels_put_aside_go_with_their_image(session: SegmentSession, runner: FakeRunner, heard: Heard) -> None:
    painted = run_view(session, runner)
    session.mark_edited(painted)
    beside = change(session, runner, 0.3)
    session.forget_image(painted.job.image)
    assert set(heard.of("workspace_closed")) == {painted, beside}
    assert session.workspace is None


def test_paint_made_while_objects_are_found_anew_is_kept(
    session: SegmentSession, runner: FakeRunner, heard: Heard
) -> None:
    painted = run_view(session, runner)
    canvas = painted.canvas
    session.set_plan(thresholds(0.3))
    session.apply_thresholds()
    runner.tasks[-1].step()
    session.mark_edited(painted)
    runner.tasks[-1].finish()
    assert painted.canvas is canvas
    assert len(canvas.log) == 1
    assert session.workspace is not painted
    assert canvas_log(session) == [(LEFT, InstancesPlan(foreground_threshold=0.3))]
    assert heard.of("canvas_changed") == [painted, session.workspace]


def test_a_cancelled_change_of_thresholds_leaves_painted_labels_in_use(
    session: SegmentSession, runner: FakeRunner, heard: Heard
) -> None:
    painted = run_view(session, runner)
    session.mark_edited(painted)
    session.set_plan(thresholds(0.3))
    session.apply_thresholds()
    session.cancel()
    runner.tasks[-1].finish()
    assert heard.of("workspace_closed") == []
    session.set_plan(thresholds(0.5))
    run_view(session, runner, RIGHT)
    assert session.workspace is painted
    assert boxes(session) == [LEFT, RIGHT]


def test_labels_given_up_while_objects_are_found_anew_do_not_come_back(
    session: SegmentSession, runner: FakeRunner, heard: Heard
) -> None:
    workspace = run_view(session, runner)
    session.mark_edited(workspace)
    session.set_plan(thresholds(0.3))
    session.apply_thresholds()
    session.forget_labels(workspace)
    runner.tasks[-1].cancelled = False  # as if the last event had been on its way already
    runner.tasks[-1].finish()
    assert len(heard.of("workspace_opened")) == 1
    assert session.workspace is None


def test_a_threshold_does_not_push_a_segmentation_out_that_waits(session: SegmentSession, runner: FakeRunner) -> None:
    run_view(session, runner)
    session.set_plan(thresholds(0.3))
    session.apply_thresholds()
    session.segment(RIGHT)
    session.set_plan(thresholds(0.4))
    session.apply_thresholds()
    for task in runner.tasks[1:]:
        task.finish()
    runner.tasks[-1].finish()
    assert boxes(session) == [LEFT, RIGHT]
    assert {instances.foreground_threshold for _, instances in canvas_log(session)} == {0.4}


def test_going_back_to_a_channel_finds_its_scores_and_labels(
    session: SegmentSession, runner: FakeRunner, heard: Heard, engine: FakeEngine
) -> None:
    for channel in (0, 1, 0):
        session.set_plan(SegmentPlan(channel=channel))
        run_view(session, runner, LEFT)
    assert len(heard.of("workspace_opened")) == 2
    assert engine.computed == [LEFT, LEFT]
    assert session.workspace is heard.of("workspace_opened")[0]


def test_thresholds_change_the_labels_of_the_present_choices_only(session: SegmentSession, runner: FakeRunner) -> None:
    for channel in (0, 1):
        session.set_plan(SegmentPlan(channel=channel))
        run_view(session, runner, LEFT)
    other = session.workspace
    assert other is not None
    session.set_plan(thresholds(0.3))  # of channel 0
    session.apply_thresholds()
    runner.tasks[-1].finish()
    assert other.instances == InstancesPlan()
    session.set_plan(SegmentPlan(channel=2, instances=InstancesPlan(foreground_threshold=0.2)))
    session.apply_thresholds()
    assert len(runner.tasks) == 3


def test_scores_used_longest_ago_are_let_go_when_they_fill_the_memory(
    session: SegmentSession, runner: FakeRunner, engine: FakeEngine, heard: Heard
) -> None:
    engine.cache_bytes = 300_000_000
    for scale in (1.0, 2.0, 3.0, 4.0, 5.0, 1.0, 6.0):
        session.set_plan(SegmentPlan(scale=scale))
        run_view(session, runner, LEFT)
    opened = heard.of("workspace_opened")
    assert heard.of("workspace_closed") == [opened[1]]
    assert [one.cache.close.call_count for one in opened] == [0, 1, 0, 0, 0, 0]


def test_the_last_four_stay_however_large_they_are(
    session: SegmentSession, runner: FakeRunner, engine: FakeEngine, heard: Heard
) -> None:
    engine.cache_bytes = 10**12
    for scale in (1.0, 2.0, 3.0, 4.0, 5.0):
        session.set_plan(SegmentPlan(scale=scale))
        run_view(session, runner, LEFT)
    assert heard.of("workspace_closed") == heard.of("workspace_opened")[:1]


def test_small_images_are_gone_back_to_without_new_labels(
    session: SegmentSession, runner: FakeRunner, heard: Heard
) -> None:
    for scale in (*range(1, 13), 1):
        session.set_plan(SegmentPlan(scale=float(scale)))
        run_view(session, runner, LEFT)
    assert len(heard.of("workspace_opened")) == 12
    assert heard.of("workspace_closed") == []


def test_an_altered_image_loses_its_scores(session: SegmentSession, runner: FakeRunner, heard: Heard) -> None:
    image = SimpleNamespace(name="altered")
    session.set_image(image)
    run_view(session, runner)
    session.forget_image(SimpleNamespace(name="another"))
    assert heard.of("workspace_closed") == []
    session.forget_image(image)
    (closed,) = heard.of("workspace_closed")
    closed.cache.close.assert_called_once()
    assert session.workspace is None


def test_cancel_leaves_the_labels_alone_and_says_so(session: SegmentSession, runner: FakeRunner, heard: Heard) -> None:
    session.segment(LEFT)
    runner.tasks[0].step()
    session.cancel()
    assert session.state is RunState.CANCELLING
    runner.tasks[0].finish()
    assert session.state is RunState.IDLE
    assert heard.of("run_cancelled") == [None]
    assert heard.of("run_finished") == []
    assert canvas_log(session) == []


def test_segment_during_a_run_starts_when_that_has_ended(session: SegmentSession, runner: FakeRunner) -> None:
    session.segment(LEFT)
    runner.tasks[0].step()
    session.segment(RIGHT)
    assert len(runner.tasks) == 1
    runner.tasks[0].finish()
    runner.tasks[1].finish()
    assert boxes(session) == [RIGHT]


def test_progress_never_goes_back(session: SegmentSession, runner: FakeRunner, heard: Heard) -> None:
    session.segment(LEFT)
    runner.tasks[0].finish()
    fractions = [progress.fraction for progress in heard.of("progressed")]
    assert fractions == sorted(fractions)
    assert fractions[0] < 0.1
    assert fractions[-1] == pytest.approx(1.0)


def test_failure_is_told_in_words_and_is_no_finish(
    session: SegmentSession, runner: FakeRunner, engine: FakeEngine, heard: Heard
) -> None:
    engine.error = ImageError("The image is constant.")
    session.segment(LEFT)
    runner.tasks[0].finish()
    assert heard.of("run_failed") == ["The image is constant."]
    assert heard.of("run_finished") == []
    assert session.state is RunState.IDLE


def test_unforeseen_failure_names_its_kind(
    session: SegmentSession, runner: FakeRunner, engine: FakeEngine, heard: Heard
) -> None:
    engine.error = ZeroDivisionError("division by zero")
    session.segment(LEFT)
    runner.tasks[0].finish()
    (message,) = heard.of("run_failed")
    assert "ZeroDivisionError: division by zero" in message


def test_answers_after_close_are_dropped(session: SegmentSession, runner: FakeRunner, heard: Heard) -> None:
    session.segment(LEFT)
    task = runner.tasks[0]
    task.step()
    session.close()
    before = len(heard.said)
    task.cancelled = False  # As if the events had been on their way already.
    task.finish()
    assert len(heard.said) == before
    assert session.workspace is None


def test_removed_labels_make_the_next_run_open_new_ones_from_known_scores(
    session: SegmentSession, runner: FakeRunner, heard: Heard, engine: FakeEngine
) -> None:
    run_view(session, runner)
    assert session.workspace is not None
    session.forget_labels(session.workspace)
    run_view(session, runner)
    assert len(heard.of("workspace_opened")) == 2
    assert engine.computed == [LEFT]


def test_labels_of_a_run_whose_layer_was_removed_are_not_announced(
    session: SegmentSession, runner: FakeRunner, heard: Heard
) -> None:
    session.segment(LEFT)
    runner.tasks[0].step()
    assert session.workspace is not None
    session.forget_labels(session.workspace)
    runner.tasks[0].finish()
    assert heard.of("canvas_changed") == []


def test_check_tells_problems_and_warnings(session: SegmentSession, engine: FakeEngine, heard: Heard) -> None:
    engine.warnings = ("The pixel size is unknown.",)
    session.set_plan(SegmentPlan(channel=1))
    session.set_plan(SegmentPlan(channel=9))
    fine, bad = heard.of("checked")
    assert fine.warnings == ("The pixel size is unknown.",)
    assert fine.problem == ""
    assert "no channel 9" in bad.problem


def test_warnings_of_the_run_are_in_the_summary_once(
    session: SegmentSession, runner: FakeRunner, engine: FakeEngine, heard: Heard
) -> None:
    engine.warnings = ("Only 3 pixels an object.",)
    for region in (LEFT, RIGHT):
        run_view(session, runner, region)
    assert heard.of("run_finished")[-1].warnings == ("Only 3 pixels an object.",)


def test_region_within_a_known_one_is_not_listed_again() -> None:
    workspace = Workspace(MagicMock(), MagicMock(), MagicMock(), regions=(Box(0, 0, 50, 50),))
    assert workspace.with_region(Box(10, 10, 20, 20)) == (Box(0, 0, 50, 50),)
    assert workspace.with_region(Box(0, 0, 60, 60)) == (Box(0, 0, 60, 60),)
    assert workspace.with_region(None) == (None,)
