"""How raw intensities become network input."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from napari_mouse_seg.plans._base import Plan


class IntensityPlan(Plan):
    """Stretch by the whole image's statistics, then an optional compression of bright values.

    Per-tile statistics were rejected: they make a crop differ from the full image.
    """

    low_percentile: float = Field(
        1.0, ge=0, lt=100, title="Low percentile", description="Maps to 0; darker pixels are clipped."
    )
    high_percentile: float = Field(
        99.8, gt=0, le=100, title="High percentile", description="Maps to 1 before compression."
    )
    anchor: Literal["percentiles", "otsu"] = Field(
        "percentiles",
        title="Stretch by",
        description="percentiles maps the two to 0 and 1; otsu maps the background's percentile to 0 and Otsu's "
        "threshold of the image, after compression, to 0.5.",
    )
    asinh_gain: float = Field(
        0.0,
        ge=0,
        le=1000,
        title="Compression",
        description="y = asinh(gain x) / asinh(gain) keeps dim objects visible beside bright ones; 0 is linear.",
    )
    polarity: Literal["bright", "dark"] = Field(
        "bright", title="Objects are", description="Whether objects are brighter or darker than the background."
    )
    max_value: float = Field(
        4.0, gt=1, le=100, title="Upper clip", description="Stretched values above this are clipped."
    )

    @model_validator(mode="after")
    def _ordered(self) -> IntensityPlan:
        if self.low_percentile >= self.high_percentile:
            raise ValueError("the low percentile must be below the high percentile")
        return self
