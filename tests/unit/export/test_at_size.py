"""Labels at the image's size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_mouse_seg.export import LabelImage, at_image_size, number_anew

SMALL = np.array([[1, 2], [3, 4]], np.uint32)


def test_whole_factor_repeats_pixels():
    scaled = at_image_size(SMALL, (2.0, 3.0), (4, 6))
    assert scaled.shape == (4, 6)
    assert scaled[:, :].tolist() == np.repeat(np.repeat(SMALL, 2, 0), 3, 1).tolist()


def test_finer_network_grid_is_thinned_at_pixel_centres():
    fine = np.arange(16, dtype=np.uint32).reshape(4, 4)
    # Image pixel 0 has its centre at 0.5; at 0.5 image px a label px that is label pixel 1.
    assert at_image_size(fine, (0.5, 0.5), (2, 2))[:, :].tolist() == [[5, 7], [13, 15]]


def test_rows_past_the_last_label_take_the_last():
    assert at_image_size(SMALL, (2.0, 2.0), (5, 4))[4:5, 0:4].tolist() == [[3, 3, 4, 4]]


def test_same_grid_is_handed_back():
    assert at_image_size(SMALL, (1.0, 1.0), (2, 2)) is SMALL


@given(
    scale=st.tuples(st.floats(0.3, 3), st.floats(0.3, 3)),
    box=st.tuples(*[st.integers(0, 30)] * 4),
)
def test_any_part_is_the_crop_of_the_whole(scale, box):
    labels = np.arange(80, dtype=np.uint32).reshape(8, 10)
    scaled = at_image_size(labels, scale, (int(8 * scale[0]), int(10 * scale[1])))
    rows, columns = slice(min(box[:2]), max(box[:2])), slice(min(box[2:]), max(box[2:]))
    np.testing.assert_array_equal(scaled[rows, columns], scaled[:, :][rows, columns])


@pytest.mark.parametrize("scale", [1.7, 0.6])
def test_area_grows_with_the_square_of_the_scale(scale):
    labels = np.zeros((100, 100), np.uint32)
    labels[20:70, 30:80] = 1
    side = round(100 * scale)
    assert at_image_size(labels, (scale, scale), (side, side))[:, :].sum() == pytest.approx(2500 * scale**2, rel=0.05)


def test_ids_without_gaps_are_left_as_they_are():
    labels, count = number_anew(SMALL, 4)
    assert labels is SMALL
    assert count == 4


def test_gaps_in_ids_are_closed_in_their_order(monkeypatch):
    monkeypatch.setattr("napari_mouse_seg.export._at_size._BAND_PIXELS", 5)  # Bands of two rows.
    gappy = np.array([[0, 7, 7], [2, 0, 0], [0, 9, 0], [0, 0, 4], [7, 0, 0]], np.uint32)
    labels, count = number_anew(gappy, 11)
    assert count == 4
    assert labels[:, :].tolist() == [[0, 3, 3], [1, 0, 0], [0, 4, 0], [0, 0, 2], [3, 0, 0]]
    assert LabelImage(labels).read(slice(3, 5), slice(1, 3)).tolist() == [[0, 2], [0, 0]]
