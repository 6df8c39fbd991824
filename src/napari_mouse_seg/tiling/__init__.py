"""Integer geometry of tiles; no pixels, no torch."""

from napari_mouse_seg.tiling._box import Box
from napari_mouse_seg.tiling._grid import SCORE_ONE, WEIGHT_ONE, Tile, TileGrid, plan_tiles

__all__ = ["SCORE_ONE", "WEIGHT_ONE", "Box", "Tile", "TileGrid", "plan_tiles"]
