"""Annotation projects on drawn discs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from helpers.scenes import draw_discs
from napari_mouse_seg.plans import (
    BACKGROUND_LABEL,
    ImageReference,
    PaintPlan,
    PatchPlan,
    ProjectPlan,
    RetrainPlan,
)
from napari_mouse_seg.projects import Project

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SIDE = 96
SHORT = RetrainPlan(steps=3, batch_size=2, crop_px=64, device="cpu")


def disc_patch(seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.uint32]]:
    """Return (1, Y, X) noisy pixels and whole paint of discs, some of which touch."""
    rng = np.random.default_rng(seed)
    centres = [(20, 20), (20, 37), (60, 30), (70, 75)]
    labels = draw_discs((SIDE, SIDE), [(y + seed % 5, x) for y, x in centres], 9)
    pixels = 100 + 50.0 * (labels > 0) + rng.normal(0, 4, labels.shape)
    return pixels[None].astype(np.float32), np.where(labels > 0, labels + 1, BACKGROUND_LABEL).astype(np.uint32)


def disc_project(folder: Path, roles: tuple[str, ...] = ("train", "validate"), base: str = "new:compact") -> Project:
    """Make a project with one painted patch a role, side by side, open for writing."""
    plan = ProjectPlan(
        image=ImageReference(name="discs", shape=(SIDE, SIDE * 8)),
        network_shape=(SIDE, SIDE * 8),
        limits=(100.0, 150.0),
        base=base,
        retrain=SHORT,
    )
    project = Project.create(folder / "discs.mouse-seg", plan)
    for index, role in enumerate(roles):
        pixels, paint = disc_patch(index)
        patch = PatchPlan(
            id=project.next_patch_id(),
            box=(0, SIDE * index, SIDE, SIDE * (index + 1)),
            role=role,  # type: ignore[arg-type]
            meaning=PaintPlan(),
        )
        project.add_patch(pixels, patch)
        project.write_paint(patch.id, paint)
    return project
