"""Labels → network targets; scores → instances."""

from napari_mouse_seg.instances._decode import Decoder, ReadScores, decode, decode_blocks, keep_inside
from napari_mouse_seg.instances._diameter import Discs, find_discs
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
    "Discs",
    "Instances",
    "ReadScores",
    "decode",
    "decode_blocks",
    "decode_scores",
    "decoder_maps",
    "encode",
    "encode_boundary",
    "encode_targets",
    "find_discs",
    "keep_inside",
    "normalised_distance",
    "touching_boundary",
]
