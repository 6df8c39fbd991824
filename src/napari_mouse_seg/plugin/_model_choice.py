"""Models in the words of the panels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_mouse_seg.widgets import ModelChoice

if TYPE_CHECKING:
    from napari_mouse_seg.networks import Model


def choice_of(model: Model) -> ModelChoice:
    """Return a model as a panel shows it."""
    card = model.card
    size = f"{card.pixel_size_um:g} µm/px" if card.pixel_size_um is not None else "any pixel size"
    details = [
        card.summary,
        f"Works at {size}, {card.modality} images.",
        f"Trained on: {'; '.join(card.training_data)}" if card.training_data else "",
        f"Known failures: {'; '.join(card.known_failures)}" if card.known_failures else "",
    ]
    line = f"{card.summary.rstrip('.')} ({size})"
    return ModelChoice(card.name, line, "\n".join(filter(None, details)), card.instances, card.classes)
