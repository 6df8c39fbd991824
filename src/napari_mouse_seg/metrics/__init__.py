"""Scores of objects and of areas against the truth: pure functions of two label images."""

from napari_mouse_seg.metrics._areas import AreaScores, area_scores, pool_areas
from napari_mouse_seg.metrics._match import Matches, match_instances
from napari_mouse_seg.metrics._scores import IOU_NINE, IOU_TEN, InstanceScores, instance_scores, pool_scores
from napari_mouse_seg.metrics._summary import Summary, format_table, score_row, summarise

__all__ = [
    "IOU_NINE",
    "IOU_TEN",
    "AreaScores",
    "InstanceScores",
    "Matches",
    "Summary",
    "area_scores",
    "format_table",
    "instance_scores",
    "match_instances",
    "pool_areas",
    "pool_scores",
    "score_row",
    "summarise",
]
