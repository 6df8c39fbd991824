"""A project with two patches, drawn with known pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_mouse_seg.plans import ImageReference, PatchPlan, ProjectPlan
from napari_mouse_seg.projects import Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROWS, COLUMNS = 12, 17


@pytest.fixture
def plan() -> ProjectPlan:
    return ProjectPlan(
        image=ImageReference(name="field", shape=(400, 500)), network_shape=(200, 250), limits=(10.0, 900.0)
    )


@pytest.fixture
def patch() -> Callable[..., PatchPlan]:
    """Makes patches of 12 x 17 px."""

    def make(patch_id: str, **changes: object) -> PatchPlan:
        return PatchPlan.build(**({"id": patch_id, "box": (20, 30, 20 + ROWS, 30 + COLUMNS)} | changes))

    return make


@pytest.fixture
def pixels() -> np.ndarray:
    """(2, 12, 17), every value once."""
    return np.arange(2 * ROWS * COLUMNS, dtype=np.uint16).reshape(2, ROWS, COLUMNS)


@pytest.fixture
def painted() -> np.ndarray:
    labels = np.zeros((ROWS, COLUMNS), np.int32)
    labels[2:5, 3:9] = 2
    labels[8:, 10:] = 3
    return labels


@pytest.fixture
def folder(
    tmp_path: Path,
    plan: ProjectPlan,
    patch: Callable[..., PatchPlan],
    pixels: np.ndarray,
    painted: np.ndarray,
) -> Path:
    """Of a closed project with two patches, the first one painted."""
    with Project.create(tmp_path / "field.mouse-seg", plan) as project:
        project.add_patch(pixels, patch("p001"))
        project.add_patch(pixels + 1000, patch("p002", name="edge"))
        project.write_paint("p001", painted)
    return tmp_path / "field.mouse-seg"


@pytest.fixture
def project(folder: Path) -> Iterator[Project]:
    with Project.open(folder) as opened:
        yield opened
