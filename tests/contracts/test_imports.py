"""What importing the package, or what napari imports at its start, does not load."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import napari_mouse_seg

if TYPE_CHECKING:
    from npe2 import PluginManifest

HEAVY = ("dask", "numba", "scipy", "segmentation_models_pytorch", "skimage", "tifffile", "timm", "torch", "zarr")
DESKTOP = ("PyQt5", "PyQt6", "PySide6", "magicgui", "napari", "qtpy", "superqt")

REFUSE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {desktop!r}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Refuse())
"""
CORE = """
import importlib, pkgutil
import napari_mouse_seg
skipped = ("napari_mouse_seg.plugin", "napari_mouse_seg.widgets")
for module in pkgutil.walk_packages(napari_mouse_seg.__path__, "napari_mouse_seg.", onerror=print):
    if not module.name.startswith(skipped):
        importlib.import_module(module.name)
"""


def run(code: str) -> str:
    """Standard output of a fresh interpreter."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_by(statement: str, names: tuple[str, ...]) -> set[str]:
    """Which of the names a fresh interpreter holds after a statement."""
    return set(
        json.loads(run(f"import json, sys\n{statement}\nprint(json.dumps([n for n in {names} if n in sys.modules]))"))
    )


@pytest.fixture
def manifest() -> PluginManifest:
    """The npe2 manifest in the package."""
    npe2 = pytest.importorskip("npe2", reason="npe2 comes with the extra `napari`")
    return npe2.PluginManifest.from_file(Path(napari_mouse_seg.__file__).with_name("napari.yaml"))


def modules_of(manifest: PluginManifest) -> list[str]:
    """Every module that the manifest points into."""
    commands = manifest.contributions.commands or []
    return sorted({command.python_name.partition(":")[0] for command in commands if command.python_name})


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_by("import napari_mouse_seg", (*HEAVY, *DESKTOP, "numpy", "pydantic")) == set()


def test_a_heavy_import_would_be_noticed():
    assert "torch" in loaded_by("import napari_mouse_seg.networks._network", HEAVY)


def test_a_bundled_model_runs_and_learns_without_other_architectures_and_torchs_compiler():
    statement = """
import torch
from napari_mouse_seg import find_model
from napari_mouse_seg.inference import load_runner
from napari_mouse_seg.networks import resolve_device, with_measured_reach
from napari_mouse_seg.plans import TrainingPlan
from napari_mouse_seg.training import Trainer
model = find_model("nuclei-fluorescence")
load_runner(model, resolve_device("cpu"))
network = model.network()
with_measured_reach(model.card, network)
trainer = Trainer(network, TrainingPlan(), lambda logits, maps: (logits - maps).abs().mean())
images = torch.ones(1, 1, 32, 32)
trainer.step(images, network(images).detach() + 1, 1.0)
trainer.finish()
"""
    heavy = ("segmentation_models_pytorch", "timm", "torch", "torch._dynamo", "torchvision")
    assert loaded_by(statement, heavy) == {"torch"}


def test_the_distribution_announces_the_manifest():
    found = {point.name: point.value for point in entry_points(group="napari.manifest")}
    assert found["napari-mouse-seg"] == "napari_mouse_seg:napari.yaml"


def test_the_manifest_points_into_the_plugin_only(manifest: PluginManifest):
    modules = modules_of(manifest)
    assert modules
    assert {".".join(name.split(".")[:2]) for name in modules} == {"napari_mouse_seg.plugin"}


def test_what_napari_imports_from_the_manifest_loads_no_torch(manifest: PluginManifest):
    statement = "\n".join(f"import {name}" for name in modules_of(manifest))
    assert loaded_by(statement, ("segmentation_models_pytorch", "timm", "torch")) == set()


def test_every_manifest_target_exists(manifest: PluginManifest):
    manifest.validate_imports()


def test_the_core_imports_without_napari_and_qt():
    run(REFUSE.format(desktop=DESKTOP) + CORE)


def test_the_desktop_packages_would_be_refused():
    with pytest.raises(AssertionError, match="ModuleNotFoundError: qtpy"):
        run(REFUSE.format(desktop=DESKTOP) + "import qtpy")


def test_every_public_name_resolves():
    for name in napari_mouse_seg.__all__:
        getattr(napari_mouse_seg, name)


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        importlib.import_module("napari_mouse_seg").no_such_name  # noqa: B018
