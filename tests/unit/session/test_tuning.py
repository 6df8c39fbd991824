"""Questions are answered one at a time, the latest counts, and a search ends for sure."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from helpers.runners import FakeRunner
from helpers.scenes import draw_discs
from napari_mouse_seg.images import from_arrays
from napari_mouse_seg.instances import decode
from napari_mouse_seg.networks import ArchitecturePlan, ModelCard
from napari_mouse_seg.pipeline import PlacedLabels, Tuned, resolve
from napari_mouse_seg.plans import AreaTargets, ClassPlan, InstancesPlan, SegmentPlan
from napari_mouse_seg.session import Comparison, Question, Tuning, Workspace
from napari_mouse_seg.tiling import SCORE_ONE, Box

SHAPE = (120, 150)
CENTRES = [(float(y), float(x)) for y in (20, 60, 100) for x in (25, 75, 125)]
DISCS = draw_discs(SHAPE, CENTRES, 8)
SAME_GRID = np.array([[1.0, 0, 0], [0, 1, 0]])
CLASSES = (ClassPlan(label=1, name="Ground", colour="#000000"), ClassPlan(label=2, name="Disc", colour="#ff0000"))


def card(**settings: Any) -> ModelCard:
    targets = settings.get("targets")
    architecture = ArchitecturePlan() if targets is None else ArchitecturePlan(outputs=targets.outputs)
    return ModelCard(name="drawn", summary="Drawn", architecture=architecture, **settings)


class Scores:
    """A cache whose scores are drawn: they fall from every disc's centre outwards."""

    def __init__(self, job: Any) -> None:
        rows, columns = np.indices(SHAPE)
        nearest = np.min([np.hypot(rows - y, columns - x) for y, x in CENTRES], axis=0)
        height = np.clip(1 - nearest / 16, 0, 1) * SCORE_ONE
        self.scores = np.stack([height, np.zeros(SHAPE), height]).astype(np.uint16)
        self.store = SimpleNamespace(grid=job.grid, read=lambda box: self.scores[:, *box.slices])

    def scorer(self, _job: Any) -> Any:
        return self


def workspace(labels: np.ndarray, regions: tuple[Box | None, ...] = (None,), **settings: Any) -> Workspace:
    image = from_arrays([np.zeros(SHAPE, np.uint8)], axes="YX", name="drawn")
    model = SimpleNamespace(card=card(**settings), sha256="0")
    job = resolve(image, model, SegmentPlan())
    return Workspace(job, Scores(job), SimpleNamespace(array=labels.astype(np.uint32)), regions)


def question(labels: np.ndarray = DISCS, **settings: Any) -> Question:
    return Question(workspace(labels, **settings), PlacedLabels((DISCS,), SAME_GRID))


@pytest.fixture
def runner() -> FakeRunner:
    return FakeRunner()


@pytest.fixture
def tuning(runner: FakeRunner) -> Tuning:
    return Tuning(runner)


@pytest.fixture
def heard(tuning: Tuning) -> list[tuple[str, Any]]:
    said: list[tuple[str, Any]] = []
    for name in ("compared", "not_compared", "tried", "found", "search_failed"):
        getattr(tuning, name).connect(lambda value, name=name: said.append((name, value)))
    tuning.search_ended.connect(lambda: said.append(("search_ended", None)))
    return said


def names(heard: list[tuple[str, Any]]) -> list[str]:
    return [name for name, _ in heard]


def test_comparison_is_said_in_words(tuning: Tuning, runner: FakeRunner, heard: list[tuple[str, Any]]) -> None:
    found = np.where(DISCS == 1, 0, DISCS)
    found[0:4, 0:4] = 90
    tuning.compare(question(found))
    runner.tasks[-1].finish()
    ((name, comparison),) = heard
    assert name == "compared"
    assert isinstance(comparison, Comparison)
    assert comparison.score == "F1 0.89 at IoU 0.5\n0.89 mean over 0.50–0.95"  # 8 of 9 on either side
    assert comparison.details == "1 missed, 1 extra, 0 split, 0 merged, over 9 objects"
    assert comparison.remarks == ""


def test_what_the_edge_cuts_is_said(tuning: Tuning, runner: FakeRunner, heard: list[tuple[str, Any]]) -> None:
    tuning.compare(question(regions=(Box(0, 0, 120, 125),)))
    runner.tasks[-1].finish()
    assert heard[0][1].remarks == "3 objects cut by the edge left out."
    assert "over 6 objects" in heard[0][1].details


