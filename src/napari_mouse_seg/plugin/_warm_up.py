"""Loads torch and probes the device while the user still looks at the panel, beside the main thread."""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_mouse_seg.events import Event

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from napari_mouse_seg.networks import Device, Model
    from napari_mouse_seg.plans import DeviceName

_RTLD_NOW = 2
_TILE_PX = 64


@dataclass(frozen=True, slots=True)
class DeviceFound(Event):
    """The device that a run would use, for people."""

    label: str


def warm_up(device: DeviceName, model: Model | None) -> Generator[Event, None, None]:
    """Load what the first run needs, and say where it would run.

    Parameters
    ----------
    device
        As chosen.
    model
        Its network is loaded and run once on a small tile; None loads the libraries only.

    Raises
    ------
    DeviceError
        If the device asked for does not work.
    """
    keep_triton_out()
    with _without_garbage_collection():
        _load_torch_libraries()
        from napari_mouse_seg.networks import resolve_device

        found = resolve_device(device)
        yield DeviceFound(found.label)
        _prepare_labels()
        import napari_mouse_seg.export  # noqa: F401 (saving a result begins on the main thread)

        if model is not None:
            _run_once(model, found)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Put collections off while modules are loaded.

    A million new objects bring on several searches through all there are, each of which stops the viewer for a
    fifth of a second and finds nothing. In the end the new objects join the oldest, unsearched: freezing and
    unfreezing moves whole lists. Where torch is there already, little is loaded.
    """
    if "torch" in sys.modules:
        yield
        return
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()
        if was_enabled:
            gc.enable()


def _run_once(model: Model, device: Device) -> None:
    """Run network and decoder on one small empty tile: kernels are compiled and memory is laid out."""
    from napari_mouse_seg.inference import load_runner
    from napari_mouse_seg.instances import decode

    card = model.card
    side = max(_TILE_PX // card.stride_px, 1) * card.stride_px
    load_runner(model, device).run(np.zeros((1, card.architecture.in_channels, side, side), np.float32))
    decode(np.zeros((len(card.architecture.outputs), side, side), np.uint16), card.instances)


def _prepare_labels() -> None:
    """Let napari load what it needs for its first labels: pandas, compiled colours, patterns of dashed lines.

    Else that takes a second, most of it when the first result is there.
    """
    from napari.layers import Labels

    Labels(np.zeros((2, 2), np.uint32))
    with suppress(ImportError):  # Where it lies is vispy's own business.
        from vispy.visuals.line.dash_atlas import DashAtlas

        DashAtlas()  # It keeps what it works out.


def keep_triton_out() -> None:
    """Keep torch from loading triton in a process that has drawn with Mesa.

    Mesa brings its own LLVM, triton another; loading triton after Mesa ends the process with a segmentation
    fault. Nothing here needs triton: torch does without it when it is not installed.
    """
    if "triton" not in sys.modules and _has_mesa_llvm():
        sys.modules["triton"] = None  # type: ignore[assignment]  # Python's own way to say "not importable"


def _has_mesa_llvm() -> bool:
    maps = Path("/proc/self/maps")
    return maps.exists() and "libLLVM" in maps.read_text()


def _load_torch_libraries() -> None:
    """Let the dynamic linker read torch's libraries without the interpreter's lock.

    An import holds the lock while it links, up to half a second in all, in which the viewer stands still; a call
    through ctypes gives the lock up. What is missing here the import does itself.
    """
    if not sys.platform.startswith("linux") or "torch" in sys.modules:
        return
    spec = importlib.util.find_spec("torch")
    linker = ctypes.CDLL(None)
    if spec is None or spec.origin is None or not hasattr(linker, "dlopen"):
        return
    linker.dlopen.restype = ctypes.c_void_p
    own = Path(spec.origin).parent / "lib"
    # cuBLASLt before all that needs it, as torch does, lest cuBLAS take one of the system's.
    cublas = sorted((own.parents[1] / "nvidia").glob("*/lib/libcublasLt.so.*[0-9]"))
    for path in (own / "libc10.so", own / "libtorch_cpu.so", *cublas, own / "libtorch_python.so"):
        if path.exists():
            linker.dlopen(str(path).encode(), _RTLD_NOW)
