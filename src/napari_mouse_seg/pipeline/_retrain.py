"""One round of training, as a generator of events."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from napari_mouse_seg.errors import TrainingError
from napari_mouse_seg.events import CheckpointReady, Event, Finished, Started, StepsDone, Validated, Warned
from napari_mouse_seg.pipeline._retrain_keeper import PREVIEW_PREFIX, Keeper
from napari_mouse_seg.plans import RoundPlan

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from torch import nn

    from napari_mouse_seg.networks import ModelCard
    from napari_mouse_seg.pipeline._retrain_job import RetrainJob
    from napari_mouse_seg.training import Control, FineTuning, Score


def retrain(job: RetrainJob, control: Control, threads: int = 0) -> Generator[Event, None, None]:
    """Train; a generator that is cancelled by closing it.

    Parameters
    ----------
    job
        From ``resolve_retrain``.
    control
        Pause, and stop and keep the best.
    threads
        On the CPU; 0 leaves torch's own number.

    Yields
    ------
    Event
        ``Started``, ``StepsDone``, ``Validated``, ``CheckpointReady`` (a model file to look at, which the next one
        replaces), and ``Finished`` with a ``RoundPlan``, whose model file is then in place.

    Raises
    ------
    TrainingError
        If the loss is no longer finite, or memory runs out.
    """
    import torch

    from napari_mouse_seg.networks import resolve_device
    from napari_mouse_seg.training import FineTuning, make_task

    if threads:
        torch.set_num_threads(threads)
    device = resolve_device(job.plan.device)
    torch.manual_seed(job.plan.seed)
    yield Started("training", 1)
    yield from map(Warned, job.warnings)
    network, card, is_trained = _build(job)
    task = make_task(card, job.plan, job.train, job.root if job.plan.rehearse else "")
    tuning = FineTuning(network, task, job.train, job.validate, job.plan, device.name, keeps_before=is_trained)
    preview = job.output.with_name(f"{PREVIEW_PREFIX}{job.output.name}")
    began, curve, keeper = time.perf_counter(), _Curve(), Keeper(tuning, job)
    if before := keeper.restore():
        yield Warned(f"A training of the same paint was cut off after {before} steps; it goes on from there.")
    try:
        for event in tuning.run(control):
            curve.note(event)
            yield event
            keeper.save_now_and_then()
            if isinstance(event, Validated):
                _save(preview, card, tuning.averaged)
                yield CheckpointReady(event.steps, str(preview))
        _save(job.output, card.replace(scores=_scores(tuning.best_score)), network)
    except RuntimeError as error:
        if _is_out_of_memory(error):
            raise TrainingError(
                f"Memory ran out on {device.label} during training; choose a smaller batch or crop, or another device."
            ) from error
        raise
    finally:
        preview.unlink(missing_ok=True)
        keeper.forget()
    yield Finished(_round_of(job, tuning, curve, time.perf_counter() - began))


def _is_out_of_memory(error: RuntimeError) -> bool:
    return any(sign in str(error).lower() for sign in ("out of memory", "not enough memory"))


def _round_of(job: RetrainJob, tuning: FineTuning, curve: _Curve, seconds: float) -> RoundPlan:
    points = curve.points()
    return RoundPlan(
        number=job.number,
        name=job.name,
        base=job.base,
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        steps=points[-1][0] if points else 0,
        best_step=tuning.best_step,
        learnt_share=round(tuning.learnt_share, 3),
        seconds=round(seconds, 1),
        score=None if tuning.best_score is None else tuning.best_score.value,
        patches=job.patch_ids,
        curve=points,
    )


class _Curve:
    """Loss and validation score as they came, for the round's record."""

    def __init__(self) -> None:
        self._points: dict[int, tuple[float | None, float | None]] = {}

    def note(self, event: Event) -> None:
        if isinstance(event, StepsDone):
            self._points[event.steps] = (event.loss, self._points.get(event.steps, (None, None))[1])
        elif isinstance(event, Validated):
            self._points[event.steps] = (self._points.get(event.steps, (None, None))[0], event.score)

    def points(self) -> tuple[tuple[int, float, float | None], ...]:
        """Return (step, loss, score); a score without a loss of its own takes the loss before it."""
        out: list[tuple[int, float, float | None]] = []
        loss = 0.0
        for step, (own, score) in sorted(self._points.items()):
            loss = loss if own is None else own
            out.append((step, round(loss, 5), score))
        return tuple(out)


def _scores(best: Score | None) -> dict[str, Any]:  # Any: as the card has it
    if best is None:
        return {}
    return {"painted validation patches": {name: round(value, 4) for name, value in best.parts.items()}}


def _save(path: Path, card: ModelCard, network: nn.Module) -> None:
    from napari_mouse_seg.networks import save_model

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_model(path, card, network)
    except OSError as error:
        raise TrainingError(
            f"The model could not be written to {path.parent} ({error.strerror or error}); check the folder and the "
            "room on its disk, then train again. What is painted is safe."
        ) from error


def _build(job: RetrainJob) -> tuple[nn.Module, ModelCard, bool]:
    """Return the network to start with, its card, and whether all of it is trained; a new one's reach is measured."""
    from napari_mouse_seg.networks import build_network, start_from, with_measured_reach

    if job.start is not None:
        network, fresh = start_from(job.start, job.card)
        return network, job.card, not fresh
    network = build_network(job.card.architecture, job.encoder_weights)
    return network, with_measured_reach(job.card, network), False
