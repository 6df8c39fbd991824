"""What ``segment`` says of arguments of the wrong kind."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_mouse_seg import segment
from napari_mouse_seg.errors import PlanError, UnsupportedImageError


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"plan": {"scale": 1}}, r"The plan is dict; give SegmentPlan\("),
        ({"region": (0, 0, 8, 8)}, r"The region is tuple; give Box\("),
        ({"model": 5}, "The model is int; give a name"),
    ],
)
def test_arguments_of_the_wrong_kind_are_named(options, words):
    with pytest.raises(PlanError, match=words) as caught:
        segment(np.zeros((64, 64), np.uint8), **options)
    assert caught.value.field in options


def test_arrays_of_other_libraries_are_told_to_become_numpys():
    with pytest.raises(UnsupportedImageError, match=r"torch\.float32, which is no dtype of numpy"):
        segment(torch.zeros(64, 64))
