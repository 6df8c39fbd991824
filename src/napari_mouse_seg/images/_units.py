"""Length units as microscopy files write them."""

from __future__ import annotations

import math

_UM_PER_UNIT = {
    "pm": 1e-6,
    "å": 1e-4,
    "angstrom": 1e-4,
    "nm": 1e-3,
    "nanometer": 1e-3,
    "um": 1.0,
    "micron": 1.0,
    "micrometer": 1.0,
    "mm": 1e3,
    "millimeter": 1e3,
    "cm": 1e4,
    "centimeter": 1e4,
    "m": 1e6,
    "meter": 1e6,
    "inch": 25_400.0,
    "in": 25_400.0,
}
_MAX_LENGTH_UM = 1e5
_MIN_LENGTH_UM = 1e-6


def to_um(value: float | str | None, unit: str | None) -> float | None:
    """Return a length in micrometres; None if it is missing, not positive, or of an unknown unit.

    Accepts short and long names, plural and British spelling, and both Unicode micro signs.
    """
    factor = _UM_PER_UNIT.get(_plain(unit))
    if factor is None or value is None:
        return None
    try:
        length = float(value) * factor
    except ValueError:
        return None
    return length if math.isfinite(length) and _MIN_LENGTH_UM <= length <= _MAX_LENGTH_UM else None


def pixel_size(y: float | None, x: float | None) -> tuple[float, float] | None:
    """Return both sizes, the one taking the other's value where it is missing; None if both are."""
    if y is None and x is None:
        return None
    return (y if y is not None else x or 0.0), (x if x is not None else y or 0.0)


def _plain(unit: str | None) -> str:
    """One spelling for each unit."""
    if not unit:
        return ""
    text = unit.strip().lower().replace("\\u00b5", "u").replace("µ", "u").replace("μ", "u")
    text = text.replace("metre", "meter")
    return text.removesuffix("s") if len(text) > 2 else text
