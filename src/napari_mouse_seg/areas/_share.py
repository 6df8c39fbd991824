"""How much of an image each class takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_mouse_seg.plans import ClassPlan, Plan

if TYPE_CHECKING:
    from collections.abc import Sequence


class AreaShare(Plan):
    """One class of a result.

    Attributes
    ----------
    plan
        Label, name and colour.
    n_pixels
        Of the class, on the network's grid.
    share
        Of all pixels that were segmented, 0 to 1.
    """

    plan: ClassPlan
    n_pixels: int
    share: float


def area_shares(classes: Sequence[ClassPlan], n_pixels: Sequence[int]) -> tuple[AreaShare, ...]:
    """Return each class with its pixels and their share of the pixels of all classes."""
    total = max(1, sum(n_pixels))
    return tuple(
        AreaShare(plan=entry, n_pixels=number, share=number / total)
        for entry, number in zip(classes, n_pixels, strict=True)
    )


_PERCENT = "\N{NO-BREAK SPACE}%"


def describe_found(n_objects: int, shares: Sequence[AreaShare]) -> str:
    """Return what a run found, for people: ``149 objects``, or ``Muscle 81.2 %, Scar 12.0 %``, the largest first."""
    if not shares:
        return f"{n_objects:,} {'object' if n_objects == 1 else 'objects'}"
    ordered = sorted(shares, key=lambda entry: -entry.n_pixels)
    return ", ".join(f"{entry.plan.name} {100 * entry.share:.1f}{_PERCENT}" for entry in ordered)
