from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from helpers.models import SMALL, write_random_model
from napari_mouse_seg.errors import ModelError, ModelNotFoundError, ModelNotSavedError
from napari_mouse_seg.networks import ModelCard, build_network, find_model, list_models, load_model, save_model

if TYPE_CHECKING:
    from pathlib import Path


def test_a_model_file_gives_back_card_and_weights(tmp_path: Path) -> None:
    network = build_network(SMALL).eval()
    card = ModelCard(name="mine", summary="A test", architecture=SMALL, stride_px=8)
    save_model(tmp_path / "mine.safetensors", card, network)
    model = load_model(tmp_path / "mine.safetensors")
    assert model.card == card
    image = torch.rand(1, 1, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(model.network()(image), network(image))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.safetensors"]


def test_statistics_beyond_half_precision_survive(tmp_path: Path) -> None:
    network = build_network(SMALL).eval()
    norm = next(module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d))
    norm.running_var.fill_(1e5)
    save_model(tmp_path / "half.safetensors", ModelCard(name="x", summary="y", architecture=SMALL), network, torch.half)
    state = load_model(tmp_path / "half.safetensors").network().state_dict()
    assert all(value.isfinite().all() for value in state.values())
    assert max(float(value.max()) for key, value in state.items() if "running_var" in key) == 1e5


def test_statistics_that_an_earlier_version_saved_as_infinite_are_mended(tmp_path: Path) -> None:
    network = build_network(SMALL)
    state = {key: value.half() if value.is_floating_point() else value for key, value in network.state_dict().items()}
    key = next(key for key in state if key.endswith("running_var"))
    state[key] = torch.full_like(state[key], torch.inf)
    card = ModelCard(name="x", summary="y", architecture=SMALL).model_dump_json()
    save_file(state, str(tmp_path / "old.safetensors"), metadata={"napari_mouse_seg.card": card})
    loaded = load_model(tmp_path / "old.safetensors").network().state_dict()
    assert (loaded[key] == 65504).all()


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    network = build_network(SMALL)
    torch.nn.init.constant_(next(network.parameters()), torch.nan)
    with pytest.raises(ModelError, match="not finite"):
        save_model(tmp_path / "nan.safetensors", ModelCard(name="x", summary="y", architecture=SMALL), network)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("weight", torch.nan),
        ("weight", torch.inf),
        ("weight", -torch.inf),
        ("running_var", -1),
        ("running_var", torch.nan),
    ],
)
def test_weights_that_cannot_be_right_are_refused_and_not_made_into_numbers(
    tmp_path: Path, kind: str, value: float
) -> None:
    state = build_network(SMALL).state_dict()
    key = next(key for key in state if key.endswith(kind))
    state[key].view(-1)[0] = value
    card = ModelCard(name="x", summary="y", architecture=SMALL).model_dump_json()
    save_file(state, str(tmp_path / "bad.safetensors"), metadata={"napari_mouse_seg.card": card})
    with pytest.raises(ModelError, match=rf"bad\.safetensors: the weights {key} .* damaged"):
        load_model(tmp_path / "bad.safetensors").network()


def test_a_file_without_a_card_is_no_model(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(1)}, str(tmp_path / "bare.safetensors"))
    with pytest.raises(ModelError, match="has no model card"):
        load_model(tmp_path / "bare.safetensors")


def test_a_card_of_a_newer_version_is_refused_in_words(tmp_path: Path) -> None:
    metadata = {"napari_mouse_seg.card": '{"format_version": 99, "name": "x", "summary": "y"}'}
    save_file({"weight": torch.zeros(1)}, str(tmp_path / "new.safetensors"), metadata=metadata)
    with pytest.raises(ModelError, match="update napari-mouse-seg"):
        load_model(tmp_path / "new.safetensors")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_never_loads_in_silence(tmp_path: Path, data: st.DataObject) -> None:
    if not (tmp_path / "random.safetensors").exists():
        write_random_model(tmp_path)
    content = (tmp_path / "random.safetensors").read_bytes()
    cut = data.draw(st.integers(0, len(content) - 1))
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(content[:cut])
    with pytest.raises(ModelError):
        load_model(damaged)


def test_weights_that_do_not_fit_the_card_are_refused(tmp_path: Path) -> None:
    card = ModelCard(name="wrong", summary="", architecture=SMALL.replace(encoder="resnet34"))
    save_model(tmp_path / "wrong.safetensors", card, build_network(SMALL))
    with pytest.raises(ModelError, match="do not fit the card's architecture"):
        load_model(tmp_path / "wrong.safetensors").network()


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1)}, tmp_path / "evil.safetensors")
    with pytest.raises(ModelError, match="not a safetensors file or is damaged"):
        find_model(tmp_path / "evil.safetensors")


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(ModelNotFoundError, match=r"no model 'nucleus'.*nuclei-fluorescence"):
        find_model("nucleus")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"no model file .*gone\.safetensors"):
        find_model(tmp_path / "gone.safetensors")


def test_bundled_models_are_small_complete_and_licensed() -> None:
    models = list_models()
    assert models
    for model in models:
        assert model.path.stat().st_size < 15_000_000
        assert model.card.training_data
        assert model.card.licence
        assert model.card.known_failures
        model.network()


@pytest.mark.skipif(os.name == "nt", reason="has no such rights")
def test_others_may_read_a_model_as_they_may_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "any").write_text("")
    write_random_model(tmp_path)
    assert (tmp_path / "random.safetensors").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_a_folder_that_takes_no_model_is_told_and_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = write_random_model(tmp_path)

    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(ModelNotSavedError, match=r"disk of .* is full"):
        write_random_model(tmp_path, seed=1)
    assert [path.name for path in tmp_path.iterdir()] == ["random.safetensors"]
    assert load_model(before.path).sha256 == before.sha256


def test_a_file_that_is_there_is_not_said_to_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.touch()
    with pytest.raises(ModelNotFoundError, match=r"weights\.pth is no \.safetensors file, so it holds no model"):
        find_model(path)
