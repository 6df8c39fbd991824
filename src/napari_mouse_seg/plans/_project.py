"""What an annotation project holds: the image, painted patches, classes, rounds of training and settings."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from napari_mouse_seg.plans._base import Plan
from napari_mouse_seg.plans._intensity import IntensityPlan
from napari_mouse_seg.plans._paint import PaintPlan
from napari_mouse_seg.plans._targets import ClassPlan


class ImageReference(Plan):
    """Which plane of which image is annotated."""

    path: str = Field("", title="File", description="Absolute path when the project was last open; empty if none.")
    relative: str = Field("", title="Relative path", description="The same, as seen from the project's folder.")
    name: str = Field("", title="Name", description="Of the layer or file.")
    fingerprint: str = Field("", title="Fingerprint", description="Of the file, to know it again after a move.")
    shape: tuple[int, int] = Field(title="Size", description="Rows and columns of level 0.")
    channel: int = Field(0, ge=0, title="Channel", description="Index of the channel.")
    file_channel: int | None = Field(
        None,
        ge=0,
        title="Channel of the file",
        description="Index, where each channel of the file is a layer of its own; None if that is not known.",
    )
    series: int | None = Field(
        None, ge=0, title="Series", description="Which image of a file that holds several; None if that is not known."
    )
    plane_t: int = Field(0, ge=0, title="Time point", description="Index along T.")
    plane_z: int = Field(0, ge=0, title="Plane", description="Index along Z.")


class PatchPlan(Plan):
    """One painted patch."""

    id: str = Field(pattern="^[a-z0-9-]+$", title="Id", description="Unique in the project; names its files.")
    name: str = Field("", title="Name", description="For people.")
    box: tuple[int, int, int, int] = Field(
        title="Place", description="First row, first column, one past the last row and column; network pixels."
    )
    included: bool = Field(True, title="Included", description="Whether training uses it.")
    role: Literal["train", "validate"] = Field(
        "train", title="Used for", description="Training, or only to measure how good the model is."
    )
    meaning: PaintPlan = PaintPlan()

    @model_validator(mode="after")
    def _check_box(self) -> Self:
        y0, x0, y1, x1 = self.box
        if not (0 <= y0 < y1 and 0 <= x0 < x1):
            raise ValueError("the place is empty or outside of the image")
        return self


class RoundPlan(Plan):
    """One finished round of training; its model lies in the project's folder."""

    number: int = Field(ge=1, title="Round", description="Counts up; never used twice.")
    name: str = Field(min_length=1, title="Name", description="Of the model, as shown in Segment.")
    base: str = Field(title="Started from", description="Name of the model that it was trained from.")
    created: str = Field("", title="Finished", description="ISO 8601, local time with offset.")
    steps: int = Field(0, ge=0, title="Steps", description="Optimiser steps.")
    best_step: int = Field(0, ge=0, title="Best step", description="Step whose weights were kept.")
    seconds: float = Field(0, ge=0, title="Seconds", description="How long the training took.")
    score: float | None = Field(None, title="Validation score", description="0 to 1; None without validation.")
    score_name: str = Field("", title="Measure", description="What the validation score measures, in words.")
    learnt_share: float = Field(
        1.0, ge=0, le=1, title="Share of what is learnt", description="Of the weights; the rest is the base model's."
    )
    patches: tuple[str, ...] = Field((), title="Patches", description="Ids of those trained on.")
    learnt_before: tuple[str, ...] = Field(
        (), title="Patches learnt before", description="Ids of those that the rounds it goes on from were trained on."
    )

    curve: tuple[tuple[int, float, float | None], ...] = Field(
        (), title="Curve", description="Step, loss and validation score."
    )

    @property
    def learnt(self) -> frozenset[str]:
        """Ids of all patches that its weights have learnt from."""
        return frozenset(self.patches) | frozenset(self.learnt_before)


