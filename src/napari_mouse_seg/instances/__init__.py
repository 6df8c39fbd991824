"""Labels → network targets; scores → instances."""

from napari_mouse_seg.instances._decode import Decoder, ReadScores, decode, decode_blocks, keep_inside
from napari_mouse_seg.instances._diameter import estimate_diameter
from napari_mouse_seg.instances._schemes import decode_scores, decoder_maps, encode
from napari_mouse_seg.instances._stitch import Instances
from napari_mouse_seg.instances._targets import (
    TARGET_NAMES,
    encode_boundary,
    encode_targets,
    normalised_distance,
    touching_boundary,
)

__all__ = [
    "TARGET_NAMES",
    "Decoder",
    "Instances",
    "ReadScores",
    "decode",
    "decode_blocks",
    "decode_scores",
    "decoder_maps",
    "encode",
    "encode_boundary",
    "encode_targets",
    "estimate_diameter",
    "keep_inside",
    "normalised_distance",
    "touching_boundary",
]
