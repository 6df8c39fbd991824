"""Layers that are there already, put at another place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari.layers import Layer

_ARRAYS = ("scale", "rotate", "shear")
_WORDS = ("units", "axis_labels")  # Only of napari versions that have them.
_NEAR_PX = 1e-3


def put(layer: Layer, place: Mapping[str, Any]) -> None:  # Any: arguments of a napari layer
    """Change what keeps a layer from lying at a place; each change costs napari a look at the layer's data.

    Parameters
    ----------
    layer
        With as many axes as the place has.
    place
        As ``placement`` returns it.
    """
    wanted = Image(np.zeros((1,) * layer.ndim, np.uint8), **place)  # napari knows what its arguments mean.
    for name in _ARRAYS:
        if not np.allclose(getattr(layer, name), getattr(wanted, name), rtol=1e-9, atol=1e-12):
            setattr(layer, name, getattr(wanted, name))
    if np.any(np.abs(layer.translate - wanted.translate) > _NEAR_PX * np.abs(wanted.scale)):
        layer.translate = wanted.translate
    if not np.array_equal(layer.affine.affine_matrix, wanted.affine.affine_matrix):
        layer.affine = wanted.affine
    for name in _WORDS:
        if getattr(layer, name, None) != getattr(wanted, name, None):
            setattr(layer, name, getattr(wanted, name))
