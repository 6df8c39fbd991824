"""Summaries and tables of scores."""

import numpy as np
import pytest

from napari_mouse_seg.metrics import format_table, instance_scores, score_row, summarise


@pytest.fixture
def images():
    three = np.repeat(np.arange(1, 4), 5)[None]
    one = np.ones((1, 15), int)
    return [instance_scores(three, three), instance_scores(np.zeros_like(one), one)]


def test_pooled_weighs_objects_and_per_image_weighs_images(images):
    summary = summarise(images)
    assert summary.n_images == 2
    assert summary.pooled["recall_50"] == pytest.approx(3 / 4)
    assert summary.per_image["recall_50"] == pytest.approx(1 / 2)


def test_the_two_threshold_means_are_named(images):
    row = score_row(images[0])
    assert row["f1_iou_ten"] == row["f1_iou_nine"] == 1
    assert {"average_precision_75", "panoptic_quality", "aji", "splits"} <= set(row)


def test_means_over_thresholds_not_evaluated_are_left_out():
    labels = np.ones((2, 2), int)
    row = score_row(instance_scores(labels, labels, thresholds=(0.5,)))
    assert "f1_50" in row
    assert not {"f1_75", "f1_iou_ten", "f1_iou_nine"} & set(row)


def test_summary_is_plain_data(images):
    import json

    assert json.loads(json.dumps(summarise(images).as_dict()))["pooled"]["n_truth"] == 4


def test_table_lines_up_and_marks_what_is_missing():
    table = format_table({"a": {"f1_50": 0.5, "splits": 3}, "long name": {"f1_50": 1.0}}, ["f1_50", "splits"])
    assert table.splitlines() == [
        "           f1_50  splits",
        "a          0.500       3",
        "long name  1.000       -",
    ]
