from __future__ import annotations

import copy

import pytest
import torch

from helpers.models import SMALL
from napari_mouse_seg.errors import DeviceError, ModelError
from napari_mouse_seg.networks import (
    ArchitecturePlan,
    build_network,
    has_global_pooling,
    measure_receptive_field,
    prepare_for_inference,
    resolve_device,
)


@pytest.mark.parametrize("plan", [SMALL, ArchitecturePlan(), SMALL.replace(family="fpn", encoder_depth=5)])
def test_preparing_for_inference_keeps_the_scores_and_leaves_no_batch_norm(plan: ArchitecturePlan) -> None:
    torch.manual_seed(0)
    network = build_network(plan).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.running_mean, -0.5, 0.5)
    image = torch.rand(1, 1, 64, 64)
    with torch.inference_mode():
        before = network(image)
        folded = prepare_for_inference(copy.deepcopy(network), 1)
        torch.testing.assert_close(folded(image), before, atol=1e-3, rtol=1e-3)
        left: list[torch.nn.Module] = []
        for module in folded.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.register_forward_hook(lambda norm, _arguments, _output: left.append(norm))
        folded(image)
    assert not left


def test_the_receptive_field_of_known_layers_is_found() -> None:
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(4, 1, 5, padding=2)
    )
    assert measure_receptive_field(layers, 1, size_px=64, stride_px=8) == 3


def test_nothing_beyond_the_receptive_field_changes_a_score() -> None:
    torch.manual_seed(0)
    network = build_network(SMALL).eval()
    reach = measure_receptive_field(network, 1, size_px=384, stride_px=8)
    assert 8 <= reach <= 72
    image = torch.rand(1, 1, 256, 256)
    changed = image.clone()
    changed[..., 128 + reach + 1 :] = torch.rand(1, 1, 256, 256 - 128 - reach - 1)
    with torch.inference_mode():
        difference = (network(image) - network(changed)).abs()[..., :129]
    assert difference.max() == 0


def test_global_pooling_is_found() -> None:
    assert not has_global_pooling(build_network(ArchitecturePlan()))
    assert has_global_pooling(build_network(ArchitecturePlan(encoder="efficientnet-b0")))
    assert has_global_pooling(build_network(ArchitecturePlan(family="deeplabv3plus", encoder="resnet18")))


def test_an_unknown_encoder_is_refused_in_words() -> None:
    with pytest.raises(ModelError, match=r"encoder 'resnet9000'.*Choose another"):
        build_network(ArchitecturePlan(encoder="resnet9000"))


def test_auto_takes_a_device_that_works_and_a_missing_one_is_refused() -> None:
    assert resolve_device("auto").name in {"cuda", "mps", "cpu"}
    assert resolve_device("cpu").label.startswith("CPU")
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match="no cuda device"):
            resolve_device("cuda")
