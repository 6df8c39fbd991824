"""What a network is taught to put out, and so what can be made of its scores."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from napari_mouse_seg.plans._base import Plan


class ClassPlan(Plan):
    """A kind of area that the user paints."""

    label: int = Field(ge=1, le=255, title="Label", description="Value of its pixels in the paint and in results.")
    name: str = Field(min_length=1, title="Name", description="Shown in the viewer and in results.")
    colour: str = Field(pattern="^#[0-9a-fA-F]{6}$", title="Colour", description="As #rrggbb.")


class DistanceTargets(Plan):
    """Objects by three independent maps: foreground, touching boundary, distance to the object's own edge."""

    kind: Literal["distance"] = "distance"
    boundary_half_width_px: int = Field(
        2, ge=1, le=8, title="Boundary half-width (px)", description="Reach of the touching-boundary target."
    )

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the score channels."""
        return "foreground", "boundary", "distance"

    @property
    def activation(self) -> Literal["sigmoid", "softmax"]:
        """What turns logits into scores."""
        return "sigmoid"


class BoundaryTargets(Plan):
    """Objects by three classes that exclude each other: background, inside of objects, touching boundary."""

    kind: Literal["boundary"] = "boundary"
    boundary_half_width_px: int = Field(
        2,
        ge=1,
        le=8,
        title="Boundary half-width (px)",
        description="Reach of the touching boundary into each of two objects that meet; less where they are small.",
    )

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the score channels."""
        return "background", "interior", "boundary"

    @property
    def activation(self) -> Literal["sigmoid", "softmax"]:
        """What turns logits into scores."""
        return "softmax"


class AreaTargets(Plan):
    """Areas of classes: every pixel belongs to exactly one."""

    kind: Literal["areas"] = "areas"
    classes: tuple[ClassPlan, ...] = Field(min_length=2, title="Classes", description="In the order of the outputs.")

    @model_validator(mode="after")
    def _check_distinct(self) -> Self:
        for values in ([entry.label for entry in self.classes], [entry.name for entry in self.classes]):
            if len(set(values)) != len(values):
                raise ValueError("two classes share a label or a name")
        return self

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the score channels: those of the classes."""
        return tuple(entry.name for entry in self.classes)

    @property
    def activation(self) -> Literal["sigmoid", "softmax"]:
        """What turns logits into scores."""
        return "softmax"


ObjectTargets = DistanceTargets | BoundaryTargets
TargetsPlan = Annotated[DistanceTargets | BoundaryTargets | AreaTargets, Field(discriminator="kind")]
