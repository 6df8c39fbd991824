"""Integer boxes in rows and columns."""

from __future__ import annotations

from typing import NamedTuple


class Box(NamedTuple):
    """Half-open rectangle ``[y0, y1) x [x0, x1)`` in pixels of one grid."""

    y0: int
    x0: int
    y1: int
    x1: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns; never negative."""
        return max(0, self.y1 - self.y0), max(0, self.x1 - self.x0)

    @property
    def area(self) -> int:
        """Number of pixels."""
        rows, columns = self.shape
        return rows * columns

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index for a (Y, X) array."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def grow(self, margin: int) -> Box:
        """Return the box with ``margin`` pixels more on each side."""
        return Box(self.y0 - margin, self.x0 - margin, self.y1 + margin, self.x1 + margin)

    def intersect(self, other: Box) -> Box:
        """Return the common part; its area is 0 if there is none."""
        return Box(max(self.y0, other.y0), max(self.x0, other.x0), min(self.y1, other.y1), min(self.x1, other.x1))

    def union(self, other: Box) -> Box:
        """Return the smallest box around both."""
        return Box(min(self.y0, other.y0), min(self.x0, other.x0), max(self.y1, other.y1), max(self.x1, other.x1))

    def contains(self, other: Box) -> bool:
        """Return whether ``other`` lies inside."""
        return self.intersect(other) == other

    def shift(self, rows: int, columns: int) -> Box:
        """Return the box moved by whole pixels."""
        return Box(self.y0 + rows, self.x0 + columns, self.y1 + rows, self.x1 + columns)
