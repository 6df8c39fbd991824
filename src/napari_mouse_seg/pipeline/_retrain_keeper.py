"""What a round of training leaves beside its model file while it works, so that a crash costs a minute at most.

Only a process that is killed, or a machine that stops, leaves it; the same training then goes on from it. After a
cancel, or with other paint or settings, training starts anew.
"""

from __future__ import annotations

import hashlib
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from napari_mouse_seg._atomic import remove_unfinished

if TYPE_CHECKING:
    from pathlib import Path

    from napari_mouse_seg.pipeline._retrain_job import RetrainJob
    from napari_mouse_seg.training import FineTuning

PREVIEW_PREFIX = ".preview-"
"""Before the name of the model file: the model to look at while it trains."""

_CHECKPOINT_PREFIX = ".checkpoint-"
_FORMAT = b"2"  # Another one whenever a checkpoint holds something else, or the schedule changes.
_EVERY_S = 60.0
_LOG = logging.getLogger(__name__)


class Keeper:
    """Keeps the state of one training.

    Parameters
    ----------
    tuning
        To keep.
    job
        What it does; says where.
    """

    def __init__(self, tuning: FineTuning, job: RetrainJob) -> None:
        self._tuning = tuning
        self._checkpoint = _checkpoint_of(job.output)
        self._key = fingerprint(job)
        self._saved = time.monotonic()

    def restore(self) -> int:
        """Go on from what the same job left; return after how many steps, 0 if it starts anew."""
        return self._tuning.restore(self._checkpoint, self._key)

    def save_now_and_then(self) -> None:
        """Write the state if the last one is a minute old; a full disk is no reason to end the training."""
        if time.monotonic() - self._saved >= _EVERY_S:
            self.save()

    def save(self) -> bool:
        """Write the state now; return whether that worked."""
        self._saved = time.monotonic()
        try:
            self._checkpoint.parent.mkdir(parents=True, exist_ok=True)
            self._tuning.save(self._checkpoint, self._key)
        except (OSError, RuntimeError) as error:  # torch raises the latter where it cannot write
            _LOG.warning("%s could not be written (%s).", self._checkpoint, error)
            self.forget()
            return False
        return True

    def forget(self) -> None:
        """Remove what was kept."""
        _remove(self._checkpoint)


def forget_left(rounds: Path, *, checkpoint: bool) -> None:
    """Remove what a process that is no more left among the models: half-written files, the preview, and the state.

    Parameters
    ----------
    rounds
        Folder of the models.
    checkpoint
        Whether the state to go on from is removed too.
    """
    remove_unfinished(rounds)
    for prefix in (PREVIEW_PREFIX, *([_CHECKPOINT_PREFIX] if checkpoint else [])):
        for path in rounds.glob(f"{prefix}*"):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def fingerprint(job: RetrainJob) -> str:
    """Return what is the same only for the same base, settings, pixels and paint."""
    digest = hashlib.sha256(_FORMAT)
    for text in (job.plan, job.card):
        digest.update(text.model_dump_json().encode())
    digest.update(f"{job.root} {job.encoder_weights} {job.start.sha256 if job.start else None}".encode())
    for role, patches in (("train", job.train), ("validate", job.validate)):
        for patch in patches:
            digest.update(f"{role} {patch.name} {patch.paint.shape} {patch.meaning.model_dump_json()}".encode())
            digest.update(patch.stretched.tobytes())
            digest.update(patch.paint.tobytes())
    return digest.hexdigest()


def _checkpoint_of(output: Path) -> Path:
    return output.with_name(f"{_CHECKPOINT_PREFIX}{output.stem}.pt")


def _remove(checkpoint: Path) -> None:
    for path in (checkpoint, checkpoint.with_name(checkpoint.name + ".part")):
        with suppress(OSError):
            path.unlink(missing_ok=True)
