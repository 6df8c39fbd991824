"""Classes → how napari shows a labels layer of areas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.utils import DirectLabelColormap

from napari_mouse_seg.plans import BACKGROUND_LABEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_mouse_seg.plans import ClassPlan

_CLEAR = "#00000000"


def class_display(classes: Sequence[ClassPlan], *, hide_background: bool = False) -> dict[str, Any]:  # Any: napari's
    """Return the arguments of a labels layer that give each class its colour, and its name in the status bar.

    Parameters
    ----------
    classes
        What the labels mean; labels of no class are clear.
    hide_background
        Whether the class of the background is clear too, so that the image shows there.
    """
    colours: dict[int | None, str] = {None: _CLEAR, 0: _CLEAR}
    colours |= {entry.label: entry.colour for entry in classes}
    if hide_background:
        colours[BACKGROUND_LABEL] = _CLEAR
    names = {"index": [entry.label for entry in classes], "class": [entry.name for entry in classes]}
    return {"colormap": DirectLabelColormap(color_dict=colours), "features": names}
