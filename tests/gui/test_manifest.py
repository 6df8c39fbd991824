"""The manifest is valid, its menus read as documented, and its targets are light."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from npe2 import PluginManifest

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from npe2._pytest_plugin import TestPluginManager

MANIFEST = Path(str(files("napari_mouse_seg"))) / "napari.yaml"


@pytest.fixture
def manifest() -> PluginManifest:
    return PluginManifest.from_file(MANIFEST)


def test_manifest_and_all_its_targets_are_valid(manifest: PluginManifest) -> None:
    manifest.validate_imports()


@pytest.mark.slow
def test_no_target_loads_torch(manifest: PluginManifest) -> None:
    modules = {command.python_name.split(":")[0] for command in manifest.contributions.commands}
    code = (
        f"import sys, {', '.join(sorted(modules))}; print([m for m in ('torch', 'smp', 'numba') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    heavy = done.stdout.strip()
    assert "torch" not in heavy


def test_panels_stand_in_a_menu_of_their_own(
    npe2pm: TestPluginManager, manifest: PluginManifest, make_napari_viewer: Callable[..., Viewer]
) -> None:
    with npe2pm.tmp_plugin(manifest=manifest):
        viewer = make_napari_viewer()
        (submenu,) = [action.menu() for action in viewer.window.plugins_menu.actions() if action.text() == "Mouse Seg"]
        assert [action.text() for action in submenu.actions()] == ["Segment", "Train", "Models"]


def test_sample_opens_as_a_calibrated_pyramid(
    npe2pm: TestPluginManager, manifest: PluginManifest, make_napari_viewer: Callable[..., Viewer]
) -> None:
    with npe2pm.tmp_plugin(manifest=manifest):
        viewer = make_napari_viewer()
        (layer,) = viewer.open_sample("napari-mouse-seg", "u2os_nuclei")
        assert layer.multiscale
        assert np.all(layer.scale < 1)
        assert str(layer.units[0]) == "micrometer"


@pytest.mark.parametrize("name", ["Segment", "Train"])
def test_a_panel_of_the_menu_knows_layers_by_what_they_are(
    npe2pm: TestPluginManager, manifest: PluginManifest, make_napari_viewer: Callable[..., Viewer], name: str
) -> None:
    with npe2pm.tmp_plugin(manifest=manifest):
        viewer = make_napari_viewer()
        image = viewer.add_image(np.zeros((9, 9)))
        _, widget = viewer.window.add_plugin_dock_widget("napari-mouse-seg", name)
        assert widget.controller._viewer is viewer  # napari hands out a proxy.
        assert widget.controller._layers.current is image


def test_models_panel_opens_from_the_menu(
    npe2pm: TestPluginManager, manifest: PluginManifest, make_napari_viewer: Callable[..., Viewer]
) -> None:
    with npe2pm.tmp_plugin(manifest=manifest):
        viewer = make_napari_viewer()
        _, widget = viewer.window.add_plugin_dock_widget("napari-mouse-seg", "Models")
        assert widget.text()
