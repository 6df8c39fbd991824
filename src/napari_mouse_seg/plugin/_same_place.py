"""Whether a layer can be moved to a new place, or must be made anew for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari.layers import Layer

_ARRAYS = ("scale", "rotate", "shear")
_WORDS = ("units", "axis_labels")  # Only of napari versions that have them.


def differs_by_position(layer: Layer, place: Mapping[str, Any]) -> bool:  # Any: arguments of a napari layer
    """Return whether nothing but its ``translate`` keeps a layer from lying at a place.

    Parameters
    ----------
    layer
        In a viewer.
    place
        As ``placement`` returns it.
    """
    n_axes = len(place["scale"])
    if layer.ndim != n_axes:
        return False
    wanted = Image(np.zeros((1,) * n_axes, np.uint8), **place)  # napari knows what its arguments mean.
    arrays = [(getattr(layer, name), getattr(wanted, name)) for name in _ARRAYS]
    arrays.append((layer.affine.affine_matrix, wanted.affine.affine_matrix))
    words = [getattr(layer, name, None) == getattr(wanted, name, None) for name in _WORDS]
    return all(words) and all(np.allclose(mine, other) for mine, other in arrays)
