"""Model cards, model files and the networks they describe."""

from napari_mouse_seg.networks._card import ArchitecturePlan, ModelCard
from napari_mouse_seg.networks._model_file import Model, load_model, save_model
from napari_mouse_seg.networks._network import (
    build_network,
    fold_batch_norms,
    has_global_pooling,
    measure_receptive_field,
)

__all__ = [
    "ArchitecturePlan",
    "Model",
    "ModelCard",
    "build_network",
    "fold_batch_norms",
    "has_global_pooling",
    "load_model",
    "measure_receptive_field",
    "save_model",
]
