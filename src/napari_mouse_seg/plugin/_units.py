"""Lengths in other units: napari draws layers in the smallest unit of all, and leaves conversion to its callers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Units = Sequence[Any] | None  # Any: pint's units


def unit_factors(mine: Units, theirs: Units, ndim: int) -> NDArray[np.float64]:
    """Return what makes coordinates in one set of units coordinates in another.

    Parameters
    ----------
    mine, theirs
        Of the last axes; None where a version of napari, or a viewer with lengths beside bare pixels, has none.
    ndim
        Number of last axes to return a factor for; 1 where one of the units is missing or no length.
    """
    factors = np.ones(ndim)
    for axis in range(1, min(ndim, len(mine or ()), len(theirs or ())) + 1):
        one, other = 1 * mine[-axis], 1 * theirs[-axis]  # type: ignore[index]  # Not None: the range would be empty.
        if one.check("[length]") and other.check("[length]"):
            factors[-axis] = one.to(theirs[-axis]).magnitude  # type: ignore[index]
    return factors
