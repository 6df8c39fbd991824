"""The panel's button and napari's own *Save* write labels, also those of a large image, which are a pyramid."""

from __future__ import annotations

import copy
import csv
import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from napari.layers import Labels
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_mouse_seg.export import LabelImage
from napari_mouse_seg.session import RunState

if TYPE_CHECKING:
    from collections.abc import Callable

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


@pytest.fixture
def found(
    make_napari_viewer: Callable[..., Viewer],
    qtbot: QtBot,
    open_panel: Callable[[Viewer], SegmentWidget],
    slide: Path,
) -> tuple[Viewer, SegmentWidget]:
    """Return a viewer with a slide and the panel, which has segmented it."""
    viewer = make_napari_viewer()
    viewer.open(str(slide), plugin="napari-mouse-seg")
    widget = open_panel(viewer)
    assert not save_button(widget).isEnabled()
    widget.panel.fullRequested.emit()
    qtbot.waitUntil(save_button(widget).isEnabled, timeout=LONG_MS)
    return viewer, widget


@pytest.fixture
def save(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Callable[[SegmentWidget, str], Path]:
    """Return a function that presses the button, gives the suggested name another ending, and waits for the end."""

    def press(widget: SegmentWidget, ending: str) -> Path:
        names: list[Path] = []

        def answer(_parent: object, _title: str, suggested: str, _kinds: str) -> tuple[str, str]:
            names.append(Path(suggested).with_suffix(ending))
            return str(names[0]), ""

        monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
        save_button(widget).click()
        qtbot.waitUntil(lambda: save_button(widget).text() == "Save result…", timeout=LONG_MS)
        return names[0]

    return press


def save_button(widget: SegmentWidget) -> QPushButton:
    (button,) = widget.panel.save_bar.findChildren(QPushButton)
    return button


def test_the_button_writes_files_beside_the_image_and_their_record(
    found: tuple[Viewer, SegmentWidget], save: Callable[[SegmentWidget, str], Path], slide: Path, discs: Discs
) -> None:
    _viewer, widget = found
    for ending in (".tif", ".csv"):
        path = save(widget, ending)
        assert path == slide.with_name(f"slide_labels{ending}")
        assert path.name in widget.panel.save_bar.text()
    data, centres = discs
    labels = tifffile.imread(slide.with_name("slide_labels.tif"))
    assert labels.shape == data.shape
    record = json.loads(slide.with_name("slide_labels.json").read_text())
    assert record["n_objects"] == len(np.unique(labels)) - 1 == len(centres)
    assert record["outputs"] == {"tiff": "slide_labels.tif", "csv": "slide_labels.csv"}
    assert record["output_bytes"]["tiff"] == slide.with_name("slide_labels.tif").stat().st_size
    assert record["is_complete"]
    assert record["input"]["path"] == str(slide)
    assert record["model"]["name"] == "brightness"
    assert record["plan"]["instances"] is not None
    assert record["device"]
    assert record["warnings"] == []


def test_what_is_painted_is_saved_and_told_of(
    found: tuple[Viewer, SegmentWidget], save: Callable[[SegmentWidget, str], Path], slide: Path
) -> None:
    viewer, widget = found
    (layer,) = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    layer.selected_label = 0
    for offset in range(-12, 13):
        layer.paint((12 + offset, 12), 0, refresh=False)
    layer.brush_size = 24
    layer.paint((12, 12), 0)
    save(widget, ".tif")
    assert tifffile.imread(slide.with_name("slide_labels.tif"))[24, 24] == 0
    record = json.loads(slide.with_name("slide_labels.json").read_text())
    assert any("by hand" in warning for warning in record["warnings"])
    assert not record["is_complete"]


def test_a_result_is_saved_when_its_image_was_renamed_meanwhile(
    found: tuple[Viewer, SegmentWidget], save: Callable[[SegmentWidget, str], Path], slide: Path
) -> None:
    _viewer, widget = found
    slide.rename(slide.with_name("renamed.ome.tif"))
    path = save(widget, ".tif")
    assert tifffile.imread(path).any()
    assert json.loads(slide.with_name("slide_labels.json").read_text())["input"] is None


def test_a_file_of_another_kind_is_not_taken_for_the_record(
    found: tuple[Viewer, SegmentWidget], save: Callable[[SegmentWidget, str], Path], slide: Path
) -> None:
    _viewer, widget = found
    mine = slide.with_name("slide_labels.json")
    mine.write_text("{}")
    assert save(widget, ".csv").exists()
    assert mine.read_text() == "{}"
    assert "no run record" in widget.panel.save_bar.text()


def test_saving_can_be_given_up_and_no_run_starts_meanwhile(
    found: tuple[Viewer, SegmentWidget],
    slide: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _viewer, widget = found
    reached, go_on = threading.Event(), threading.Event()
    read = LabelImage.read

    def wait(self: LabelImage, rows: slice, columns: slice) -> np.ndarray:
        reached.set()
        assert go_on.wait(LONG_MS / 1000)
        return read(self, rows, columns)

    monkeypatch.setattr(LabelImage, "read", wait)
    path = slide.with_name("slide_labels.tif")
    path.write_bytes(b"older")
    widget.panel.save_bar.saveRequested.emit(path)
    qtbot.waitUntil(reached.is_set, timeout=LONG_MS)
    starts = [one for one in widget.findChildren(QPushButton) if one.text().startswith("Segment ")]
    assert [one.isEnabled() for one in starts] == [False, False]
    save_button(widget).click()
    go_on.set()
    qtbot.waitUntil(lambda: "was not saved" in widget.panel.save_bar.text(), timeout=LONG_MS)
    assert path.read_bytes() == b"older"
    assert sorted(entry.name for entry in slide.parent.iterdir()) == ["slide.ome.tif", "slide_labels.tif"]
    qtbot.waitUntil(lambda: all(one.isEnabled() for one in starts), timeout=LONG_MS)


def test_the_image_itself_is_never_replaced(
    found: tuple[Viewer, SegmentWidget], slide: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_mouse_seg.plugin._save_tool.show_error", lambda _text: None)
    _viewer, widget = found
    before = slide.read_bytes()
    widget.panel.save_bar.saveRequested.emit(slide)
    qtbot.waitUntil(lambda: "the image itself" in widget.panel.save_bar.text(), timeout=LONG_MS)
    assert slide.read_bytes() == before
