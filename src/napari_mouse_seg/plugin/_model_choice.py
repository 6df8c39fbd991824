"""Models in the words of the panels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_mouse_seg.widgets import ModelChoice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_mouse_seg.networks import Model, ModelCard

_RGB = 3


def fitting(models: Sequence[Model], usual: int, *, coloured: bool) -> int:
    """Return the position of a model: the first that sees colours if they are wanted, otherwise the usual one."""
    if not coloured:
        return usual
    with_colours = (place for place, model in enumerate(models) if model.card.architecture.in_channels == _RGB)
    return next(with_colours, usual)


def choice_of(model: Model) -> ModelChoice:
    """Return a model as a panel shows it."""
    card = model.card
    size = _size(card)
    details = [
        card.summary,
        f"Works at {size}; {card.modality} images.",
        f"Trained on: {'; '.join(card.training_data)}" if card.training_data else "",
        f"Known failures: {'; '.join(card.known_failures)}" if card.known_failures else "",
    ]
    line = f"{card.summary.rstrip('.')} ({size})"
    return ModelChoice(card.name, line, "\n".join(filter(None, details)), card.instances, card.classes)


def _size(card: ModelCard) -> str:
    """Return at which scale a model sees images; where it knows no pixel size, the size of its objects says it."""
    if card.pixel_size_um is not None:
        return f"{card.pixel_size_um:g} µm/px"
    if card.object_diameter_px is not None:
        return f"objects about {card.object_diameter_px:g} px across"
    return "any pixel size"
