"""A model prefills only what fits the paint of a project."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("napari", reason="napari is not installed")

from napari_mouse_seg.networks import Model, ModelCard
from napari_mouse_seg.plans import AreaTargets, ClassPlan, ImageReference, ProjectPlan
from napari_mouse_seg.plugin._fit import prefill_problem

CLASSES = tuple(ClassPlan(label=n, name=f"Class {n}", colour="#123456") for n in (1, 2, 3))


def project(kind: str, n_classes: int = 3) -> ProjectPlan:
    return ProjectPlan.build(
        kind=kind,
        classes=CLASSES[:n_classes] if kind == "areas" else (),
        image=ImageReference(shape=(9, 9)),
        network_shape=(9, 9),
        limits=(0.0, 1.0),
    )


def model(n_classes: int = 0) -> Model:
    card = ModelCard(name="mine", summary="A model")
    if n_classes:
        targets = AreaTargets(classes=CLASSES[:n_classes])
        card = card.replace(targets=targets, architecture=card.architecture.replace(outputs=targets.outputs))
    return Model(card, Path("mine.safetensors"), "")


@pytest.mark.parametrize(
    ("plan", "found", "said"),
    [
        (project("objects"), model(), ""),
        (project("areas"), model(3), ""),
        (project("areas"), model(2), ""),  # A class was added since.
        (project("objects"), model(2), "“mine” finds areas, and this project paints objects"),
        (project("areas"), model(), "“mine” finds objects, and this project paints areas"),
        (project("areas", 2), model(3), "“mine” finds Class 3, which is no class of this project"),
        (project("areas"), None, "There is no model to prefill with yet"),
    ],
)
def test_only_a_model_whose_labels_the_project_knows_prefills(
    plan: ProjectPlan, found: Model | None, said: str
) -> None:
    problem = prefill_problem(plan, found)
    assert problem.startswith(said)
    assert bool(problem) is bool(said)
