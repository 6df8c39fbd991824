"""Loading torch beside a window: what would stop the window is left out."""

from __future__ import annotations

import gc
import json
import subprocess
import sys

import pytest

pytest.importorskip("napari", reason="napari is an extra")

WARM_UP = """
import gc, json, sys
from napari_mouse_seg import find_model
from napari_mouse_seg.plugin._warm_up import warm_up
collected = []
gc.callbacks.append(lambda phase, info: collected.append(info["generation"]) if phase == "start" else None)
labels = [event.label for event in warm_up("cpu", find_model("nuclei-fluorescence"))]
gc.callbacks.clear()
print(json.dumps({"labels": labels, "collected": collected, "enabled": gc.isenabled(), "frozen": gc.get_freeze_count(),
    "loaded": [name for name in ("torch", "numba", "segmentation_models_pytorch") if name in sys.modules]}))
"""


def test_nothing_is_collected_while_libraries_load_and_all_is_as_before_in_the_end():
    done = subprocess.run([sys.executable, "-c", WARM_UP], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert [label[:3] for label in seen.pop("labels")] == ["CPU"]
    assert seen == {
        "collected": [],
        "enabled": True,
        "frozen": 0,
        "loaded": ["torch", "numba"],
    }


@pytest.mark.parametrize("enabled", [True, False])
def test_collection_is_as_before_after_an_error(enabled: bool, monkeypatch: pytest.MonkeyPatch):
    from napari_mouse_seg.plugin import _warm_up

    seen: list[bool] = []

    def fail() -> None:
        seen.append(gc.isenabled())
        raise MemoryError

    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(_warm_up, "_load_torch_libraries", fail)
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(MemoryError):
            list(_warm_up.warm_up("cpu", None))
        assert gc.isenabled() is enabled
    finally:
        gc.enable()
    assert seen == [False]
