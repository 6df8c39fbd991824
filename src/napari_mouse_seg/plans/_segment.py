"""What to segment, and how to run the network."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from napari_mouse_seg.plans._base import Plan
from napari_mouse_seg.plans._instances import InstancesPlan

DeviceName = Literal["auto", "cuda", "mps", "cpu"]


class SegmentPlan(Plan):
    """Everything a segmentation depends on besides the image and the model."""

    channel: int = Field(0, ge=0, title="Channel", description="Index of the channel to segment.")
    plane_t: int = Field(0, ge=0, title="Time point", description="Index along T.")
    plane_z: int = Field(0, ge=0, title="Plane", description="Index along Z.")
    scale: float | None = Field(
        None,
        gt=0.01,
        lt=100,
        title="Scale",
        description="Network pixels per image pixel; not set: from the object diameter, or the pixel sizes, or 1.",
    )
    object_diameter_px: float | None = Field(
        None,
        gt=1,
        lt=10_000,
        title="Object diameter (px)",
        description="Of a typical object, in image pixels; the image is brought to the size that the model knows.",
    )
    polarity: Literal["model", "bright", "dark"] = Field(
        "model",
        title="Objects are",
        description="Brighter or darker than the background; model: as in the images that it was trained on.",
    )
    device: DeviceName = Field("auto", title="Device", description="Where the network runs; auto takes the fastest.")
    core_px: int = Field(
        256,
        ge=64,
        le=8192,
        multiple_of=32,
        title="Tile (px)",
        description="Side of the part of a tile that is kept; the halo is read around it.",
    )
    halo_px: int | None = Field(
        None,
        ge=0,
        le=4096,
        multiple_of=8,
        title="Halo (px)",
        description="Context around a tile; not set: as the model.",
    )
    batch_size: int = Field(
        0, ge=0, le=256, title="Batch size", description="Tiles per network pass; 0 chooses for the device."
    )
    flips: bool = Field(
        False,
        title="Average over flips",
        description="Look at every tile turned and mirrored in eight ways: a little more exact, eight times as long.",
    )
    instances: InstancesPlan | None = Field(
        None, title="Instances", description="Watershed thresholds; not set: the model's."
    )
