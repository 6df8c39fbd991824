"""The network on its device: batches of tiles in, scores out."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

import torch

from napari_mouse_seg.errors import OutOfMemoryError
from napari_mouse_seg.networks import is_out_of_memory, prepare_for_inference

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
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
    """

    def __init__(self, model: Model, device: Device) -> None:
        self.device = device
        self._activate = _ACTIVATIONS[model.card.targets.activation]
        network = prepare_for_inference(model.network(), model.card.architecture)
        try:
            self._network = network.to(device.name).to(memory_format=torch.channels_last)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise OutOfMemoryError(f"The network does not fit in the memory of {device.label}.") from error

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
        OutOfMemoryError
            If the batch does not fit.
        """
        half = self.device.half_dtype
        try:
            with torch.inference_mode(), torch.autocast(self.device.name, half, enabled=half is not None):
                batch = torch.from_numpy(tiles).to(self.device.name).contiguous(memory_format=torch.channels_last)
                scores: NDArray[np.float32] = self._activate(self._network(batch).float()).cpu().numpy()
                return scores
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            self._free()
            raise OutOfMemoryError(
                f"{len(tiles)} tiles of {max(tiles.shape[2:])} px do not fit in the memory of {self.device.label}."
            ) from error

    def _free(self) -> None:
        if self.device.name == "cuda":
            torch.cuda.empty_cache()
        elif self.device.name == "mps":
            torch.mps.empty_cache()


_lock = threading.Lock()
_last: list[tuple[str, Device, NetworkRunner]] = []


def load_runner(model: Model, device: Device) -> NetworkRunner:
    """Return a loaded network, the last one again if it is the same: images and channels share it."""
    with _lock:
        for sha256, on, runner in _last:
            if sha256 == model.sha256 and on == device:
                return runner
        _last.clear()
        runner = NetworkRunner(model, device)
        _last.append((model.sha256, device, runner))
        return runner
