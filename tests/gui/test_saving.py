"""napari's own *Save* writes labels, also those of a large image, which are a pyramid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer


@pytest.mark.parametrize(("ending", "plugin"), [(".tif", "napari-mouse-seg"), (".ome.zarr", None), (".csv", None)])
def test_labels_of_a_large_image_are_saved(
    make_napari_viewer: Callable[..., Viewer], tmp_path: Path, ending: str, plugin: str | None
) -> None:
    finest = np.zeros((600, 800), np.uint32)
    finest[100:140, 200:230] = 70_000
    viewer = make_napari_viewer()
    viewer.add_labels([finest, finest[::2, ::2]], multiscale=True, name="nuclei")
    path = tmp_path / f"nuclei{ending}"
    assert viewer.layers.save(str(path), plugin=plugin) == [str(path)]
    assert path.exists()
    if ending == ".tif":
        np.testing.assert_array_equal(tifffile.imread(path), finest)
