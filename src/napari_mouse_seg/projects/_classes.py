"""What may be done to the kind and the classes of a project whose patches are painted; pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_mouse_seg.errors import PlanError
from napari_mouse_seg.plans import BACKGROUND_LABEL, NOT_PAINTED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_mouse_seg.plans import PatchPlan, ProjectPlan


def check_distinct(plan: ProjectPlan) -> None:
    """Raise if two classes cannot be told apart.

    Raises
    ------
    PlanError
        Which two.
    """
    for number, entry in enumerate(plan.classes):
        for other in plan.classes[:number]:
            if entry.label == other.label:
                raise PlanError(f"{entry.name} and {other.name} share the label {entry.label}.", "classes")
            if entry.name == other.name:
                raise PlanError(f"There are two classes named {entry.name}; give one another name.", "classes")


def check_change(before: ProjectPlan, after: ProjectPlan, painted: Iterable[tuple[PatchPlan, Iterable[int]]]) -> None:
    """Raise if paint would lose its meaning: its class goes, or objects become areas.

    A class may be added, renamed and recoloured at any time: its label stays what it is.

    Parameters
    ----------
    before, after
        Of the project.
    painted
        Patches with the labels in their paint; looked at only if need be.

    Raises
    ------
    PlanError
        Names the class and a patch that is painted with it.
    """
    check_distinct(after)
    kept = {entry.label for entry in after.classes}
    gone = {entry.label: entry.name for entry in before.classes if entry.label not in kept}
    if before.kind == after.kind and not gone:
        return
    for patch, found in painted:
        labels = set(found) - {NOT_PAINTED}
        if before.kind != after.kind and labels:
            raise PlanError(
                f"{patch.name or patch.id} is painted with {before.kind}, which cannot become {after.kind}; start "
                "another project for these.",
                "kind",
            )
        if patch.meaning.rest_is_background:
            labels.add(BACKGROUND_LABEL)
        for label in sorted(labels & set(gone)):
            raise PlanError(
                f"{gone[label]} cannot be removed: {patch.name or patch.id} is painted with it; paint over it there "
                "first, or delete the patch.",
                "classes",
            )
