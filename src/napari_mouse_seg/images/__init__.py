"""Lazy multi-level images and their intensity statistics; no torch."""

from napari_mouse_seg.images._intensity import IntensityRange, compress, intensity_range, normalise, stretch

__all__ = ["IntensityRange", "compress", "intensity_range", "normalise", "stretch"]
