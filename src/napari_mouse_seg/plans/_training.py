"""How a network is trained."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from napari_mouse_seg.plans._base import Plan


class AugmentationPlan(Plan):
    """Random changes of each training patch; intensities act on the stretched image (0 to about 1)."""

    min_scale: float = Field(0.75, gt=0.1, le=1, title="Smallest zoom", description="Objects shrink to this.")
    max_scale: float = Field(1.4, ge=1, lt=8, title="Largest zoom", description="Objects grow to this.")
    scale_probability: float = Field(0.5, ge=0, le=1, title="Zoom probability", description="Share of patches zoomed.")
    gain_log2: float = Field(
        1.0, ge=0, le=4, title="Gain (octaves)", description="Brightness is changed by up to this."
    )
    gamma_log2: float = Field(0.5, ge=0, le=3, title="Gamma (octaves)", description="Gamma is changed by up to this.")
    gradient_log2: float = Field(
        0.5, ge=0, le=3, title="Illumination (octaves)", description="Brightness falls by up to this across a patch."
    )
    max_offset: float = Field(0.05, ge=0, le=1, title="Offset", description="Background is raised or lowered.")
    max_noise: float = Field(0.04, ge=0, le=1, title="Noise", description="Largest standard deviation added.")
    stain_log2: float = Field(
        0.3, ge=0, le=2, title="Stain (octaves)", description="Each colour channel is changed by up to this; RGB only."
    )
    invert_probability: float = Field(
        0.0,
        ge=0,
        le=1,
        title="Inversion probability",
        description="Share of patches with dark and bright exchanged.",
    )
    max_blur_px: float = Field(1.2, ge=0, le=10, title="Blur (px)", description="Largest Gaussian sigma.")


class TrainingPlan(Plan):
    """Length, step size and weights of a training run."""

    patch_px: int = Field(256, ge=64, le=2048, multiple_of=32, title="Patch (px)", description="Side of a patch.")
    batch_size: int = Field(8, ge=1, le=256, title="Batch size", description="Patches per step.")
    steps: int = Field(4000, ge=1, title="Steps", description="Optimiser steps in all.")
    learning_rate: float = Field(2e-3, gt=0, lt=1, title="Learning rate", description="Peak, after warm-up.")
    warmup_steps: int = Field(100, ge=0, title="Warm-up steps", description="Linear rise of the learning rate.")
    weight_decay: float = Field(1e-4, ge=0, lt=1, title="Weight decay", description="Of AdamW.")
    average_decay: float = Field(
        0.998, ge=0, lt=1, title="Weight averaging", description="Decay of the exponential moving average that is kept."
    )
    boundary_weight: float = Field(
        4.0, ge=1, le=100, title="Boundary weight", description="Weight of touching pixels, which are rare."
    )
    boundary_focus: float = Field(
        0.0,
        ge=0,
        le=5,
        title="Boundary focus",
        description="Focal exponent: pixels that are right already count less in the cross-entropy; 0 is none.",
    )
    boundary_overlap: Literal["none", "dice", "tversky"] = Field(
        "dice",
        title="Boundary overlap",
        description="What is added for the touching class as a whole; tversky minds misses more than extras.",
    )
    small_object_weight: float = Field(
        3.0, ge=1, le=20, title="Small-object weight", description="Largest weight of pixels of small objects."
    )
    near_weight: float = Field(
        0.0,
        ge=0,
        le=12,
        title="Weight between near objects",
        description="Added where two objects touch or nearly so, as in U-Net; 0 is none.",
    )
    near_sigma_px: float = Field(
        3.0, gt=0, le=50, title="Nearness (px)", description="How quickly that weight falls as the gap widens."
    )
    seed: int = Field(0, ge=0, title="Seed", description="The same seed draws the same patches.")
    augmentation: AugmentationPlan = AugmentationPlan()
