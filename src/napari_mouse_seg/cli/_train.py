"""``mouse-seg train``: one round of training on an annotation project."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from napari_mouse_seg.cli._inputs import user_path
from napari_mouse_seg.cli._interrupt import heed
from napari_mouse_seg.cli._plan_options import add_plan_options, given_options
from napari_mouse_seg.errors import PlanError, ProjectError, TrainingError
from napari_mouse_seg.events import Finished, StepsDone, Validated, Warned
from napari_mouse_seg.plans import RetrainPlan

if TYPE_CHECKING:
    import argparse

    from napari_mouse_seg.cli._console import Console
    from napari_mouse_seg.plans import RoundPlan
    from napari_mouse_seg.projects import Project


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add arguments and options."""
    parser.add_argument(
        "project", type=user_path, metavar="PROJECT", help="folder made in the panel Train (*.mouse-seg)"
    )
    parser.add_argument(
        "--base", metavar="NAME|FILE", help="model to start this round from; default: as set in the project"
    )
    add_plan_options(parser, RetrainPlan, "training (not given: as set in the project)", own_defaults=False)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Train, and add the round to the project; Ctrl-C leaves the project as it was."""
    from napari_mouse_seg.projects import Project

    with Project.open(arguments.project) as project:
        if project.read_only:
            raise ProjectError(f"{project.folder} cannot take a new round: {project.read_only_reason}")
        for damage in project.damage:
            console.warn(damage.message)
        plan = project.plan.retrain.replace(**_given(arguments))
        done = _train(project, plan, arguments.base, console)
        project.add_round(done)
        console.out(f"{done.name}: {_score(done)} after {done.best_step} of {done.steps} steps, {done.seconds:.0f} s")
        console.out(f"Model: {project.round_file(done.number)}")
    return 0


def _given(arguments: argparse.Namespace) -> dict[str, Any]:  # Any: values of fields
    """Return the fields that were given; a base that is named is what the round starts from."""
    given = given_options(arguments, RetrainPlan)
    if arguments.base and given.setdefault("start_from", "base") == "last":
        raise PlanError("--base and --start-from last contradict each other; leave one of them out.", "start_from")
    return given


def _train(project: Project, plan: RetrainPlan, base: str | None, console: Console) -> RoundPlan:
    from napari_mouse_seg.pipeline import Orders, resolve_retrain, retrain

    job = resolve_retrain(project, plan, base)
    console.out(f"Training {job.name} from {job.base}: {len(job.train)} patches, {len(job.validate)} for validation")
    with closing(retrain(job, Orders(), plan.threads)) as events:
        for event in heed(events):
            if isinstance(event, Warned):
                console.warn(event.message)
            elif isinstance(event, Validated) and event.score is not None:
                best = " (best)" if event.best else ""
                console.out(f"step {event.steps}: validation {event.name} {event.score:.3f}{best}")
            elif isinstance(event, StepsDone):
                console.progress(project.folder.name, event)
            elif isinstance(event, Finished):
                done: RoundPlan = event.result
                return done
    raise TrainingError("The training ended without a model; run it again with --debug and report it.")


def _score(done: RoundPlan) -> str:
    return "not validated" if done.score is None else f"validation {done.score_name} {done.score:.3f}"
