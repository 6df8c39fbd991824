"""Project + base model → one frozen job for a round of training, or an error that says what to change.

The painted patches are read once: painting goes on meanwhile, and the next round takes it in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.pipeline._retrain_checks import (
    check_areas,
    check_batch,
    check_objects,
    check_overlap,
    check_unlearnt,
    warnings,
)
from napari_mouse_seg.pipeline._retrain_start import find_start, rehearses, targets_of
from napari_mouse_seg.plans import NOT_PAINTED, PatchPlan, RetrainPlan

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_mouse_seg.networks import Model, ModelCard
    from napari_mouse_seg.pipeline._retrain_start import Start
    from napari_mouse_seg.projects import Project
    from napari_mouse_seg.training import PaintedPatch


@dataclass(frozen=True, slots=True)
class RetrainJob:
    """Everything one round of training needs, checked.

    Attributes
    ----------
    plan
        Length, step size, device.
    number, name
        Of the round, and of its model.
    base, root
        Names of what it starts from, and of the bundled model whose own samples can be mixed in; empty if there is
        none.
    card
        Of the model to be made.
    start
        The model whose weights it starts from; None for random or ImageNet weights.
    encoder_weights
        Name of pretrained weights of the encoder, for a new network; None for random ones.
    train, validate
        Patches.
    patch_ids
        Ids of those in ``train``.
    learnt_before
        Ids of those that ``start`` has learnt from.
    unseen
        Those in ``train`` that ``start`` has not learnt from.
    output
        The model file to write.
    warnings
        In words for users.
    """

    plan: RetrainPlan
    number: int
    name: str
    base: str
    root: str
    card: ModelCard
    start: Model | None
    encoder_weights: str | None
    train: tuple[PaintedPatch, ...]
    validate: tuple[PaintedPatch, ...]
    patch_ids: tuple[str, ...]
    learnt_before: tuple[str, ...]
    unseen: tuple[PaintedPatch, ...]
    output: Path
    warnings: tuple[str, ...]


def resolve_retrain(project: Project, plan: RetrainPlan | None = None, base: str | None = None) -> RetrainJob:
    """Check a project and decide what a round of training does.

    Parameters
    ----------
    project
        With painted patches; is only read.
    plan
        None takes the project's.
    base
        Name or file of a model, or of a new network; None takes the project's.

    Returns
    -------
    RetrainJob
        Ready for ``retrain``.

    Raises
    ------
    TrainingError
        If too little is painted, or validation patches overlap those to learn from, or those learnt before.
    ModelError
        If the base model is missing or damaged.
    """
    plan, base = plan or project.plan.retrain, base or project.plan.base
    used = [patch for patch in project.plan.patches if patch.included and patch.id not in project.broken]
    painted = {patch.id: project.paint(patch.id) for patch in used}
    used = [patch for patch in used if (painted[patch.id] != NOT_PAINTED).any()]
    train = [patch for patch in used if patch.role == "train"]
    validate = [patch for patch in used if patch.role == "validate"]
    if project.plan.kind == "areas":
        check_areas(project.plan.classes, train, validate, painted)
    else:
        check_objects(train, painted)
    check_overlap(train, validate)
    start = find_start(project, plan, base)
    check_unlearnt([patch for patch in project.plan.patches if patch.id in start.learnt], validate, start.name)
    check_batch(start.card, plan)
    root = base if rehearses(base, start.card) else ""
    number = project.next_round_number()
    name = f"{project.folder.name.removesuffix('.mouse-seg')} {number}"
    learnt = {patch.id: _painted(project, patch, painted[patch.id], start.card) for patch in train}
    return RetrainJob(
        plan=plan,
        number=number,
        name=name,
        base=start.name,
        root=root,
        card=_new_card(project, plan, start, name, len(train)),
        start=start.model,
        encoder_weights=start.encoder_weights,
        train=tuple(learnt.values()),
        validate=tuple(_painted(project, patch, painted[patch.id], start.card) for patch in validate),
        patch_ids=tuple(learnt),
        learnt_before=tuple(sorted(start.learnt)),
        unseen=tuple(patch for patch_id, patch in learnt.items() if patch_id not in start.learnt),
        output=project.round_file(number),
        warnings=tuple(warnings(project, plan, root, train, validate, painted)),
    )


def _new_card(project: Project, retrain: RetrainPlan, start: Start, name: str, n_patches: int) -> ModelCard:
    plan, base = project.plan, start.card
    where = plan.image.name or "an image"
    noun = "patch" if n_patches == 1 else "patches"
    trained = f"rained on {n_patches} painted {noun} of {where}, from {start.name}"
    targets = targets_of(plan, retrain, base)
    areas = plan.kind == "areas"
    return base.replace(
        name=name,
        summary=f"{', '.join(targets.outputs)}: t{trained}" if areas else f"T{trained}",
        architecture=base.architecture.replace(outputs=targets.outputs),
        targets=targets,
        intensity=plan.intensity,
        modality="any",
        pixel_size_um=plan.pixel_size_um,
        object_diameter_px=None if areas else base.object_diameter_px,
        training_data=(*base.training_data, f"{n_patches} painted {noun} of {where}"),
        scores={},
        known_failures=(f"Images that do not look like {where}.",),
    )


def _painted(project: Project, patch: PatchPlan, paint: NDArray[Any], card: ModelCard) -> PaintedPatch:
    from napari_mouse_seg.images import IntensityRange, stretch
    from napari_mouse_seg.training import PaintedPatch

    pixels, channels = project.pixels(patch.id), card.architecture.in_channels
    if len(pixels) != channels:
        pixels = (
            pixels.mean(0, dtype=np.float32, keepdims=True)
            if channels == 1
            else np.repeat(pixels[:1], channels, axis=0)
        )
    stretched = stretch(pixels, IntensityRange(*project.plan.limits_of(channels)), project.plan.intensity)
    return PaintedPatch(patch.name or patch.id, stretched, paint, patch.meaning)
