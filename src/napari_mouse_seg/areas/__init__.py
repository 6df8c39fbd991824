"""Scores → areas of classes, and how large they are."""

from napari_mouse_seg.areas._classify import classify, classify_bands
from napari_mouse_seg.areas._share import AreaShare, area_shares, describe_found

__all__ = ["AreaShare", "area_shares", "classify", "classify_bands", "describe_found"]
