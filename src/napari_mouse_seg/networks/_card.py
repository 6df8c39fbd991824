"""What a model file says of itself."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from napari_mouse_seg.plans import (
    AreaTargets,
    ClassPlan,
    DistanceTargets,
    InstancesPlan,
    IntensityPlan,
    Plan,
    TargetsPlan,
)


class _NetworkPlan(Plan):
    """What every network has: where the image comes in and the scores go out."""

    in_channels: Literal[1, 3] = Field(1, title="Input channels", description="1 is grey, 3 is RGB.")
    outputs: tuple[str, ...] = Field(
        DistanceTargets().outputs, min_length=2, title="Outputs", description="Names of the score channels."
    )


class CompactPlan(_NetworkPlan):
    """A small U-Net that is fast without a GPU; see ``networks/_compact.py``."""

    family: Literal["compact"] = "compact"
    widths: tuple[int, ...] = Field(
        (24, 32, 64, 128),
        min_length=2,
        max_length=5,  # Crops and patches have sides that are multiples of 32.
        title="Widths",
        description="Channels at half resolution, a quarter, and so on.",
    )
    encoder_blocks: tuple[int, ...] = Field(
        (1, 2, 3, 4), title="Encoder blocks", description="Convolutions at each resolution on the way down."
    )
    decoder_blocks: tuple[int, ...] = Field(
        (1, 2, 1), title="Decoder blocks", description="Convolutions at each resolution on the way up."
    )

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if len(self.encoder_blocks) != len(self.widths) or len(self.decoder_blocks) != len(self.widths) - 1:
            raise ValueError("encoder_blocks must be as many as widths, and decoder_blocks one fewer")
        return self


class ArchitecturePlan(_NetworkPlan):
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


class ClassicalPlan(_NetworkPlan):
    """No network at all: a threshold and distances, in the shape of one; see ``networks/_classical.py``."""

    family: Literal["classical"] = "classical"
    in_channels: Literal[1] = Field(1, title="Input channels", description="1 is grey.")
    smoothing_px: float = Field(
        1.0, gt=0, le=10, title="Smoothing (px)", description="Sigma of the Gaussian over intensities and distances."
    )
    distance_px: int = Field(
        24, ge=4, le=200, title="Farthest distance (px)", description="Distances to the background end here."
    )


NetworkPlan = Annotated[ArchitecturePlan | CompactPlan | ClassicalPlan, Field(discriminator="family")]


class ModelCard(Plan):
    """Everything needed to run a model as it was meant, and to judge whether it fits an image."""

    format_version: Literal[1] = 1
    name: str = Field(min_length=1, title="Name", description="Short name, used on the command line.")
    summary: str = Field(title="Summary", description="One line: what it finds, in which images.")
    architecture: NetworkPlan = ArchitecturePlan()
    intensity: IntensityPlan = IntensityPlan()
    targets: TargetsPlan = DistanceTargets()
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

    @property
    def makes_areas(self) -> bool:
        """Whether its results are areas of classes, not objects."""
        return isinstance(self.targets, AreaTargets)

    @property
    def classes(self) -> tuple[ClassPlan, ...]:
        """What the labels of its results mean, if they are areas; empty for objects."""
        return self.targets.classes if isinstance(self.targets, AreaTargets) else ()

    @property
    def is_trainable(self) -> bool:
        """Whether there is anything to train in it."""
        return not isinstance(self.architecture, ClassicalPlan)

    @model_validator(mode="after")
    def _check_outputs(self) -> Self:
        if self.architecture.outputs != self.targets.outputs:
            raise ValueError(
                f"the network puts out {', '.join(self.architecture.outputs)}, "
                f"but the targets are {', '.join(self.targets.outputs)}"
            )
        return self
