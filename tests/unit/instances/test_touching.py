"""What the touching boundary is drawn in: objects of one piece each."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from napari_mouse_seg.instances._touching import join_pieces


def n_pieces(labels: np.ndarray, label: int) -> int:
    return int(ndimage.label(labels == label)[1])


@settings(max_examples=300)
@given(arrays(np.int32, (10, 10), elements=st.integers(0, 3)))
def test_every_object_is_one_piece(labels: np.ndarray) -> None:
    joined = join_pieces(labels)
    assert all(n_pieces(joined, label) <= 1 for label in range(1, joined.max() + 1))


def test_a_pixel_that_joins_one_object_may_cut_another_in_two() -> None:
    joined = join_pieces(np.array([[0, 1, 0], [1, 1, 2], [0, 2, 3]], np.int32))
    assert joined[1, 2] == joined[1, 1] == joined[2, 1]  # 2 was joined, in the middle of 1.
    assert joined[0, 1] != joined[1, 0]


def test_pieces_apart_are_objects_of_their_own_and_those_at_a_corner_are_joined() -> None:
    labels = np.zeros((6, 9), np.int32)
    labels[1:3, 1:3] = labels[3:5, 3:5] = labels[2:4, 7:9] = 5
    joined = join_pieces(labels)
    assert joined[1, 1] == joined[4, 4] != joined[2, 7]
    assert (joined > 0).sum() == (labels > 0).sum() + 1
