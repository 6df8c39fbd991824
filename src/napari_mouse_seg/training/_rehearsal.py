"""Samples of what a bundled model was trained on, to be learnt again beside new ones, against forgetting.

Rehearsal with a few stored samples (Robins 1995) rather than penalties on changed weights: it needs no choice of a
strength, and the samples of a nuclei model are small.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_mouse_seg.training._samples import TrainingImage, prepare_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_mouse_seg.plans import ObjectTargets, TrainingPlan

REHEARSAL_GROUP = "base"
"""Group of these samples."""

_STEPS_PER_ONE = 63.0


def rehearsal_file(model: str) -> Path:
    """Return where the samples of a bundled model lie, if it has any."""
    return Path(str(files("napari_mouse_seg"))) / "models" / f"{model}.rehearsal.npz"


def save_rehearsal(path: Path, stretched: NDArray[np.float32], labels: NDArray[np.uint16]) -> None:
    """Write (N, C, Y, X) stretched images, from 0 to 4, with their (N, Y, X) instances, in steps of 1/63."""
    pixels = np.clip(np.round(stretched * _STEPS_PER_ONE), 0, 255).astype(np.uint8)
    np.savez_compressed(path, pixels=pixels, labels=labels)


def load_rehearsal(model: str, plan: TrainingPlan, targets: ObjectTargets) -> list[TrainingImage]:
    """Return the samples of a bundled model as these targets; none if it has none."""
    path = rehearsal_file(model)
    if not path.exists():
        return []
    with np.load(path, allow_pickle=False) as saved:
        pairs = list(zip(saved["pixels"], saved["labels"], strict=True))
    return [
        prepare_image(
            pixels.astype(np.float32) / _STEPS_PER_ONE, labels.astype(np.int32), plan, REHEARSAL_GROUP, targets
        )
        for pixels, labels in pairs
    ]
