"""Starting from another model: the trunk stays, outputs that mean something else are new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from helpers.models import SMALL, write_random_model
from napari_mouse_seg.networks import (
    ArchitecturePlan,
    CompactPlan,
    Model,
    ModelCard,
    build_network,
    load_model,
    save_model,
    start_from,
    with_measured_reach,
)
from napari_mouse_seg.plans import AreaTargets, ClassPlan

if TYPE_CHECKING:
    from pathlib import Path

TINY = CompactPlan(widths=(8, 16), encoder_blocks=(1, 1), decoder_blocks=(1,))


def areas(*labels: int) -> AreaTargets:
    return AreaTargets(classes=tuple(ClassPlan(label=label, name=f"c{label}", colour="#ffffff") for label in labels))


def card_of(model: Model, targets: AreaTargets) -> ModelCard:
    architecture = model.card.architecture.replace(outputs=targets.outputs)
    return model.card.replace(targets=targets, architecture=architecture)


def area_model(folder: Path, *labels: int) -> Model:
    torch.manual_seed(5)
    targets = areas(*labels)
    architecture = TINY.replace(outputs=targets.outputs)
    path = folder / "areas.safetensors"
    save_model(
        path, ModelCard(name="a", summary="", architecture=architecture, targets=targets), build_network(architecture)
    )
    return load_model(path)


def test_a_model_of_the_same_outputs_is_taken_over_whole(tmp_path: Path) -> None:
    model = write_random_model(tmp_path)
    network, new = start_from(model, model.card)
    assert new == ()
    for name, value in model.network().state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], value)


@pytest.mark.parametrize("number", [2, 3, 5])
def test_only_the_last_layer_is_new_where_the_outputs_differ(tmp_path: Path, number: int) -> None:
    model = write_random_model(tmp_path)  # of objects: three outputs too, that mean something else
    network, new = start_from(model, card_of(model, areas(*range(1, number + 1))))
    assert new == ("segmentation_head.0.weight", "segmentation_head.0.bias")
    old = model.network().state_dict()
    for name, value in network.state_dict().items():
        if not name.endswith("head.0.bias"):  # 0 in every new network
            assert (value.shape == old[name].shape and torch.equal(value, old[name])) == (name not in new)
    assert network.eval()(torch.zeros(1, 1, 64, 64)).shape == (1, number, 64, 64)


def test_classes_that_stay_keep_their_outputs_wherever_they_move(tmp_path: Path) -> None:
    model = area_model(tmp_path, 1, 4, 9)
    renamed = areas(9, 7, 4)
    network, new = start_from(model, card_of(model, renamed))
    assert new == ("head.weight", "head.bias")
    image = torch.rand(1, 1, 64, 64)
    with torch.inference_mode():
        before, after = model.network()(image), network.eval()(image)
    torch.testing.assert_close(after[:, 0], before[:, 2])
    torch.testing.assert_close(after[:, 2], before[:, 1])
    assert (after[:, 1] - before).abs().amax((2, 3)).min() > 0


def test_a_renamed_class_is_the_same_class(tmp_path: Path) -> None:
    model = area_model(tmp_path, 1, 4)
    named = AreaTargets(classes=tuple(entry.replace(name=f"new {entry.label}") for entry in areas(1, 4).classes))
    assert start_from(model, card_of(model, named))[1] == ()


def test_the_reach_of_a_new_network_stands_on_its_card() -> None:
    card = with_measured_reach(ModelCard(name="n", summary="", architecture=SMALL), build_network(SMALL))
    assert (card.stride_px, card.receptive_field_px, card.halo_px, card.global_pooling) == (8, 69, 16, False)
    tiny = with_measured_reach(ModelCard(name="n", summary="", architecture=TINY), build_network(TINY))
    assert tiny.stride_px == 4
    assert tiny.halo_px == 8 <= tiny.receptive_field_px


def test_pooling_over_the_whole_tile_stands_on_the_card() -> None:
    plan = ArchitecturePlan(family="deeplabv3plus", encoder="resnet18")
    card = with_measured_reach(ModelCard(name="n", summary="", architecture=plan), build_network(plan))
    assert card.global_pooling
    assert card.stride_px == 32
