"""Tiles → scores: read, normalise, batch, blend; torch is loaded with the first network."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from napari_mouse_seg.inference._cache import ScoreStore, require_free, sparse_zeros
    from napari_mouse_seg.inference._flips import flipped, mean_over_flips
    from napari_mouse_seg.inference._kept import KeptTiles, Setup, holding, remove_kept, require_unused
    from napari_mouse_seg.inference._runner import NetworkRunner, load_runner
    from napari_mouse_seg.inference._scores import Scorer
    from napari_mouse_seg.inference._source import Source, SourcePlan, choose_level, measure_intensities

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_cache": ["ScoreStore", "require_free", "sparse_zeros"],
        "_flips": ["flipped", "mean_over_flips"],
        "_kept": ["KeptTiles", "Setup", "holding", "remove_kept", "require_unused"],
        "_runner": ["NetworkRunner", "load_runner"],
        "_scores": ["Scorer"],
        "_source": ["Source", "SourcePlan", "choose_level", "measure_intensities"],
    },
)

__all__ = [
    "KeptTiles",
    "NetworkRunner",
    "ScoreStore",
    "Scorer",
    "Setup",
    "Source",
    "SourcePlan",
    "choose_level",
    "flipped",
    "holding",
    "load_runner",
    "mean_over_flips",
    "measure_intensities",
    "remove_kept",
    "require_free",
    "require_unused",
    "sparse_zeros",
]
