"""Is there enough paint for a training, and what should the user know of it; pure functions of plans and paint."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.errors import TrainingError
from napari_mouse_seg.plans import BACKGROUND_LABEL, NOT_PAINTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from napari_mouse_seg.networks import ModelCard
    from napari_mouse_seg.plans import ClassPlan, PatchPlan, RetrainPlan
    from napari_mouse_seg.projects import Project

    Paint = Mapping[str, NDArray[Any]]  # Any: any integers


def check_objects(train: Sequence[PatchPlan], painted: Paint) -> None:
    """Raise unless some objects and some background are painted."""
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


def check_areas(
    classes: Sequence[ClassPlan], train: Sequence[PatchPlan], validate: Sequence[PatchPlan], painted: Paint
) -> None:
    """Raise unless at least two classes are painted, and nothing that is no class."""
    if len(classes) < 2:
        noun = "class" if len(classes) == 1 else "classes"
        raise TrainingError(f"The project has {len(classes)} {noun}, but areas need at least two; add another.")
    if not train:
        raise TrainingError(
            "Nothing is painted yet in a patch that training may use; add a patch, paint at least two classes in it, "
            "and tick it."
        )
    names = {entry.label: entry.name for entry in classes}
    for patch in (*train, *validate):
        _check_labels(patch, painted[patch.id], names)
    found = [names[label] for label in sorted(_labels(train, painted))]
    if len(found) < 2:
        raise TrainingError(f"Only {found[0]} is painted; paint some of another class too.")


def _check_labels(patch: PatchPlan, paint: NDArray[Any], names: Mapping[int, str]) -> None:
    title = patch.name or patch.id
    strange = sorted(set(np.unique(paint).tolist()) - {NOT_PAINTED, *names})
    if strange:
        raise TrainingError(
            f"{title} is painted with label {strange[0]}, which is no class; add a class with that label, or paint "
            "over it."
        )
    if patch.meaning.rest_is_background and BACKGROUND_LABEL not in names:
        raise TrainingError(
            f"{title}: the rest is said to be background, but there is no class with label {BACKGROUND_LABEL}; add it, "
            "or untick “The rest is background”."
        )


def check_overlap(train: Sequence[PatchPlan], validate: Sequence[PatchPlan]) -> None:
    """Raise if a validation patch shows what is learnt from."""
    for one, other in _overlapping(train, validate):
        raise TrainingError(
            f"The validation patch {other.name or other.id} overlaps {one.name or one.id}, which is learnt from, "
            "so its score would mean nothing; leave one of them out, or give both the same use."
        )


def check_unlearnt(learnt: Sequence[PatchPlan], validate: Sequence[PatchPlan], start: str) -> None:
    """Raise if a validation patch shows what the model that training starts from has learnt already."""
    for one, other in _overlapping(learnt, validate):
        shown = "was" if one is other else f"overlaps {one.name or one.id}, which was"
        raise TrainingError(
            f"The validation patch {other.name or other.id} {shown} learnt by {start}, which training starts from, "
            "so its score would mean nothing; start from a model that has not seen it, or validate elsewhere."
        )


def _overlapping(ones: Sequence[PatchPlan], others: Sequence[PatchPlan]) -> Iterator[tuple[PatchPlan, PatchPlan]]:
    from napari_mouse_seg.tiling import Box

    for one, other in itertools.product(ones, others):
        if Box(*one.box).intersect(Box(*other.box)).area:
            yield one, other


def check_batch(card: ModelCard, plan: RetrainPlan) -> None:
    """Raise if the network averages over a whole crop, and so has nothing to compare within a batch of one."""
    if plan.batch_size == 1 and card.architecture.family == "deeplabv3plus":
        raise TrainingError(
            "DeepLabV3+ cannot learn from a batch of one crop; set the batch size to 2 or more, and a smaller crop if "
            "memory is short."
        )


def warnings(
    project: Project,
    plan: RetrainPlan,
    root: str,
    train: Sequence[PatchPlan],
    validate: Sequence[PatchPlan],
    painted: Paint,
) -> Iterator[str]:
    """Yield what the user should know before training, in words; ``root`` is empty if nothing can be rehearsed."""
    if not validate:
        yield (
            "No patch is used for validation: how good the model is on new places is not measured, and training "
            "ends when its time is over."
        )
    if project.plan.kind == "areas":
        yield from _area_warnings(project.plan.classes, plan, train, validate, painted)
    else:
        yield from _object_warnings(plan, root, validate, painted)
    if project.broken:
        yield f"{len(project.broken)} damaged patches are left out."


def _object_warnings(plan: RetrainPlan, root: str, validate: Sequence[PatchPlan], painted: Paint) -> Iterator[str]:
    sparse = [
        patch.name or patch.id
        for patch in validate
        if not (patch.meaning.rest_is_background or (painted[patch.id] != NOT_PAINTED).all())
    ]
    if sparse:
        yield f"{', '.join(sparse)}: not painted in full, so the overlap of painted pixels is scored, not objects."
    if plan.rehearse and not root:
        yield "There are no samples of the base model to mix in, so the model may forget what the base could do."


def _area_warnings(
    classes: Sequence[ClassPlan],
    plan: RetrainPlan,
    train: Sequence[PatchPlan],
    validate: Sequence[PatchPlan],
    painted: Paint,
) -> Iterator[str]:
    learnt, measured = _labels(train, painted), _labels(validate, painted)
    absent = [entry.name for entry in classes if entry.label not in learnt]
    if absent:
        yield f"Nothing is painted of {_listed(absent)} in a patch to learn from, so the model will never find it."
    unmeasured = [entry.name for entry in classes if entry.label in learnt - measured]
    if validate and unmeasured:
        yield f"Nothing is painted of {_listed(unmeasured)} in a validation patch, so how well it is found is unknown."
    if plan.scheme != "base":
        yield "The choice of how objects are learnt has no effect on areas."
    if plan.rehearse:
        yield "What the base model could do cannot be kept in a model of areas; the option has no effect."


def _labels(patches: Iterable[PatchPlan], painted: Paint) -> set[int]:
    """Return the labels that the patches are annotated with, the rest included where it is background."""
    found: set[int] = set()
    for patch in patches:
        found |= set(np.unique(painted[patch.id]).tolist())
        if NOT_PAINTED in found and patch.meaning.rest_is_background:
            found.add(BACKGROUND_LABEL)
        found.discard(NOT_PAINTED)
    return found


def _listed(names: Sequence[str]) -> str:
    """Return ``A``, ``A or B``, ``A, B or C``."""
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
