"""Model cards, model files and the networks they describe; cards are read without torch."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from napari_mouse_seg.networks._card import ArchitecturePlan, ModelCard
    from napari_mouse_seg.networks._catalogue import DEFAULT_MODEL, find_model, list_models
    from napari_mouse_seg.networks._device import Device, resolve_device
    from napari_mouse_seg.networks._model_file import Model, load_model, save_model
    from napari_mouse_seg.networks._network import (
        build_network,
        fold_batch_norms,
        has_global_pooling,
        measure_receptive_field,
    )

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_card": ["ArchitecturePlan", "ModelCard"],
        "_catalogue": ["DEFAULT_MODEL", "find_model", "list_models"],
        "_device": ["Device", "resolve_device"],
        "_model_file": ["Model", "load_model", "save_model"],
        "_network": ["build_network", "fold_batch_norms", "has_global_pooling", "measure_receptive_field"],
    },
)

__all__ = [
    "DEFAULT_MODEL",
    "ArchitecturePlan",
    "Device",
    "Model",
    "ModelCard",
    "build_network",
    "find_model",
    "fold_batch_norms",
    "has_global_pooling",
    "list_models",
    "load_model",
    "measure_receptive_field",
    "resolve_device",
    "save_model",
]
