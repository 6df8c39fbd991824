"""The dock widget *Models* that the manifest names."""

from __future__ import annotations

from napari_mouse_seg.widgets import CardView


class ModelsWidget(CardView):
    """The cards of the bundled models."""

    def __init__(self) -> None:
        from napari_mouse_seg.networks import list_models

        super().__init__([(model.card.name, model.card) for model in list_models()])
