from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers.scenes import draw_discs
from napari_mouse_seg.plans import BoundaryTargets, DistanceTargets, ObjectTargets, TrainingPlan
from napari_mouse_seg.training import boundary_loss, instance_loss, prepare_image

PLAN = TrainingPlan()
LABELS = draw_discs((60, 80), [(30, 20), (30, 36), (30, 65)], 10)


def maps_of(targets: ObjectTargets) -> torch.Tensor:
    pixels = np.zeros((1, *LABELS.shape), np.float32)
    return torch.from_numpy(prepare_image(pixels, LABELS, PLAN, "drawn", targets).maps)[None]


def perfect(maps: torch.Tensor) -> torch.Tensor:
    return maps[:, :3].float() / 255 * 24 - 12


def without_boundary(maps: torch.Tensor) -> torch.Tensor:
    """Logits of a network that knows objects, but takes what touches for the inside of one."""
    logits = perfect(maps)
    logits[:, 1] = torch.maximum(logits[:, 1], logits[:, 2])
    logits[:, 2] = -12
    return logits


def test_perfect_logits_of_three_classes_have_almost_no_loss() -> None:
    maps = maps_of(BoundaryTargets())
    assert boundary_loss(perfect(maps), maps, PLAN) < 0.01
    assert boundary_loss(-perfect(maps), maps, PLAN) > 5


@pytest.mark.parametrize(
    "change", [{"boundary_weight": 20.0}, {"boundary_overlap": "dice"}, {"boundary_overlap": "tversky"}]
)
def test_missing_the_touching_class_costs_more_with_each_remedy(change: dict[str, object]) -> None:
    maps = maps_of(BoundaryTargets())
    plain = PLAN.replace(boundary_weight=1.0, boundary_overlap="none")
    missed = without_boundary(maps)
    assert boundary_loss(missed, maps, plain.replace(**change)) > 1.3 * boundary_loss(missed, maps, plain)


@pytest.mark.parametrize("overlap", ["none", "dice", "tversky"])
def test_the_distance_scheme_takes_the_same_remedies(overlap: str) -> None:
    maps = maps_of(DistanceTargets())
    logits = perfect(maps)
    logits[:, 1] = -12
    base = instance_loss(logits, maps, PLAN.replace(boundary_overlap="none"))
    assert (instance_loss(logits, maps, PLAN.replace(boundary_overlap=overlap)) > base) == (overlap != "none")


def test_tversky_minds_misses_more_than_extras() -> None:
    maps = maps_of(BoundaryTargets())
    plan = PLAN.replace(boundary_overlap="tversky")
    n_touching = int((maps[0, 2] == 255).sum())
    extra = perfect(maps)
    rows, columns = torch.nonzero(maps[0, 1] == 255, as_tuple=True)
    extra[0, 1, rows[:n_touching], columns[:n_touching]] = -12
    extra[0, 2, rows[:n_touching], columns[:n_touching]] = 12
    overlap = [
        boundary_loss(logits, maps, plan) - boundary_loss(logits, maps, plan.replace(boundary_overlap="none"))
        for logits in (without_boundary(maps), extra)
    ]
    assert overlap[0] > 1.2 * overlap[1]


def test_with_a_focus_pixels_that_are_right_count_less() -> None:
    maps = maps_of(BoundaryTargets())
    plan = PLAN.replace(boundary_overlap="none")
    almost = perfect(maps) / 12
    plain, focused = (boundary_loss(almost, maps, plan.replace(boundary_focus=focus)) for focus in (0.0, 2.0))
    wrong, wrong_focused = (boundary_loss(-almost, maps, plan.replace(boundary_focus=focus)) for focus in (0.0, 2.0))
    assert focused / plain < 0.5 * wrong_focused / wrong


def test_a_focus_of_nothing_leaves_the_gradient_finite() -> None:
    maps = maps_of(DistanceTargets())
    logits = perfect(maps).requires_grad_()
    instance_loss(logits, maps, PLAN).backward()
    assert torch.isfinite(logits.grad).all()
