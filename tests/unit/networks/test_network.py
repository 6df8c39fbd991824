from __future__ import annotations

import copy

import pytest
import torch

from helpers.models import SMALL
from napari_mouse_seg.errors import DeviceError, ModelError, PlanError
from napari_mouse_seg.networks import (
    ArchitecturePlan,
    CompactPlan,
    ModelCard,
    _device,
    build_network,
    has_global_pooling,
    measure_receptive_field,
    prepare_for_inference,
    resolve_device,
)


@pytest.mark.parametrize(
    "plan",
    [
        SMALL,
        ArchitecturePlan(),
        SMALL.replace(family="fpn", encoder_depth=5),
        CompactPlan(),
        CompactPlan(in_channels=3),
    ],
)
def test_preparing_for_inference_keeps_the_scores_and_leaves_no_batch_norm(
    plan: ArchitecturePlan | CompactPlan,
) -> None:
    torch.manual_seed(0)
    network = build_network(plan).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.running_mean, -0.5, 0.5)
    image = torch.rand(1, plan.in_channels, 64, 64)
    with torch.inference_mode():
        before = network(image)
        folded = prepare_for_inference(copy.deepcopy(network), plan)
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


@pytest.mark.parametrize(
    "plan", [SMALL, CompactPlan(widths=(8, 8, 8), encoder_blocks=(1, 1, 2), decoder_blocks=(1, 1))]
)
def test_nothing_beyond_the_receptive_field_changes_a_score(plan: ArchitecturePlan | CompactPlan) -> None:
    torch.manual_seed(0)
    network = build_network(plan).eval()
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


def test_a_compact_network_gives_a_score_for_every_pixel() -> None:
    plan = CompactPlan(widths=(8, 16, 24), encoder_blocks=(1, 0, 2), decoder_blocks=(2, 0), in_channels=3)
    assert build_network(plan)(torch.rand(2, 3, 64, 96)).shape == (2, 3, 64, 96)
    assert not has_global_pooling(build_network(plan).eval(), 3)


def test_a_compact_plan_must_have_blocks_for_every_width() -> None:
    with pytest.raises(PlanError, match="as many as widths"):
        CompactPlan.build(widths=(8, 16), encoder_blocks=(1, 1, 1), decoder_blocks=(1,))


@pytest.mark.parametrize("plan", [SMALL, CompactPlan(widths=(8, 16), encoder_blocks=(1, 1), decoder_blocks=(1,))])
def test_a_card_tells_the_kinds_of_network_apart(plan: ArchitecturePlan | CompactPlan) -> None:
    card = ModelCard(name="x", summary="y", architecture=plan)
    assert ModelCard.model_validate_json(card.model_dump_json()).architecture == plan


def test_an_unknown_encoder_is_refused_in_words() -> None:
    with pytest.raises(ModelError, match=r"encoder 'resnet9000'.*Choose another"):
        build_network(ArchitecturePlan(encoder="resnet9000"))


def test_auto_takes_a_device_that_works_and_a_missing_one_is_refused() -> None:
    assert resolve_device("auto").name in {"cuda", "mps", "cpu"}
    assert resolve_device("cpu").label.startswith("CPU")
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match="no cuda device"):
            resolve_device("cuda")


def test_half_precision_is_used_only_where_it_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _device._computes("cpu", torch.bfloat16)
    forward = torch.nn.Conv2d.forward
    monkeypatch.setattr(
        torch.nn.Conv2d,
        "forward",
        lambda layer, x: forward(layer, x) * (float("nan") if torch.is_autocast_enabled("cpu") else 1),
    )
    assert not _device._computes("cpu", torch.bfloat16)


def test_a_pass_fits_into_the_memory_that_is_free() -> None:
    assert _device._fitting(16 * 1024**2, 80 * 10**9) == 16 * 1024**2
    assert _device._fitting(16 * 1024**2, 4 * 10**9) == 4 * 10**6
    assert _device._fitting(16 * 1024**2, 0) == 1
