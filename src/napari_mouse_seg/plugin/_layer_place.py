"""Layers that are there already, put at another place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari.layers import Layer

_ARRAYS = ("scale", "translate", "rotate", "shear")
_WORDS = ("units", "axis_labels")  # Only of napari versions that have them.


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
        if not np.allclose(getattr(layer, name), getattr(wanted, name)):
            setattr(layer, name, getattr(wanted, name))
    if not np.allclose(layer.affine.affine_matrix, wanted.affine.affine_matrix):
        layer.affine = wanted.affine
    for name in _WORDS:
        if getattr(layer, name, None) != getattr(wanted, name, None):
            setattr(layer, name, getattr(wanted, name))
