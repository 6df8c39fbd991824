from __future__ import annotations

import csv
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_mouse_seg.export import FORMATS, LabelImage
from napari_mouse_seg.images import from_arrays
from napari_mouse_seg.plans import ClassPlan

if TYPE_CHECKING:
    from pathlib import Path

CLASSES = (
    ClassPlan(label=1, name="Background", colour="#808080"),
    ClassPlan(label=2, name="Muscle", colour="#ff0000"),
    ClassPlan(label=5, name="Scar", colour="#0000ff"),
    ClassPlan(label=7, name="Vessel", colour="#00ff00"),
)


def image() -> LabelImage:
    labels = np.ones((60, 80), np.uint32)
    labels[10:40, 10:50] = 2
    labels[20:30, 20:30] = 5
    labels[50:55, 60:70] = 5
    pixels = (labels * 10).astype(np.uint8)
    plane = from_arrays([pixels], axes="YX", name="drawn").plane()
    return LabelImage(labels, (0.5, 2.0), "drawn", plane, CLASSES)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_the_table_has_one_row_a_class_with_areas_shares_and_intensities(tmp_path: Path) -> None:
    FORMATS["csv"].write(tmp_path / "a.csv", image())
    background, muscle, scar, vessel = rows(tmp_path / "a.csv")
    assert [muscle["class"], muscle["pixels"], muscle["area_um2"]] == ["Muscle", "1100", "1100"]
    assert float(scar["share"]) == pytest.approx(150 / 4800, rel=1e-4)
    assert float(scar["share_without_background"]) == pytest.approx(150 / 1250, rel=1e-4)
    assert background["share_without_background"] == ""
    assert scar["mean_intensity"] == "50"
    assert (vessel["pixels"], vessel["mean_intensity"]) == ("0", "")


def test_what_is_painted_with_the_label_of_no_class_counts_nowhere(tmp_path: Path) -> None:
    drawn = image()
    labels = drawn.read(slice(0, 60), slice(0, 80)).copy()
    labels[10:12, 10:20] = 400_000_000
    labels[12:14, 10:20] = 8
    FORMATS["csv"].write(tmp_path / "a.csv", replace(drawn, labels=labels))
    _, muscle, scar, _ = rows(tmp_path / "a.csv")
    assert muscle["pixels"] == "1060"
    assert float(scar["share"]) == pytest.approx(150 / 4760, rel=1e-4)
    assert muscle["mean_intensity"] == "20"


def test_pixels_without_a_number_are_left_out_of_the_mean_of_a_class(tmp_path: Path) -> None:
    drawn = image()
    pixels = drawn.read(slice(0, 60), slice(0, 80)).astype(np.float32)
    pixels[10, 10:12] = np.nan, np.inf
    pixels[20:30, 20:30] = pixels[50:55, 60:70] = np.nan
    plane = from_arrays([pixels], axes="YX", name="gaps").plane()
    FORMATS["csv"].write(tmp_path / "a.csv", replace(drawn, plane=plane))
    _, muscle, scar, _ = rows(tmp_path / "a.csv")
    assert (muscle["pixels"], muscle["mean_intensity"]) == ("1100", "2")
    assert (scar["pixels"], scar["mean_intensity"]) == ("150", "")


def test_outlines_carry_class_names_and_colours_and_enclose_exactly_the_area(tmp_path: Path) -> None:
    FORMATS["geojson"].write(tmp_path / "a.geojson", image())
    features = json.loads((tmp_path / "a.geojson").read_text())["features"]
    names = [feature["properties"]["classification"]["name"] for feature in features]
    assert names == ["Background", "Muscle", "Scar"]
    scar = features[2]
    assert scar["properties"]["classification"]["color"] == [0, 0, 255]
    boxes = [np.ptp(np.array(piece[0]), axis=0).tolist() for piece in scar["geometry"]["coordinates"]]
    assert boxes == [[10, 10], [10, 5]]
    (muscle,) = features[1]["geometry"]["coordinates"]
    assert len(muscle) == 2  # The scar within it is a hole.


def test_a_large_image_is_outlined_coarsely_in_its_own_coordinates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_mouse_seg.export._areas._MAX_OUTLINED_PX", 1200)
    FORMATS["geojson"].write(tmp_path / "a.geojson", image())
    features = json.loads((tmp_path / "a.geojson").read_text())["features"]
    outline = np.array(features[1]["geometry"]["coordinates"][0][0])
    np.testing.assert_allclose([outline.min(0), outline.max(0)], [[10, 10], [50, 40]], atol=1)


def test_the_overlay_draws_each_class_in_its_colour(tmp_path: Path) -> None:
    FORMATS["overlay"].write(tmp_path / "a.png", image())
    pixels = np.asarray(Image.open(tmp_path / "a.png"))
    assert pixels[10, 20].tolist() == [255, 0, 0]
    assert pixels[50, 65].tolist() == [0, 0, 255]


def test_label_files_hold_the_class_labels(tmp_path: Path) -> None:
    FORMATS["tiff"].write(tmp_path / "a.tif", image())
    assert set(np.unique(tifffile.imread(tmp_path / "a.tif"))) == {1, 2, 5}
