"""Labels → network targets; scores → instances."""

from napari_mouse_seg.instances._decode import Decoder, decode, decode_blocks, keep_inside
from napari_mouse_seg.instances._diameter import estimate_diameter
from napari_mouse_seg.instances._stitch import Instances
from napari_mouse_seg.instances._targets import TARGET_NAMES, encode_targets, normalised_distance, touching_boundary

__all__ = [
    "TARGET_NAMES",
    "Decoder",
    "Instances",
    "decode",
    "decode_blocks",
    "encode_targets",
    "estimate_diameter",
    "keep_inside",
    "normalised_distance",
    "touching_boundary",
]
