"""napari's own *Save* writes labels, also those of a large image, which are a pyramid."""

from __future__ import annotations

import copy
import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from napari.layers import Labels

from napari_mouse_seg.session import RunState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_mouse_seg.plugin._segment_panel import SegmentWidget

    Discs = tuple[np.ndarray, list[tuple[int, int]]]

LONG_MS = 120_000


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


def test_a_result_is_saved_at_the_size_of_its_image_and_measured_in_it(
    make_napari_viewer: Callable[..., Viewer],
    qtbot: QtBot,
    open_panel: Callable[[Viewer], SegmentWidget],
    discs: Discs,
    tmp_path: Path,
) -> None:
    data, centres = discs
    viewer = make_napari_viewer()
    viewer.add_image(data, scale=(0.25, 0.25), units=("um", "um"))  # The network works at 0.5 µm.
    widget = open_panel(viewer)
    widget.panel.fullRequested.emit()
    session = widget.controller.session
    qtbot.waitUntil(lambda: session.workspace is not None and session.state is RunState.IDLE, timeout=LONG_MS)
    (layer,) = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    assert layer.data.shape == (192, 256)
    viewer.layers.selection = {layer}
    for ending in (".tif", ".csv"):
        viewer.layers.save(str(tmp_path / f"discs{ending}"), selected=True, plugin="napari-mouse-seg")
    labels = tifffile.imread(tmp_path / "discs.tif")
    assert labels.shape == data.shape
    assert len({int(labels[centre]) for centre in centres} - {0}) == len(centres)
    with (tmp_path / "discs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(centres)
    assert np.median([float(row["mean_intensity"]) for row in rows]) > 150
    disc_um2 = np.pi * 8**2 * 0.25**2
    assert np.median([float(row["area_um2"]) for row in rows]) == pytest.approx(disc_um2, rel=0.2)
    copied = copy.deepcopy(layer.as_layer_data_tuple()[1]["metadata"])  # As napari does for a duplicate.
    assert copied.keys() == layer.metadata.keys()