class RetrainPlan(Plan):
    """How a model is fine-tuned on painted patches."""

    minutes: float = Field(4.0, gt=0, le=600, title="Minutes", description="About how long training may take.")
    steps: int | None = Field(
        None, ge=1, title="Steps", description="Ends after so many steps instead, the same on every machine."
    )
    start_from: Literal["base", "last"] = Field(
        "base",
        title="Start from",
        description=(
            "base: each round learns all patches anew from the base model and forgets nothing of them; "
            "last: goes on from the last round, quicker, but it drifts further from the base. All patches are "
            "used in both cases."
        ),
    )
    rehearse: bool = Field(
        False,
        title="Keep what the base model can do",
        description="Mixes in samples of the base model's own training images, so that it does not forget them.",
    )
    learnt_share: float | None = Field(
        None,
        gt=0,
        le=1,
        title="Share of what is learnt",
        description=(
            "The model lies between the base model and what the patches made of it; 1 keeps only the latter. Left "
            "open, it goes the further the more objects are painted and the worse the base model finds them."
        ),
    )
    scheme: Literal["base", "distance", "boundary"] = Field(
        "base",
        title="Objects learnt by",
        description=(
            "base: as the base model does it, a new network by distance; distance: foreground, touching boundary and "
            "distance to the object's edge; boundary: background, interior and touching boundary, which exclude each "
            "other. Another scheme than the base model's has outputs that it must learn anew."
        ),
    )
    boundary_half_width_px: int | None = Field(
        None,
        ge=1,
        le=8,
        title="Boundary half-width (px)",
        description=(
            "Reach of the touching boundary into each of two objects that meet; not set: the base model's, of a new "
            "scheme 2."
        ),
    )
    learning_rate: float = Field(1e-3, gt=0, lt=1, title="Learning rate", description="Peak, after warm-up.")
    batch_size: int = Field(4, ge=1, le=64, title="Batch size", description="Crops per step.")
    crop_px: int = Field(256, ge=64, le=1024, multiple_of=32, title="Crop (px)", description="Side of a crop.")
    device: Literal["auto", "cuda", "mps", "cpu"] = Field("auto", title="Device", description="Where training runs.")
    threads: int = Field(
        0,
        ge=0,
        le=256,
        title="Threads",
        description="On the CPU; 0 takes all, in napari all but one.",
    )
    seed: int = Field(0, ge=0, title="Seed", description="The same seed draws the same crops.")


class ProjectPlan(Plan):
    """Everything of a project but pixels and weights."""

    format_version: Literal[1] = 1
    kind: Literal["objects", "areas"] = Field(
        "objects", title="Paint", description="Single objects, or areas of classes."
    )
    classes: tuple[ClassPlan, ...] = Field((), title="Classes", description="Of areas; empty for objects.")
    retired_labels: tuple[int, ...] = Field(
        (), title="Retired labels", description="Of classes that are gone, but by which models of earlier rounds go."
    )
    image: ImageReference
    network_shape: tuple[int, int] = Field(
        title="Grid", description="Rows and columns of the whole image at the resolution that is painted and learnt."
    )
    limits: tuple[float, float] = Field(
        title="Intensity range",
        description="Raw values of the whole image that a network of one channel sees as 0 and 1.",
    )
    colour_limits: tuple[float, float] | None = Field(
        None,
        title="Intensity range of colours",
        description="Those that a network of three channels sees so; None if the image has one.",
    )
    intensity: IntensityPlan = IntensityPlan()
    pixel_size_um: float | None = Field(
        None, gt=0, title="Pixel size (µm)", description="Of the grid; None when unknown."
    )
    base: str = Field("nuclei-fluorescence", title="Base model", description="Name, or file, of a model.")
    patches: tuple[PatchPlan, ...] = ()
    rounds: tuple[RoundPlan, ...] = ()
    retrain: RetrainPlan = RetrainPlan()

    def limits_of(self, channels: int) -> tuple[float, float]:
        """Return the raw values that a network of so many channels sees as 0 and 1."""
        return self.limits if channels == 1 or self.colour_limits is None else self.colour_limits

    @model_validator(mode="after")
    def _check_ids(self) -> Self:
        ids = [patch.id for patch in self.patches]
        numbers = [entry.number for entry in self.rounds]
        if len(set(ids)) != len(ids) or len(set(numbers)) != len(numbers):
            raise ValueError("two patches or two rounds share an id")
        return self
