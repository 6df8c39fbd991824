"""Which dtype stored pixels are read as, and which of them are labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.errors import UnsupportedImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PIXEL_DTYPES = {
    "bool": "uint8",
    "uint8": "uint8",
    "int8": "int16",
    "uint16": "uint16",
    "int16": "int16",
    "float16": "float32",
    "float32": "float32",
    "float64": "float32",
    "uint32": "uint32",
    "int32": "uint32",
    "int64": "uint32",
    "uint64": "uint32",
}

LABEL_DTYPE = np.dtype(np.uint32)
"""Of label images, whose values are names; ``refuse_labels`` keeps them out where intensities are meant.

All integers of 32 and 64 bits are taken for labels: that is what they are used for.
"""


def pixel_dtype(dtype: Any, name: str) -> np.dtype[Any]:  # Any: whatever numpy takes for a dtype
    """Return the dtype that pixels of ``dtype`` are read as.

    bool is read as uint8 (0 and 1), int8 as int16, float16 and float64 as float32, integers of 32 and 64 bits, which
    are labels, as uint32; others stay.

    Raises
    ------
    UnsupportedImageError
        If there is no lossless and no harmless conversion, as for complex numbers, or it is no dtype of numpy.
    """
    try:
        found = np.dtype(dtype)
    except TypeError as error:
        raise UnsupportedImageError(f"{name} holds {dtype}, which is no dtype of numpy; give a numpy array.") from error
    if found.name not in _PIXEL_DTYPES:
        raise _unsupported(found, name)
    return np.dtype(_PIXEL_DTYPES[found.name])


def refuse_labels(dtype: Any, name: str) -> None:  # Any: whatever numpy takes for a dtype
    """Raise ``UnsupportedImageError`` for dtypes that are read as ``LABEL_DTYPE``, in any byte order."""
    if pixel_dtype(dtype, name) == LABEL_DTYPE:
        raise _unsupported(np.dtype(dtype), name)


def as_pixels(pixels: NDArray[Any], dtype: np.dtype[Any], name: str) -> NDArray[Any]:
    """Return stored pixels as ``dtype``, from ``pixel_dtype``.

    Raises
    ------
    UnsupportedImageError
        If they are labels that do not fit into it.
    """
    if dtype == LABEL_DTYPE and pixels.dtype.name != LABEL_DTYPE.name and pixels.size:
        low, high = int(pixels.min()), int(pixels.max())
        if low < 0 or high > np.iinfo(LABEL_DTYPE).max:
            raise UnsupportedImageError(
                f"{name} holds labels from {low:,} to {high:,}, and only those from 0 to 4,294,967,295 can be used; "
                "number them anew."
            )
    return pixels.astype(dtype, copy=False)


def _unsupported(dtype: np.dtype[Any], name: str) -> UnsupportedImageError:
    return UnsupportedImageError(
        f"{name} holds {dtype.name} pixels, which are not supported; convert it to uint8, uint16, int16 or float32."
    )
