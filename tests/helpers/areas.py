"""Drawn images whose areas are known: a dark disc and a striped band on a bright ground."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_mouse_seg.plans import ClassPlan, ImageReference, PatchPlan, ProjectPlan, RetrainPlan
from napari_mouse_seg.projects import Project

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SIDE = 96
CLASSES = (
    ClassPlan(label=1, name="Background", colour="#808080"),
    ClassPlan(label=4, name="Disc", colour="#ff0000"),
    ClassPlan(label=9, name="Stripes", colour="#00ff00"),
)
SHORT = RetrainPlan(steps=3, batch_size=2, crop_px=64, device="cpu")


def area_patch(seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return (1, Y, X) noisy pixels and their classes, 1, 4 and 9."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    truth = np.ones((SIDE, SIDE), np.uint8)
    truth[(y - 30 - seed) ** 2 + (x - 60) ** 2 < 20**2] = 4
    truth[:, 5 + seed : 27 + seed] = 9
    pixels = np.select([truth == 4, truth == 9], [100.0, 125 + 25 * np.sin(y * 1.6)], 150.0)
    return (pixels + rng.normal(0, 3, truth.shape))[None].astype(np.float32), truth


def strokes(truth: NDArray[np.uint8], every: int = 12) -> NDArray[np.uint8]:
    """Keep every so many rows as paint, two rows thick."""
    return np.where(np.arange(len(truth))[:, None] % every < 2, truth, 0).astype(np.uint8)


def area_project(
    folder: Path, roles: tuple[str, ...] = ("train", "validate"), base: str = "new:compact", **changes: object
) -> Project:
    """Make a project with one fully painted patch a role, side by side, open for writing."""
    plan = ProjectPlan(
        kind="areas",
        classes=CLASSES,
        image=ImageReference(name="areas", shape=(SIDE, SIDE * 8)),
        network_shape=(SIDE, SIDE * 8),
        limits=(100.0, 150.0),
        base=base,
        retrain=SHORT,
    ).replace(**changes)
    project = Project.create(folder / "areas.mouse-seg", plan)
    for index, role in enumerate(roles):
        pixels, truth = area_patch(index)
        patch = PatchPlan.build(id=project.next_patch_id(), box=(0, SIDE * index, SIDE, SIDE * (index + 1)), role=role)
        project.add_patch(pixels, patch)
        project.write_paint(patch.id, truth)
    return project
