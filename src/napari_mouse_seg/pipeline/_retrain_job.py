"""Project + base model → one frozen job for a round of training, or an error that says what to change.

The painted patches are read once: painting goes on meanwhile, and the next round takes it in.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.errors import PlanError, TrainingError
from napari_mouse_seg.plans import BACKGROUND_LABEL, NOT_PAINTED, PatchPlan, RetrainPlan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_mouse_seg.networks import Model, ModelCard
    from napari_mouse_seg.projects import Project
    from napari_mouse_seg.training import PaintedPatch

NEW_PREFIX = "new:"
_NEW = {
    "compact": "small U-Net, fast without a GPU",
    "unet/resnet18": "U-Net with ResNet-18",
    "unet/resnet34": "U-Net with ResNet-34",
    "deeplabv3plus/resnet34": "DeepLabV3+ with ResNet-34",
}
_IMAGENET = "+imagenet"


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
        Names of what it starts from, and of the bundled model that goes back to; the latter may be empty.
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
    output: Path
    warnings: tuple[str, ...]


def new_networks() -> dict[str, str]:
    """Return what can be trained from scratch: value for ``ProjectPlan.base`` → description."""
    names = {f"{NEW_PREFIX}{name}": f"New: {text}" for name, text in _NEW.items()}
    pretrained = {
        f"{NEW_PREFIX}{name}{_IMAGENET}": f"New: {text}, ImageNet weights (downloaded)"
        for name, text in _NEW.items()
        if "/" in name
    }
    return names | pretrained


def resolve_retrain(project: Project, plan: RetrainPlan | None = None) -> RetrainJob:
    """Check a project and decide what a round of training does.

    Parameters
    ----------
    project
        With painted patches; is only read.
    plan
        None takes the project's.

    Returns
    -------
    RetrainJob
        Ready for ``retrain``.

    Raises
    ------
    TrainingError
        If too little is painted, or validation patches overlap those to learn from.
    ModelError
        If the base model is missing or damaged.
    """
    plan = plan or project.plan.retrain
    used = [patch for patch in project.plan.patches if patch.included and patch.id not in project.broken]
    painted = {patch.id: project.paint(patch.id) for patch in used}
    used = [patch for patch in used if (painted[patch.id] != NOT_PAINTED).any()]
    train = [patch for patch in used if patch.role == "train"]
    validate = [patch for patch in used if patch.role == "validate"]
    _check_paint(train, painted)
    _check_overlap(train, validate)
    card, start, base, weights = _find_start(project, plan)
    number = project.next_round_number()
    name = f"{project.folder.name.removesuffix('.mouse-seg')} {number}"
    return RetrainJob(
        plan=plan,
        number=number,
        name=name,
        base=base,
        root=project.plan.base,
        card=_new_card(project, card, name, base, len(train)),
        start=start,
        encoder_weights=weights,
        train=tuple(_painted(project, patch, painted[patch.id], card) for patch in train),
        validate=tuple(_painted(project, patch, painted[patch.id], card) for patch in validate),
        patch_ids=tuple(patch.id for patch in train),
        output=project.round_file(number),
        warnings=tuple(_warnings(project, plan, train, validate, painted)),
    )


def _check_paint(train: Sequence[PatchPlan], painted: dict[str, NDArray[Any]]) -> None:
    if not train:
        raise TrainingError(
            "Nothing is painted yet in a patch that training may use; add a patch, paint some objects and some "
            "background in it, and tick it."
        )
    if not any((painted[patch.id] > BACKGROUND_LABEL).any() for patch in train):
        raise TrainingError("Only background is painted; paint some objects too (any label from 2 on).")
    if not any(patch.meaning.rest_is_background or (painted[patch.id] == BACKGROUND_LABEL).any() for patch in train):
        raise TrainingError(
            "No background is painted; paint some with label 1, or tick “The rest is background” at a patch that "
            "is painted in full."
        )


def _check_overlap(train: Sequence[PatchPlan], validate: Sequence[PatchPlan]) -> None:
    from napari_mouse_seg.tiling import Box

    for one, other in itertools.product(train, validate):
        if Box(*one.box).intersect(Box(*other.box)).area:
            raise TrainingError(
                f"The validation patch {other.name or other.id} overlaps {one.name or one.id}, which is learnt from, "
                "so its score would mean nothing; leave one of them out, or give both the same use."
            )


def _warnings(
    project: Project,
    plan: RetrainPlan,
    train: Sequence[PatchPlan],
    validate: Sequence[PatchPlan],
    painted: dict[str, NDArray[Any]],
) -> Iterator[str]:
    from napari_mouse_seg.training import rehearsal_file

    if not validate:
        yield (
            "No patch is used for validation: how good the model is on new places is not measured, and training "
            "ends when its time is over."
        )
    sparse = [
        patch.name or patch.id
        for patch in validate
        if not (patch.meaning.rest_is_background or (painted[patch.id] != NOT_PAINTED).all())
    ]
    if sparse:
        yield f"{', '.join(sparse)}: not painted in full, so the overlap of painted pixels is scored, not objects."
    if plan.rehearse and not rehearsal_file(project.plan.base).exists():
        yield f"There are no samples of {project.plan.base} to keep in mind, so it may forget what it could do."
    if project.broken:
        yield f"{len(project.broken)} damaged patches are left out."


def _find_start(project: Project, plan: RetrainPlan) -> tuple[ModelCard, Model | None, str, str | None]:
    """Return the card and weights to start from, a name for people, and the name of encoder weights."""
    from napari_mouse_seg.networks import find_model, load_model

    if plan.start_from == "last" and project.plan.rounds:
        last = max(project.plan.rounds, key=lambda entry: entry.number)
        model = load_model(project.round_file(last.number))
        return model.card, model, last.name, None
    base = project.plan.base
    if base.startswith(NEW_PREFIX):
        card, weights = _new_network(base)
        return card, None, base, weights
    model = find_model(base)
    return model.card, model, model.card.name, None


def _new_network(base: str) -> tuple[ModelCard, str | None]:
    from napari_mouse_seg.networks import ArchitecturePlan, CompactPlan, ModelCard

    name = base.removeprefix(NEW_PREFIX)
    weights = "imagenet" if name.endswith(_IMAGENET) else None
    name = name.removesuffix(_IMAGENET)
    if name not in _NEW:
        raise PlanError(f"There is no new network {base!r}; choose one of {', '.join(new_networks())}.", "base")
    family, _, encoder = name.partition("/")
    architecture = (
        CompactPlan()
        if family == "compact"
        else ArchitecturePlan.build(family=family, encoder=encoder, decoder_channels=(128, 64, 32, 16, 16))
    )
    return ModelCard(name=name, summary="Not trained yet.", architecture=architecture), weights


def _new_card(project: Project, base: ModelCard, name: str, base_name: str, n_patches: int) -> ModelCard:
    plan = project.plan
    where = plan.image.name or "an image"
    noun = "patch" if n_patches == 1 else "patches"
    return base.replace(
        name=name,
        summary=f"Trained on {n_patches} painted {noun} of {where}, from {base_name}",
        intensity=plan.intensity,
        modality="any",
        pixel_size_um=plan.pixel_size_um,
        training_data=(*base.training_data, f"{n_patches} painted {noun} of {where}"),
        scores={},
        known_failures=(f"Images that do not look like {where}.",),
    )


def _painted(project: Project, patch: PatchPlan, paint: NDArray[Any], card: ModelCard) -> PaintedPatch:
    from napari_mouse_seg.images import IntensityRange, stretch
    from napari_mouse_seg.training import PaintedPatch

    pixels = project.pixels(patch.id)
    if len(pixels) != card.architecture.in_channels:
        pixels = (
            pixels.mean(0, dtype=np.float32, keepdims=True)
            if card.architecture.in_channels == 1
            else np.repeat(pixels[:1], card.architecture.in_channels, axis=0)
        )
    stretched = stretch(pixels, IntensityRange(*project.plan.limits), project.plan.intensity)
    return PaintedPatch(patch.name or patch.id, stretched, paint, patch.meaning)
