"""Files that hold several images: positions of a stage, regions of a slide."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_mouse_seg.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Series:
    """Which of the images of a file this is.

    Attributes
    ----------
    index
        From 0, in the order of the file.
    names
        Of all of them.
    is_chosen
        Whether someone asked for it.
    """

    index: int
    names: tuple[str, ...]
    is_chosen: bool

    @property
    def name(self) -> str:
        """Of this one."""
        return self.names[self.index]


def choose_series(path: Path, names: Sequence[str], first: int, wanted: int | None) -> Series | None:
    """Return which image of a file is to be opened; None if there is but one.

    Parameters
    ----------
    path
        For messages.
    names
        As the file has them; those without one get their number.
    first
        Taken if nobody has chosen.
    wanted
        The choice, or None.

    Raises
    ------
    PlanError
        If there is no such image in the file.
    """
    index = first if wanted is None else wanted
    if not 0 <= index < len(names):
        held = "one image" if len(names) == 1 else f"{len(names)} images"
        choice = "leave the series out" if len(names) == 1 else f"choose one from 0 to {len(names) - 1}"
        raise PlanError(f"{path} holds {held} and no series {index}: {choice}.", "series")
    if len(names) == 1:
        return None
    return Series(index, _told_apart(names), wanted is not None)


def _told_apart(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names, with their number where there is none or another has the same."""
    counts = Counter(name.strip() for name in names)
    own = ((number, name.strip()) for number, name in enumerate(names))
    return tuple(
        f"series {number}" if not name else name if counts[name] == 1 else f"{name} ({number})" for number, name in own
    )
