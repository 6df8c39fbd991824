"""One ``.safetensors`` file a model: weights, and the card as JSON in its header; nothing can execute."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError
from safetensors import SafetensorError, safe_open

from napari_mouse_seg._atomic import replacing
from napari_mouse_seg.errors import ModelError, ModelNotFoundError, ModelNotSavedError
from napari_mouse_seg.networks._card import ModelCard

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from torch import Tensor, nn

_CARD_KEY = "napari_mouse_seg.card"
_HALF_MAX = 65504.0
_VARIANCE = "running_var"


@dataclass(frozen=True, slots=True)
class Model:
    """A card with its weights on disk; the network is built when it is needed."""

    card: ModelCard
    path: Path
    sha256: str

    def network(self) -> nn.Module:
        """Build the network with its weights, on the CPU, in evaluation mode.

        Raises
        ------
        ModelError
            If the weights do not fit the architecture that the card names.
        """
        from napari_mouse_seg.networks._network import build_network

        network = build_network(self.card.architecture)
        try:
            with safe_open(str(self.path), framework="pt") as file:
                state = {key: self._checked(key, file.get_tensor(key).float()) for key in file.keys()}  # noqa: SIM118 (no mapping)
            network.load_state_dict(state)
        except OSError as error:
            raise ModelNotFoundError(f"The model file {self.path} is gone ({error}); choose it again.") from error
        except (RuntimeError, SafetensorError) as error:
            raise ModelError(f"{self.path.name}: the weights do not fit the card's architecture ({error}).") from error
        return network.eval()

    def _checked(self, name: str, weights: Tensor) -> Tensor:
        mended = _mended(name, weights)
        if not _is_sound(name, mended):
            raise ModelError(
                f"{self.path.name}: the weights {name} hold what is no number or cannot be one of them, so the file is "
                "damaged; copy it again, or choose another model."
            )
        return mended


def _is_sound(name: str, tensor: Tensor) -> bool:
    return bool(tensor.isfinite().all()) and not (name.endswith(_VARIANCE) and bool((tensor < 0).any()))


def _mended(name: str, tensor: Tensor) -> Tensor:
    """Mend variances that were saved in half precision and came out infinite: they were just above its largest value.

    An infinite variance silences its channel, and training from it gives NaN.
    """
    return tensor.where(~tensor.isposinf(), _HALF_MAX) if name.endswith(_VARIANCE) else tensor


def save_model(path: Path, card: ModelCard, network: nn.Module, dtype: torch.dtype | None = None) -> None:
    """Write a model file; the finished file replaces an older one in a single step.

    Parameters
    ----------
    path
        Ends in ``.safetensors``.
    card, network
        What to write. Integer buffers (batch counters) keep their dtype.
    dtype
        Floating dtype of the convolutions on disk; None keeps each tensor's own. Statistics and weights of norms, which
        are small and may exceed half precision, keep theirs.

    Raises
    ------
    ModelError
        If a weight is not finite in that dtype.
    ModelNotSavedError
        If the disk refuses; an older file is then as it was.
    """
    from safetensors.torch import save

    state = {
        key: (value.to(dtype) if dtype and value.is_floating_point() and value.ndim > 1 else value).contiguous().cpu()
        for key, value in network.state_dict().items()
    }
    broken = [key for key, value in state.items() if value.is_floating_point() and not value.isfinite().all()]
    if broken:
        raise ModelError(f"The network holds weights that are not finite ({broken[0]}), so it is not saved.")
    content = save(state, metadata={_CARD_KEY: card.model_dump_json(), "format": "pt"})
    # Not by the library's own writer: its files can be read by their owner only, and its errors are no OSError.
    with replacing(path, overwrite=True, error=ModelNotSavedError) as temporary:
        temporary.write_bytes(content)


def load_model(path: Path) -> Model:
    """Read a model file's card and hash; weights are read when the network is built.

    Raises
    ------
    ModelNotFoundError
        If the file does not exist.
    ModelError
        If it is no model file, is damaged, or was written by a newer version.
    """
    if not path.is_file():
        raise ModelNotFoundError(f"There is no model file {path}; check the path or run `mouse-seg models list`.")
    try:
        with safe_open(str(path), framework="np") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path} is not a safetensors file or is damaged ({error}); copy it again.") from error
    text = metadata.get(_CARD_KEY)
    if text is None:
        raise ModelError(f"{path} has no model card, so it is not a model of napari-mouse-seg.")
    try:
        card = ModelCard.model_validate_json(text)
    except ValidationError as error:
        raise ModelError(
            f"{path}: its card cannot be read ({error.error_count()} problems, first: {error.errors()[0]['msg']}); "
            "it may come from a newer version, so update napari-mouse-seg."
        ) from error
    return Model(card, path, hashlib.sha256(path.read_bytes()).hexdigest())
