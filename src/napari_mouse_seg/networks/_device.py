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

_BYTES_A_PX = 1000
"""More than a pass takes in memory for each input pixel, with the networks that are usual here."""

_PROBE_TOLERANCE = 0.05
_VOLTA, _AMPERE = 7, 8  # Compute capabilities: float16, and bfloat16 too, have units of their own.


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
        label = f"GPU ({torch.cuda.get_device_name(index)})"
        return Device(name, _cuda_half(index), _fitting(16 * 1024**2, torch.cuda.mem_get_info(index)[0]), label)
    if name == "mps":
        # Half precision gives wrong sums in some MPS kernels.
        return Device(name, None, _fitting(4 * 1024**2, torch.mps.recommended_max_memory()), "GPU (Apple)")
    able = torch.cpu.get_capabilities()
    native = able.get("avx512_bf16") or able.get("amx_bf16")
    half = torch.bfloat16 if native else None
    return Device(name, half, 1024**2 // 2, f"CPU ({torch.get_num_threads()} threads)")


def memory_format(device: str) -> torch.memory_format:
    """Return how images lie in memory best: channels last, but on MPS, whose batch norms then fail or are wrong."""
    return torch.contiguous_format if device.startswith("mps") else torch.channels_last


def forget_probes() -> None:
    """Try devices again when they are next asked for, after one has failed."""
    _probe.cache_clear()


def _fitting(batch_px: int, free_bytes: int) -> int:
    """Return so many input pixels a pass, or as many as fit: Windows gives normal memory where a GPU has none left."""
    return max(1, min(batch_px, free_bytes // _BYTES_A_PX))


def _cuda_half(index: int) -> torch.dtype | None:
    """Return the half precision that a GPU has units for, if it computes in it.

    What torch says of bfloat16 counts its emulation, which leaves the fast convolutions.
    """
    major, _ = torch.cuda.get_device_capability(index)
    half = torch.bfloat16 if major >= _AMPERE else torch.float16 if major >= _VOLTA else None
    return half if half is not None and _computes("cuda", half) else None


def _computes(name: str, half: torch.dtype) -> bool:
    """Return whether a convolution in half precision gives what it gives in full; some cards give NaN."""
    layer = torch.nn.Conv2d(16, 16, 3, padding=1)
    with torch.random.fork_rng(devices=()), torch.inference_mode():
        torch.manual_seed(0)
        images = torch.rand(2, 16, 64, 64)
        expected = layer(images)
        layer, images = layer.to(name), images.to(name, memory_format=torch.channels_last)
        try:
            with torch.autocast(name, half):
                found = layer(images).float().cpu()
        except RuntimeError as error:
            logger.info("No %s on %s: %s", half, name, error)
            return False
    return bool((found - expected).abs().max() <= _PROBE_TOLERANCE * expected.abs().max())
