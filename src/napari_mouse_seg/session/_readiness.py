"""Whether what is painted is enough to train on, as far as is known without reading files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_mouse_seg.errors import TrainingError
from napari_mouse_seg.plans import BACKGROUND_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Literal

    from napari_mouse_seg.plans import PatchPlan
    from napari_mouse_seg.projects import Project
    from napari_mouse_seg.session._paint import PaintSummary

_FEWEST_CLASSES = 2


def paint_problem(project: Project, summary: Callable[[str], PaintSummary]) -> str:
    """Return why a project's paint cannot be trained on, in words; empty if it can.

    Parameters
    ----------
    project
        Its patches that are included, painted and not damaged count.
    summary
        How much of a patch is painted, by its id.
    """
    patches = [patch for patch in project.plan.patches if patch.included and patch.id not in project.broken]
    painted = [patch for patch in patches if summary(patch.id).share > 0]
    used = [patch for patch in painted if patch.role == "train"]
    rest = any(patch.meaning.rest_is_background for patch in used)
    few = _too_little(project.plan.kind, [summary(patch.id) for patch in used], rest)
    return few or _overlap(painted)


def _too_little(kind: Literal["objects", "areas"], paints: Sequence[PaintSummary], rest_is_background: bool) -> str:
    """Return what must be painted before training can start, in words; empty if it is enough.

    Parameters
    ----------
    kind
        Of the project.
    paints
        Of the patches that are learnt from.
    rest_is_background
        Whether what is not painted is background in one of them.
    """
    if kind == "areas":
        painted = frozenset[int]().union(*(found.labels for found in paints))
        if len(painted | ({BACKGROUND_LABEL} if rest_is_background else set())) < _FEWEST_CLASSES:
            return "Paint at least two classes in patches that are used for training."
        return ""
    if not any(found.n_objects for found in paints):
        return "Paint some objects in a patch that is used for training."
    if not rest_is_background and not any(found.has_background for found in paints):
        return "Paint some background (label 1), or tick “The rest is background” at a patch painted in full."
    return ""


def _overlap(painted: list[PatchPlan]) -> str:
    """Return which patch for validation shows what is learnt from; empty if none does."""
    from napari_mouse_seg.pipeline import check_overlap

    roles = ([patch for patch in painted if patch.role == role] for role in ("train", "validate"))
    try:
        check_overlap(*roles)
    except TrainingError as error:
        return str(error)
    return ""
