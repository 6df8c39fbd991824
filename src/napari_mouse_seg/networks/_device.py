"""Which device the network runs on, found out by running something on it once."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import torch

from napari_mouse_seg.errors import DeviceError

if TYPE_CHECKING:
    from napari_mouse_seg.plans import DeviceName

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Device:
    """A device that works, and how to use it.

    Attributes
    ----------
    name
        Torch device string: ``cuda``, ``mps`` or ``cpu``.
    half_dtype
        Autocast dtype that is faster than float32 there, or None.
    batch_px
        Network input pixels that fill the device in one pass.
    label
        For people, for instance ``"CPU (2 threads)"``.
    """

    name: str
    half_dtype: torch.dtype | None
    batch_px: int
    label: str


def resolve_device(name: DeviceName) -> Device:
    """Return the device to use.

    Parameters
    ----------
    name
        ``auto`` takes the first of cuda, mps and cpu that passes a small convolution.

    Raises
    ------
    DeviceError
        If the device asked for is missing or fails the convolution.
    """
    if name == "auto":
        return next(device for device in map(_probe_quietly, ("cuda", "mps", "cpu")) if device is not None)
    return _probe(name)


def _probe_quietly(name: str) -> Device | None:
    try:
        return _probe(name)
    except DeviceError as error:
        logger.info("%s", error)
        return None


@cache
def _probe(name: str) -> Device:
    """Run a small convolution once a process; the outcome is kept."""
    missing = {"cuda": not torch.cuda.is_available(), "mps": not torch.backends.mps.is_available()}
    if missing.get(name):
        raise DeviceError(f"There is no {name} device on this machine; choose auto or cpu.")
    try:
        layer = torch.nn.Conv2d(1, 1, 3).to(name)
        with torch.inference_mode():
            total = float(layer(torch.ones(1, 1, 8, 8, device=name)).sum())
    except RuntimeError as error:
        raise DeviceError(f"The device {name} fails a small convolution ({error}); choose cpu.") from error
    if total != total:  # NaN
        raise DeviceError(f"The device {name} computes NaN for a small convolution; choose cpu.")
    if name == "cuda":
        index = torch.cuda.current_device()
        gpu_half = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        return Device(name, gpu_half, 16 * 1024**2, f"GPU ({torch.cuda.get_device_name(index)})")
    if name == "mps":
        # Half precision gives wrong sums in some MPS kernels.
        return Device(name, None, 4 * 1024**2, "GPU (Apple)")
    able = torch.cpu.get_capabilities()
    native = able.get("avx512_bf16") or able.get("amx_bf16")
    half = torch.bfloat16 if native else None
    return Device(name, half, 1024**2 // 2, f"CPU ({torch.get_num_threads()} threads)")
