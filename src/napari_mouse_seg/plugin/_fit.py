"""Whether what a model finds can be put into the paint of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_mouse_seg.networks import Model
    from napari_mouse_seg.plans import ProjectPlan

_NONE = "There is no model to prefill with yet; train a round first, or choose a base model that is trained."


def prefill_problem(plan: ProjectPlan, model: Model | None) -> str:
    """Return why a model cannot prefill the patches of a project, in words; empty if it can.

    A model of areas fits if the project has all of its classes: one that was added since is painted by hand.
    """
    if model is None:
        return _NONE
    card = model.card
    if plan.kind == "objects":
        return f"“{card.name}” finds areas, and this project paints objects; train a round first." * card.makes_areas
    if not card.makes_areas:
        return f"“{card.name}” finds objects, and this project paints areas; train a round first to prefill."
    known = {entry.label for entry in plan.classes}
    strange = [entry.name for entry in card.classes if entry.label not in known]
    if strange:
        return f"“{card.name}” finds {', '.join(strange)}, which is no class of this project; train a round first."
    return ""
