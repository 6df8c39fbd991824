"""One round of training, as a generator of events."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from napari_mouse_seg.errors import ModelNotSavedError, MouseSegError, TrainingError
from napari_mouse_seg.events import CheckpointReady, Event, Finished, Started, StepsDone, Validated, Warned
from napari_mouse_seg.pipeline._retrain_keeper import PREVIEW_PREFIX, Keeper
from napari_mouse_seg.plans import RoundPlan

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from torch import nn

    from napari_mouse_seg.networks import Device, ModelCard
    from napari_mouse_seg.pipeline._retrain_job import RetrainJob
    from napari_mouse_seg.training import Control, FineTuning, Score

_LOG = logging.getLogger(__name__)


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
        If the loss is no longer finite, memory runs out, or the disk refuses the model; in the last case the training
        can be taken up again.
    """
    import torch

    from napari_mouse_seg.networks import is_out_of_memory, resolve_device

    if threads:
        torch.set_num_threads(threads)
    device = resolve_device(job.plan.device)
    torch.manual_seed(job.plan.seed)
    yield Started("training", 1)
    yield from map(Warned, job.warnings)
    try:
        yield from _train(job, control, device)
    except MouseSegError:
        raise
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            f"Memory ran out on {device.label} during training; choose a smaller batch or crop, or another device."
        ) from error


def _train(job: RetrainJob, control: Control, device: Device) -> Generator[Event, None, None]:
    from napari_mouse_seg.training import FineTuning, make_task

    network, card, is_trained = _build(job)
    task = make_task(card, job.plan, job.train, job.root if job.plan.rehearse else "")
    unseen = job.unseen if is_trained else None
    tuning = FineTuning(network, task, job.train, job.validate, job.plan, device.name, unseen=unseen)
    preview = job.output.with_name(f"{PREVIEW_PREFIX}{job.output.name}")
    began, curve, keeper = time.perf_counter(), _Curve(), Keeper(tuning, job)
    if before := keeper.restore():
        yield Warned(f"A training of the same paint was cut off after {before} steps; it goes on from there.")
    is_kept = False
    try:
        for event in tuning.run(control):
            curve.note(event)
            yield event
            keeper.save_now_and_then()
            if isinstance(event, Validated) and _save_preview(preview, card, tuning.averaged):
                yield CheckpointReady(event.steps, str(preview))
        try:
            _save(job.output, card.replace(scores=_scores(tuning.best_score)), network)
        except ModelNotSavedError as error:
            is_kept = keeper.save()
            raise TrainingError(_not_saved(error, is_kept)) from error
    finally:
        with suppress(OSError):  # Windows refuses while the viewer reads it.
            preview.unlink(missing_ok=True)
        if not is_kept:
            keeper.forget()
    yield Finished(_round_of(job, tuning, curve, time.perf_counter() - began))


def _not_saved(error: ModelNotSavedError, is_kept: bool) -> str:
    onwards = "then train again: it goes on where it ended" if is_kept else "then train again"
    return f"{str(error).rstrip('.')}; {onwards}. What is painted is safe."


def _round_of(job: RetrainJob, tuning: FineTuning, curve: _Curve, seconds: float) -> RoundPlan:
    points, best = curve.points(), tuning.best_score
    return RoundPlan(
        number=job.number,
        name=job.name,
        base=job.base,
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        steps=points[-1][0] if points else 0,
        best_step=tuning.best_step,
        learnt_share=round(tuning.learnt_share, 3),
        seconds=round(seconds, 1),
        score=None if best is None else best.value,
        score_name="" if best is None else best.name,
        patches=job.patch_ids,
        learnt_before=job.learnt_before,
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


def _save_preview(path: Path, card: ModelCard, network: nn.Module) -> bool:
    """Write the network as it stands; a disk that refuses is no reason to end the training."""
    try:
        _save(path, card, network)
    except ModelNotSavedError as error:
        _LOG.warning("There is no preview: %s", error)
        return False
    return True


def _save(path: Path, card: ModelCard, network: nn.Module) -> None:
    from napari_mouse_seg.networks import save_model

    save_model(path, card, network)


def _build(job: RetrainJob) -> tuple[nn.Module, ModelCard, bool]:
    """Return the network to start with, its card, and whether all of it is trained; a new one's reach is measured."""
    from napari_mouse_seg.networks import build_network, start_from, with_measured_reach

    if job.start is not None:
        network, fresh = start_from(job.start, job.card)
        return network, job.card, not fresh
    network = build_network(job.card.architecture, job.encoder_weights)
    return network, with_measured_reach(job.card, network), False
