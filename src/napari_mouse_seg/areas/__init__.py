"""Scores → areas of classes, and how large they are."""

from napari_mouse_seg.areas._classify import classify, classify_bands
from napari_mouse_seg.areas._share import AreaShare, describe_found

__all__ = ["AreaShare", "classify", "classify_bands", "describe_found"]
