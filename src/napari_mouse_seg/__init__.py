"""Segment microscopy images into measured objects, in napari, on the command line and in Python.

Importing this package loads nothing else; each name below loads what it needs when it is first used.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from napari_mouse_seg._api import Segmentation, segment
    from napari_mouse_seg._version import __version__
    from napari_mouse_seg.errors import MouseSegError
    from napari_mouse_seg.images import MultiscaleImage, from_arrays, open_image, sample_path
    from napari_mouse_seg.metrics import instance_scores
    from napari_mouse_seg.networks import Model, find_model, list_models
    from napari_mouse_seg.pipeline import ScoreCache, resolve
    from napari_mouse_seg.plans import InstancesPlan, SegmentPlan
    from napari_mouse_seg.tiling import Box

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_api": ["Segmentation", "segment"],
        "_version": ["__version__"],
        "errors": ["MouseSegError"],
        "images": ["MultiscaleImage", "from_arrays", "open_image", "sample_path"],
        "metrics": ["instance_scores"],
        "networks": ["Model", "find_model", "list_models"],
        "pipeline": ["ScoreCache", "resolve"],
        "plans": ["InstancesPlan", "SegmentPlan"],
        "tiling": ["Box"],
    },
)

__all__ = [
    "Box",
    "InstancesPlan",
    "Model",
    "MouseSegError",
    "MultiscaleImage",
    "ScoreCache",
    "SegmentPlan",
    "Segmentation",
    "__version__",
    "find_model",
    "from_arrays",
    "instance_scores",
    "list_models",
    "open_image",
    "resolve",
    "sample_path",
    "segment",
]
