"""Outlines: overlay pictures and GeoJSON."""

import json

import numpy as np
import pytest
from PIL import Image

from napari_mouse_seg.export import LabelImage, write_geojson, write_overlay
from napari_mouse_seg.images import from_arrays

OUTLINE = (255, 200, 0)


def polygon_area(polygon):
    areas = []
    for ring in polygon:
        x, y = np.array(ring).T
        areas.append(abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2)
    return areas[0] - sum(areas[1:])


def test_outlines_lie_inside_the_objects(image, tmp_path):
    write_overlay(tmp_path / "a.png", image)
    drawn = np.asarray(Image.open(tmp_path / "a.png"))
    assert drawn.shape == (40, 50, 3)
    assert tuple(drawn[10, 20]) == OUTLINE
    assert tuple(drawn[12, 23]) != OUTLINE
    assert tuple(drawn[9, 20]) != OUTLINE


def test_the_image_is_stretched_under_the_outlines(image, tmp_path):
    write_overlay(tmp_path / "a.png", image)
    drawn = np.asarray(Image.open(tmp_path / "a.png"))
    assert drawn[0, 0].tolist() == [0, 0, 0]
    assert drawn[39, 0, 0] > 240


def test_large_images_are_shown_at_a_fraction_of_their_size(tmp_path):
    labels = np.zeros((500, 4100), np.uint32)
    labels[100:400, 3000:4000] = 1
    level = np.zeros((500, 4100), np.uint8)
    level[:, 2000:] = 200
    plane = from_arrays([level, level[::2, ::2]], axes="YX", name="wide").plane()
    write_overlay(tmp_path / "a.png", LabelImage(labels, plane=plane))
    drawn = np.asarray(Image.open(tmp_path / "a.png"))
    assert drawn.shape == (167, 1367, 3)
    assert tuple(drawn[33, 1100]) == OUTLINE  # row 33 shows image row 3 * 33 + 1 = 100
    assert drawn[10, 600].tolist() == [0, 0, 0]
    assert drawn[10, 700].tolist() == [255, 255, 255]


def test_rgb_keeps_its_colours(labels, tmp_path):
    pixels = np.full((40, 50, 3), (10, 20, 30), np.uint8)
    plane = from_arrays([pixels], axes="YXS", name="rgb").plane()
    write_overlay(tmp_path / "a.png", LabelImage(labels, plane=plane))
    assert np.asarray(Image.open(tmp_path / "a.png"))[0, 0].tolist() == [10, 20, 30]


def test_geojson_outlines_are_in_corner_coordinates(image, tmp_path):
    write_geojson(tmp_path / "a.geojson", image)
    features = {
        feature["properties"]["name"]: feature
        for feature in json.loads((tmp_path / "a.geojson").read_text())["features"]
    }
    assert set(features) == {"3", "9", "70000"}
    block = np.array(features["3"]["geometry"]["coordinates"][0])
    assert block.min(axis=0).tolist() == [20, 10]
    assert block.max(axis=0).tolist() == [26, 14]
    assert block[0].tolist() == block[-1].tolist()


@pytest.mark.parametrize(("kind", "pieces"), [("Polygon", 1), ("MultiPolygon", 2)])
def test_holes_and_pieces_keep_their_area(kind, pieces, tmp_path):
    labels = np.zeros((60, 60), np.uint32)
    labels[5:25, 5:25] = 1
    labels[10:20, 10:20] = 0
    if pieces == 2:
        labels[40:50, 40:50] = 1
    write_geojson(tmp_path / "a.geojson", LabelImage(labels))
    geometry = json.loads((tmp_path / "a.geojson").read_text())["features"][0]["geometry"]
    assert geometry["type"] == kind
    polygons = [geometry["coordinates"]] if pieces == 1 else geometry["coordinates"]
    assert sorted(len(polygon) for polygon in polygons) == [1, 2][-pieces:] if pieces == 2 else [2]
    assert sum(polygon_area(polygon) for polygon in polygons) == pytest.approx((labels > 0).sum(), abs=3)


def test_an_object_too_large_to_be_held_is_outlined_coarsely_and_not_left_out(monkeypatch, tmp_path):
    from skimage.draw import disk

    labels = np.zeros((300, 400), np.uint32)
    labels[disk((150, 200), 120)] = 5
    labels[disk((150, 200), 50)] = 0
    labels[10:13, 5:400] = 6  # Thinner than a step.
    monkeypatch.setattr("napari_mouse_seg.export._objects.MAX_CROP_PIXELS", 400)
    monkeypatch.setattr("napari_mouse_seg.export._objects.BAND_PIXELS", 5000)
    write_geojson(tmp_path / "a.geojson", LabelImage(labels))
    features = json.loads((tmp_path / "a.geojson").read_text())["features"]
    assert {feature["properties"]["name"] for feature in features} == {"5", "6"}
    (ring,) = [feature for feature in features if feature["properties"]["name"] == "5"]
    (outline, hole) = (np.array(part) for part in ring["geometry"]["coordinates"])
    for part, radius in ((outline, 120), (hole, 50)):
        away = np.hypot(part[:, 0] - 200.5, part[:, 1] - 150.5)
        assert np.abs(away - radius).max() < 20  # Its pixels are 12 px wide.


def test_a_pyramid_with_a_gap_is_not_read_whole_for_the_overlay(monkeypatch, tmp_path):
    monkeypatch.setattr("napari_mouse_seg.export._overlay._BAND_PX", 40 * 2200)
    finest = np.random.default_rng(0).integers(0, 99, (2200, 2200)).astype(np.uint8)
    plane = from_arrays([finest, finest[::20, ::20]], axes="YX", name="gap").plane()
    largest = []
    read = type(plane).read

    def watched(self, level, box):
        largest.append(box.area)
        return read(self, level, box)

    labels = np.zeros((2200, 2200), np.uint32)
    write_overlay(tmp_path / "whole.png", LabelImage(labels, plane=plane))
    monkeypatch.setattr(type(plane), "read", watched)
    write_overlay(tmp_path / "bands.png", LabelImage(labels, plane=plane))
    assert max(largest) <= 40 * 2200
    shown = np.asarray(Image.open(tmp_path / "bands.png"))
    np.testing.assert_array_equal(shown, np.asarray(Image.open(tmp_path / "whole.png")))
    assert len(np.unique(shown)) > 50
