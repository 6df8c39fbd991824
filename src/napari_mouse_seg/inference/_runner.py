"""The network on its device: batches of tiles in, scores out."""

from __future__ import annotations

import threading
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import torch

from napari_mouse_seg.errors import DeviceError, ModelError, OutOfMemoryError
from napari_mouse_seg.networks import forget_probes, free_memory, is_out_of_memory, memory_format, prepare_for_inference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_mouse_seg.networks import Device, Model


_ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "sigmoid": torch.sigmoid,
    "softmax": partial(torch.softmax, dim=1),
}


class NetworkRunner:
    """A loaded network, made fast for inference.

    Parameters
    ----------
    model
        Card and weights.
    device
        Where to run; its half dtype is used through autocast.

    Raises
    ------
    OutOfMemoryError
        If the network itself does not fit on the device.
    DeviceError
        If a GPU fails otherwise.
    """

    def __init__(self, model: Model, device: Device) -> None:
        self.device = device
        self._name = model.card.name
        self._activate = _ACTIVATIONS[model.card.targets.activation]
        self._format = memory_format(device.name)
        network = prepare_for_inference(model.network(), model.card.architecture)
        with _using(device, f"The network does not fit in the memory of {device.label}."):
            self._network = network.to(device.name).to(memory_format=self._format)

    def run(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return scores from 0 to 1.

        Parameters
        ----------
        tiles
            (N, C, Y, X) float32; Y and X are multiples of the network's stride.

        Returns
        -------
        NDArray[np.float32]
            (N, outputs, Y, X).

        Raises
        ------
        ModelError
            If scores are no numbers on the CPU.
        OutOfMemoryError
            If the batch does not fit.
        DeviceError
            If a GPU fails otherwise.
        """
        half = self.device.half_dtype
        too_many = f"{len(tiles)} tiles of {max(tiles.shape[2:])} px do not fit in the memory of {self.device.label}."
        with (
            _using(self.device, too_many),
            torch.inference_mode(),
            torch.autocast(self.device.name, half, enabled=half is not None),
        ):
            batch = torch.from_numpy(tiles).to(self.device.name).contiguous(memory_format=self._format)
            scores: NDArray[np.float32] = self._activate(self._network(batch).float()).cpu().numpy()
            if not np.isfinite(scores).all():
                self._refuse()
            return scores

    def _refuse(self) -> NoReturn:
        """Tell of scores that are no numbers: on a GPU by its driver, on the CPU there is only the model to blame."""
        if self.device.name != "cpu":
            raise FloatingPointError("scores are no numbers")
        raise ModelError(
            f"The scores of the model {self._name} are no numbers, so its file is damaged or its training went astray; "
            "copy the file again, or choose another model."
        )


_gpu = threading.Lock()
"""Threads take turns on a GPU: two passes at once take twice the memory, and Apple's may end the process."""


@contextmanager
def _using(device: Device, too_large: str) -> Iterator[None]:
    """Turn what a device raises into our errors; ``too_large`` is what to say if memory runs out.

    Raises
    ------
    OutOfMemoryError
        If memory runs out.
    DeviceError
        If a GPU fails otherwise; on the CPU that is a defect of ours, and raised as it is.
    """
    try:
        with nullcontext() if device.name == "cpu" else _gpu:
            yield
    except (RuntimeError, MemoryError, FloatingPointError) as error:
        if is_out_of_memory(error):
            raise OutOfMemoryError(too_large) from error
        if device.name == "cpu":
            raise
        forget_probes()
        cause = str(error).strip().partition("\n")[0]
        raise DeviceError(f"{device.label} failed ({cause}).") from error


_lock = threading.Lock()
_last: list[tuple[str, Device, NetworkRunner]] = []


def load_runner(model: Model, device: Device) -> NetworkRunner:
    """Return a loaded network, the last one again if it is the same: images and channels share it."""
    with _lock:
        for sha256, on, runner in _last:
            if sha256 == model.sha256 and on == device:
                return runner
        before = {on.name for _, on, _ in _last}
        _last.clear()
        for name in before:
            free_memory(name)
        runner = NetworkRunner(model, device)
        _last.append((model.sha256, device, runner))
        return runner
