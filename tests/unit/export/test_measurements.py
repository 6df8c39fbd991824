"""Measurements of drawn objects, and agreement with scikit-image."""

import csv

import numpy as np
import pytest

from napari_mouse_seg.export import LabelImage, measure_objects, write_measurements
from napari_mouse_seg.images import from_arrays


def row(columns, label):
    return {name: values[list(columns["label"]).index(label)] for name, values in columns.items()}


def test_hand_worked_block(image):
    block = row(measure_objects(image), 3)
    assert block["area_um2"] == 24 * 0.25
    assert (block["centroid_y_um"], block["centroid_x_um"]) == (11.5 * 0.5, 22.5 * 0.5)
    assert block["equivalent_diameter_um"] == pytest.approx(2 * np.sqrt(6 / np.pi))
    assert [block[f"bbox_{edge}_px"] for edge in ("y0", "x0", "y1", "x1")] == [10, 20, 14, 26]
    assert block["solidity"] == 1
    assert block["perimeter_um"] == pytest.approx(0.5 * (2 * 3 + 2 * 5))
    assert (block["min_intensity"], block["max_intensity"]) == (1020, 1325)
    assert block["mean_intensity"] == pytest.approx(1150 + 22.5)


def test_an_object_with_a_dent_is_less_solid(image):
    columns = measure_objects(image)
    assert row(columns, 70000)["solidity"] < 1
    assert row(columns, 70000)["area_um2"] == 12 * 0.25


def test_units_stand_in_the_column_names(labels):
    columns = measure_objects(LabelImage(labels))
    assert {"centroid_y_px", "area_px2", "perimeter_px"} <= set(columns)
    assert not [name for name in columns if "um" in name or "intensity" in name]


def test_perimeter_is_unknown_where_pixels_are_not_square(labels):
    block = row(measure_objects(LabelImage(labels, (1.0, 2.0))), 3)
    assert np.isnan(block["perimeter_um"])
    assert block["area_um2"] == 48


def test_rgb_is_measured_by_channel(labels):
    pixels = np.zeros((40, 50, 3), np.uint8)
    pixels[..., 1] = 7
    plane = from_arrays([pixels], axes="YXS", name="rgb").plane()
    block = row(measure_objects(LabelImage(labels, plane=plane)), 3)
    assert (block["mean_intensity_red"], block["mean_intensity_green"]) == (0, 7)


def test_bands_and_cells_do_not_change_the_measurements(image, monkeypatch):
    whole = measure_objects(image)
    monkeypatch.setattr("napari_mouse_seg.export._objects.BAND_PIXELS", 150)
    monkeypatch.setattr("napari_mouse_seg.export._objects._CELL_PX", 2)
    for name, values in measure_objects(image).items():
        np.testing.assert_allclose(values, whole[name], err_msg=name)


def test_the_shape_of_objects_in_boxes_too_large_to_hold_is_about_right(monkeypatch):
    from skimage.draw import disk

    labels = np.zeros((300, 400), np.uint32)
    labels[disk((150, 200), 120)] = 5
    labels[disk((20, 30), 10)] = 6
    exact = measure_objects(LabelImage(labels))
    monkeypatch.setattr("napari_mouse_seg.export._objects.MAX_CROP_PIXELS", 8000)
    monkeypatch.setattr("napari_mouse_seg.export._objects.BAND_PIXELS", 5000)
    rough = measure_objects(LabelImage(labels))
    assert (rough["area_px2"] == exact["area_px2"]).all()
    for name in ("perimeter_px", "solidity"):
        assert rough[name][0] == pytest.approx(exact[name][0], rel=0.05)
        assert rough[name][1] == exact[name][1]


def test_definitions_are_those_of_scikit_image():
    from skimage.draw import ellipse
    from skimage.measure import regionprops_table

    rng = np.random.default_rng(1)
    labels = np.zeros((200, 300), np.uint32)
    for label in range(1, 30):
        y, x = rng.integers(20, 180), rng.integers(20, 280)
        labels[ellipse(y, x, *rng.integers(3, 15, 2), shape=labels.shape, rotation=rng.uniform(0, 3))] = label
    pixels = rng.normal(100, 20, labels.shape).astype(np.float32)
    image = LabelImage(labels, plane=from_arrays([pixels], axes="YX", name="noise").plane())
    names = {
        "centroid-0": "centroid_y_px",
        "centroid-1": "centroid_x_px",
        "area": "area_px2",
        "equivalent_diameter_area": "equivalent_diameter_px",
        "perimeter": "perimeter_px",
        "solidity": "solidity",
        "eccentricity": "eccentricity",
        "intensity_mean": "mean_intensity",
        "intensity_max": "max_intensity",
    }
    properties = ["centroid", *(name for name in names if "centroid" not in name)]
    expected = regionprops_table(labels.astype(int), pixels, properties=properties)
    columns = measure_objects(image)
    for theirs, ours in names.items():
        np.testing.assert_allclose(columns[ours], expected[theirs], rtol=1e-4, atol=1e-4, err_msg=ours)


def test_csv_has_a_row_an_object_and_empty_cells_for_the_unknown(labels, tmp_path):
    write_measurements(tmp_path / "a.csv", LabelImage(labels, (1.0, 2.0)))
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [line["label"] for line in rows] == ["3", "9", "70000"]
    assert rows[0]["perimeter_um"] == ""
    assert rows[0]["area_um2"] == "48"


def test_csv_holds_positions_and_areas_of_whole_slides_to_the_pixel(tmp_path, monkeypatch):
    table = {"label": np.array([1]), "centroid_x_px": np.array([1234567.25]), "area_px2": np.array([12345678.0])}
    monkeypatch.setattr("napari_mouse_seg.export._measurements.measure_objects", lambda _: table)
    write_measurements(tmp_path / "a.csv", LabelImage(np.zeros((2, 2), np.uint32)))
    assert (tmp_path / "a.csv").read_text().split() == ["label,centroid_x_px,area_px2", "1,1234567.25,12345678"]


def test_pixels_without_a_number_are_left_out_of_intensities(labels, monkeypatch):
    pixels = np.full(labels.shape, 5, np.float32)
    pixels[10, 20:24] = np.nan, np.inf, -np.inf, 25
    pixels[39, 49] = np.nan
    plane = from_arrays([pixels], axes="YX", name="gaps").plane()
    monkeypatch.setattr("napari_mouse_seg.export._objects.BAND_PIXELS", 50)
    columns = measure_objects(LabelImage(labels, plane=plane))
    names = ("mean_intensity", "min_intensity", "max_intensity")
    assert [row(columns, 3)[name] for name in names] == [(20 * 5 + 25) / 21, 5, 25]
    assert all(np.isnan(row(columns, 9)[name]) for name in names)
