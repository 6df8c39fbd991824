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
        False, title="The rest is background", description="Whether what is not painted is background, not unknown."
    )
    whole_objects: bool = Field(
        True,
        title="Objects are painted whole",
        description="Whether each painted object ends where its paint ends; switch off for strokes inside of objects.",
    )

    @property
    def sentence(self) -> str:
        """What the paint means, for people."""
        objects = "Objects end where their paint ends" if self.whole_objects else "Strokes lie somewhere inside objects"
        rest = "everything else is background" if self.rest_is_background else "what is not painted is left out"
        return f"{objects}; {rest}."
