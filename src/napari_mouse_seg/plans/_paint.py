"""What a painted patch means."""

from __future__ import annotations

from pydantic import Field

from napari_mouse_seg.plans._base import Plan

NOT_PAINTED = 0
"""Label of pixels that nothing is known of."""

BACKGROUND_LABEL = 1
"""Label of painted background; higher labels are objects."""


class PaintPlan(Plan):
    """How the labels of a painted patch are read."""

    rest_is_background: bool = Field(
        False,
        title="The rest is background",
        description="Whether all objects are painted, so that the rest is background and not unknown; "
        "with strokes, whether every object has one.",
    )
    whole_objects: bool = Field(
        True,
        title="Objects are painted whole",
        description="Whether each painted object ends where its paint ends; switch off for strokes inside of objects.",
    )

    ends_at_edges: bool = Field(
        False,
        title="Strokes end at the edges",
        description="Whether each stroke goes across an object, from edge to edge; background is then painted beyond "
        "both of its ends. Choose a direction in which both ends lie on background.",
    )

    @property
    def sentence(self) -> str:
        """What the paint means, for people."""
        if self.whole_objects:
            rest = "everything else is background" if self.rest_is_background else "what is not painted is left out"
            return f"Objects end where their paint ends; {rest}."
        if self.rest_is_background:
            where = "across it, from edge to edge" if self.ends_at_edges else "somewhere inside"
            return f"Every object has a stroke {where}; what has none is background."
        where = "across objects, from edge to edge" if self.ends_at_edges else "somewhere inside objects"
        return f"Strokes lie {where}; there may be more without a stroke."