def test_areas_are_compared_by_class(tuning: Tuning, runner: FakeRunner, heard: list[tuple[str, Any]]) -> None:
    truth = np.where(DISCS > 0, 2, 1)
    found = np.where(DISCS > 3, 2, 1)  # a third of the discs is missing
    where = workspace(found, targets=AreaTargets(classes=CLASSES))
    tuning.compare(Question(where, PlacedLabels((truth,), SAME_GRID)))
    runner.tasks[-1].finish()
    ((_, comparison),) = heard
    disc = float((DISCS > 3).sum() / (DISCS > 0).sum())
    assert dict(comparison.areas)["Disc"] == pytest.approx(disc)
    assert comparison.details.endswith(f"Disc {disc:.2f}")
    assert "over 2 classes" in comparison.score


def test_of_the_questions_that_wait_only_the_last_is_answered(
    tuning: Tuning, runner: FakeRunner, heard: list[tuple[str, Any]]
) -> None:
    for labels in (DISCS, DISCS * 0, np.where(DISCS > 4, DISCS, 0)):
        tuning.compare(question(labels))
    assert len(runner.tasks) == 1
    runner.tasks[0].finish()
    runner.tasks[1].finish()
    assert len(runner.tasks) == 2
    assert [comparison.objects.misses for _, comparison in heard] == [0, 4]


def test_answers_to_what_is_forgotten_are_dropped(
    tuning: Tuning, runner: FakeRunner, heard: list[tuple[str, Any]]
) -> None:
    tuning.compare(question())
    tuning.forget()
    runner.tasks[0].finish()
    assert heard == []
    tuning.compare(question())
    runner.tasks[1].finish()
    assert names(heard) == ["compared"]


def test_labels_beside_the_result_are_said_and_the_next_question_is_answered(
    tuning: Tuning, runner: FakeRunner, heard: list[tuple[str, Any]]
) -> None:
    far = PlacedLabels((DISCS,), np.array([[1.0, 0, 900], [0, 1, 0]]))
    tuning.compare(Question(workspace(DISCS), far))
    tuning.compare(question())
    runner.tasks[0].finish()
    runner.tasks[1].finish()
    assert names(heard) == ["not_compared", "compared"]
    assert "lie beside" in heard[0][1]


def test_same_labels_are_sampled_once_while_thresholds_move(tuning: Tuning, runner: FakeRunner) -> None:
    reads: list[object] = []

    class Counted:
        shape = SHAPE

        def __getitem__(self, slices: Any) -> np.ndarray:
            reads.append(slices)
            return DISCS[slices]

    where, labels = workspace(DISCS), PlacedLabels((Counted(),), SAME_GRID)
    for _ in range(3):
        tuning.compare(Question(where, labels))
        runner.tasks[-1].finish()
    assert len(reads) == 1
    where.regions = (Box(0, 0, 60, 60),)
    tuning.compare(Question(where, labels))
    runner.tasks[-1].finish()
    assert len(reads) == 2


def test_search_finds_what_decodes_into_the_truth(
    tuning: Tuning, runner: FakeRunner, heard: list[tuple[str, Any]]
) -> None:
    start = InstancesPlan(foreground_threshold=0.1)
    where = question()
    tuning.find_best(where, start)
    assert tuning.is_searching
    tuning.find_best(where, start)
    assert len(runner.tasks) == 1
    runner.tasks[0].finish()
    assert names(heard)[-2:] == ["found", "search_ended"]
    tuned = heard[-2][1]
    assert isinstance(tuned, Tuned)
    assert not tuning.is_searching
    # The radius of 8 px lies where the score is 1 - 8 / 16.
    assert tuned.plan.foreground_threshold == pytest.approx(0.5, abs=0.05)
    again = decode(where.workspace.cache.scores, tuned.plan)
    assert again.count == tuned.after.n_predicted == 9


def test_cancelled_search_finds_nothing_and_ends(
    tuning: Tuning, runner: FakeRunner, heard: list[tuple[str, Any]]
) -> None:
    tuning.find_best(question(), InstancesPlan())
    runner.tasks[0].step()
    tuning.cancel_search()
    runner.tasks[0].finish()
    assert names(heard) == ["tried", "search_ended"]


def test_search_without_objects_or_for_areas_fails_in_words(
    tuning: Tuning, runner: FakeRunner, heard: list[tuple[str, Any]]
) -> None:
    tuning.find_best(Question(workspace(DISCS), PlacedLabels((DISCS * 0,), SAME_GRID)), InstancesPlan())
    runner.tasks[0].finish()
    tuning.find_best(question(targets=AreaTargets(classes=CLASSES)), InstancesPlan())
    runner.tasks[1].finish()
    assert names(heard) == ["search_failed", "search_ended"] * 2
    assert "no whole object" in heard[0][1]
    assert "no thresholds" in heard[2][1]
