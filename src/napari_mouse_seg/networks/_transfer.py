"""A network that starts from another model: the trunk is kept, and of the last layer what means the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_mouse_seg.networks._network import build_network
from napari_mouse_seg.plans import AreaTargets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from napari_mouse_seg.networks._card import ModelCard, NetworkPlan
    from napari_mouse_seg.networks._model_file import Model
    from napari_mouse_seg.plans import TargetsPlan


def start_from(model: Model, card: ModelCard) -> tuple[nn.Module, tuple[str, ...]]:
    """Build the network of a card with what fits of another model's weights.

    Parameters
    ----------
    model
        To start from.
    card
        Of the model to be made.

    Returns
    -------
    nn.Module
        On the CPU. Tensors whose name and shape agree are taken over. The last layer is taken over output by output:
        those that mean the same in both models, for areas the classes with the same label.
    tuple of str
        Names of the tensors that hold anything new, in the order of the network; empty if nothing is.

    Raises
    ------
    ModelError
        If the model's weights do not fit its own card, or the network cannot be built.
    """
    weights = model.network().state_dict()
    network = build_network(card.architecture)
    old, new = _meanings(model.card.targets), _meanings(card.targets)
    shared = [(new.index(meaning), old.index(meaning)) for meaning in new if meaning in old]
    fresh = []
    state = network.state_dict()
    last = _last_layer(card.architecture, state)
    for name, value in state.items():
        known = weights.get(name)
        if name in last:
            if known is None or not _take_outputs(value, known, len(new), len(old), shared):
                fresh.append(name)
        elif known is not None and known.shape == value.shape:
            state[name] = known
        else:
            fresh.append(name)
    network.load_state_dict(state)
    return network, tuple(fresh)


def _take_outputs(value: Tensor, known: Tensor, n_new: int, n_old: int, shared: list[tuple[int, int]]) -> bool:
    """Copy the rows of the outputs that mean the same; return whether that is all of them."""
    rows = value.view(n_new, -1, *value.shape[1:])
    known_rows = known.reshape(n_old, -1, *known.shape[1:])
    if rows.shape[1:] != known_rows.shape[1:]:
        return False
    for to, source in shared:
        rows[to] = known_rows[source]
    return len(shared) == n_new


def _meanings(targets: TargetsPlan) -> list[str]:
    """Return what tells outputs apart: a class may get another name, its label stays."""
    if isinstance(targets, AreaTargets):
        return [f"{targets.kind} {entry.label}" for entry in targets.classes]
    return [f"{targets.kind} {name}" for name in targets.outputs]


def _last_layer(plan: NetworkPlan, state: Mapping[str, Tensor]) -> frozenset[str]:
    """Return the tensors of a network whose shape goes with the number of outputs, found by building one with more."""
    more = build_network(plan.replace(outputs=(*plan.outputs, "one more"))).state_dict()
    return frozenset(name for name, value in more.items() if value.shape != state[name].shape)
