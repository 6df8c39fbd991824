"""Colour maps of TIFF files: the colours of a picture, or a way to show intensities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tifffile import TiffPage

_PHOTOMETRIC_PALETTE = 3
_ROUNDING = 2


def palette_colours(page: TiffPage) -> NDArray[np.uint8] | None:
    """Return the colours of a page whose pixels are indices of them.

    Microscopes' programs store how intensities are shown as a colour map; there, and where the map is a ramp of one
    colour, the indices are the intensities.

    Returns
    -------
    NDArray or None
        (n, 3) red, green, blue; None if pixels are no indices of colours.
    """
    if int(page.photometric) != _PHOTOMETRIC_PALETTE or page.colormap is None or _shows_intensities(page.parent):
        return None
    entries = page.colormap.T
    n_bits = 8 if entries.max() > np.iinfo(np.uint8).max else 0  # some writers store 8 bits in the 16 of an entry
    colours = (entries >> n_bits).astype(np.uint8)
    return None if _is_ramp(colours.astype(np.float32)) else colours


def _shows_intensities(tiff: Any) -> bool:  # Any: tifffile's TiffFile, whose flags are made at run time
    """Whether the format stores lookup tables of intensities as colour maps."""
    return bool(tiff.is_imagej or tiff.is_ome or tiff.is_lsm or tiff.is_stk or tiff.is_nih)


def _is_ramp(colours: NDArray[np.float32]) -> bool:
    """Whether (n, 3) colours go from dark to bright in one hue."""
    brightest = colours[colours.sum(1).argmax()]
    if not brightest.any():
        return True
    share = colours @ brightest / (brightest @ brightest)
    return bool((np.diff(share) >= 0).all() and np.abs(colours - np.outer(share, brightest)).max() <= _ROUNDING)
