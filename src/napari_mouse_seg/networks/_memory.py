"""Knowing a lack of memory, which every backend tells in its own words."""

from __future__ import annotations

from contextlib import suppress

import torch

# CUDA and MPS; torch on the CPU; oneDNN; cuDNN and cuBLAS where no memory is left for their workspace, or for any plan
# of a convolution.
_SIGNS = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "could not create a memory",
    "cudnn_status_alloc_failed",
    "allocation_failed",
    "unable to find an engine",
    "cublas_status_alloc_failed",
    "cublas_status_not_initialized",
    "invalid buffer size",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that memory ran out; torch has a class for CUDA only, elsewhere the text is all."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    text = str(error).lower()
    return any(sign in text for sign in _SIGNS)


def free_memory(device: str) -> None:
    """Give a GPU's memory that nobody uses any more back to other processes; one that has failed has none to give."""
    with suppress(RuntimeError):
        if device == "cuda":
            torch.cuda.empty_cache()
        elif device == "mps":
            torch.mps.empty_cache()
