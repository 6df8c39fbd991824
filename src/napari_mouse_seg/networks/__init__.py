"""Model cards, model files and the networks they describe; cards are read without torch."""

import os
from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from napari_mouse_seg.networks._card import ArchitecturePlan, ClassicalPlan, CompactPlan, ModelCard
    from napari_mouse_seg.networks._catalogue import DEFAULT_MODEL, RGB_MODEL, find_model, list_models
    from napari_mouse_seg.networks._device import Device, forget_probes, memory_format, resolve_device
    from napari_mouse_seg.networks._fast import prepare_for_inference
    from napari_mouse_seg.networks._memory import free_memory, is_out_of_memory
    from napari_mouse_seg.networks._model_file import Model, load_model, save_model
    from napari_mouse_seg.networks._network import (
        build_network,
        has_global_pooling,
        measure_receptive_field,
        with_measured_reach,
    )
    from napari_mouse_seg.networks._transfer import start_from

# Large pages for torch's arrays on Linux: a run on the CPU otherwise spends much of its time on page faults. Set here,
# before anything of this package imports torch, because torch reads it at its first allocation.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

# What Apple's GPUs cannot do is done on the processor; read when torch is loaded.
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_card": ["ArchitecturePlan", "ClassicalPlan", "CompactPlan", "ModelCard"],
        "_catalogue": ["DEFAULT_MODEL", "RGB_MODEL", "find_model", "list_models"],
        "_device": ["Device", "forget_probes", "memory_format", "resolve_device"],
        "_fast": ["prepare_for_inference"],
        "_memory": ["free_memory", "is_out_of_memory"],
        "_model_file": ["Model", "load_model", "save_model"],
        "_network": ["build_network", "has_global_pooling", "measure_receptive_field", "with_measured_reach"],
        "_transfer": ["start_from"],
    },
)

__all__ = [
    "DEFAULT_MODEL",
    "RGB_MODEL",
    "ArchitecturePlan",
    "ClassicalPlan",
    "CompactPlan",
    "Device",
    "Model",
    "ModelCard",
    "build_network",
    "find_model",
    "forget_probes",
    "free_memory",
    "has_global_pooling",
    "is_out_of_memory",
    "list_models",
    "load_model",
    "measure_receptive_field",
    "memory_format",
    "prepare_for_inference",
    "resolve_device",
    "save_model",
    "start_from",
    "with_measured_reach",
]
