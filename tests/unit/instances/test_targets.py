from __future__ import annotations

import numpy as np

from helpers.scenes import draw_discs
from napari_mouse_seg.instances import encode_targets, normalised_distance, touching_boundary


def test_the_touching_boundary_lies_only_where_two_objects_meet() -> None:
    labels = draw_discs((60, 90), [(30, 20), (30, 34), (30, 70)], 8)
    boundary = touching_boundary(labels, 2)
    columns = np.flatnonzero(boundary.any(0))
    assert columns.min() >= 24
    assert columns.max() <= 30
    assert not boundary[:, 55:].any()


def test_a_gap_between_close_objects_is_touching_boundary_and_a_wide_one_is_not() -> None:
    labels = np.zeros((9, 20), np.int32)
    labels[:, 4:8] = 1
    labels[:, 9:13] = 2
    assert touching_boundary(labels, 1)[:, 8].all()
    labels[:, 9:13] = 0
    labels[:, 12:16] = 2
    assert not touching_boundary(labels, 1).any()


def test_the_distance_peaks_at_one_in_every_object_and_neighbours_are_edges() -> None:
    labels = np.zeros((11, 24), np.int32)
    labels[2:9, 2:9] = 1
    labels[2:9, 9:20] = 2
    distance = normalised_distance(labels)
    assert distance[labels == 1].max() == distance[labels == 2].max() == 1
    assert distance[5, 8] == distance[5, 2] < 0.5
    assert not distance[labels == 0].any()


def test_the_image_border_is_no_edge_of_an_object() -> None:
    labels = np.zeros((9, 9), np.int32)
    labels[2:7, 0:5] = 1
    distance = normalised_distance(labels)
    assert distance[4, 0] == 1


def test_targets_are_three_float_maps_and_gaps_in_the_ids_do_no_harm() -> None:
    labels = np.zeros((12, 12), np.int32)
    labels[2:6, 2:6] = 7
    targets = encode_targets(labels)
    assert targets.shape == (3, 12, 12)
    assert targets.dtype == np.float32
    np.testing.assert_array_equal(targets[0], labels > 0)
    assert targets[2].max() == 1
