"""What a model file says of itself."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from napari_mouse_seg.plans import InstancesPlan, IntensityPlan, Plan


class ArchitecturePlan(Plan):
    """Which segmentation-models-pytorch network to build."""

    family: Literal["unet", "unetplusplus", "deeplabv3plus", "fpn", "linknet"] = Field(
        "unet", title="Architecture", description="Decoder family of segmentation-models-pytorch."
    )
    encoder: str = Field(
        "tu-tf_efficientnet_lite0", title="Encoder", description="Encoder name of segmentation-models-pytorch."
    )
    encoder_depth: int = Field(5, ge=3, le=5, title="Encoder depth", description="Number of halvings.")
    decoder_channels: tuple[int, ...] = Field(
        (96, 48, 32, 16, 8), title="Decoder channels", description="From the coarsest to the finest block."
    )
    in_channels: Literal[1, 3] = Field(1, title="Input channels", description="1 is grey, 3 is RGB.")
    outputs: tuple[Literal["foreground"], Literal["boundary"], Literal["distance"]] = Field(
        ("foreground", "boundary", "distance"), title="Outputs", description="Names of the score channels."
    )


class ModelCard(Plan):
    """Everything needed to run a model as it was meant, and to judge whether it fits an image."""

    format_version: Literal[1] = 1
    name: str = Field(min_length=1, title="Name", description="Short name, used on the command line.")
    summary: str = Field(title="Summary", description="One line: what it finds, in which images.")
    architecture: ArchitecturePlan = ArchitecturePlan()
    intensity: IntensityPlan = IntensityPlan()
    instances: InstancesPlan = InstancesPlan()
    modality: Literal["fluorescence", "histology", "brightfield", "electron", "any"] = Field(
        "any", title="Modality", description="What kind of images the model was trained on."
    )
    pixel_size_um: float | None = Field(
        None, gt=0, title="Pixel size (µm)", description="At which the network works; None when unknown."
    )
    object_diameter_px: float | None = Field(
        None, gt=0, title="Object diameter (px)", description="Median diameter of the objects it was trained on."
    )
    stride_px: int = Field(32, ge=1, title="Stride (px)", description="Tile origins and sizes are multiples of it.")
    receptive_field_px: int = Field(
        0, ge=0, title="Receptive field (px)", description="How far a pixel's score can depend on its surroundings."
    )
    halo_px: int = Field(
        16,
        ge=0,
        title="Halo (px)",
        description="Context read around each tile and its blended edge, thrown away after the network.",
    )
    global_pooling: bool = Field(
        False,
        title="Global pooling",
        description="If true, scores depend on the tile size whatever the halo; no promise can be made.",
    )
    training_data: tuple[str, ...] = Field((), title="Training data", description="Data sets, with their splits.")
    licence: str = Field("", title="Licence", description="Of the weights.")
    sources: tuple[str, ...] = Field((), title="Sources", description="Of data and initial weights, with licences.")
    scores: dict[str, Any] = Field(  # Any: nested tables of numbers, printed as they are
        default_factory=dict, title="Scores", description="Measured quality by data set."
    )
    known_failures: tuple[str, ...] = Field((), title="Known failures", description="Where not to trust it.")
