"""What a training can start from: the models of the shelf, and networks that know nothing yet."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_mouse_seg.plans import InstancesPlan
from napari_mouse_seg.plugin._model_choice import choice_of
from napari_mouse_seg.widgets import ModelChoice

if TYPE_CHECKING:
    from napari_mouse_seg.networks import Model
    from napari_mouse_seg.plugin._model_shelf import ModelShelf
    from napari_mouse_seg.projects import Project
    from napari_mouse_seg.session import TrainSession
    from napari_mouse_seg.widgets import TrainPanel


class BaseModels:
    """The list of the panel, and which one is chosen.

    Parameters
    ----------
    panel
        Shows the list.
    shelf
        Models that are there.
    session
        Whose project says what it was trained from.

    Attributes
    ----------
    name
        Value for ``ProjectPlan.base`` of the chosen one.
    model
        The chosen one; None if it is a new network.
    """

    def __init__(self, panel: TrainPanel, shelf: ModelShelf, session: TrainSession) -> None:
        self._panel = panel
        self._shelf = shelf
        self._session = session
        self._listed: list[tuple[str, Model | None]] = []
        self.name = ""
        self.model: Model | None = None

    def show(self) -> None:
        """List what there is; the project's base, or what was chosen, is chosen."""
        from napari_mouse_seg.networks import list_models
        from napari_mouse_seg.pipeline import new_networks

        bundled = {model.path for model in list_models()}
        models = self._shelf.models
        self._listed = [(model.card.name if model.path in bundled else str(model.path), model) for model in models]
        choices = [choice_of(model) for model in models]
        for name, text in new_networks().items():
            self._listed.append((name, None))
            choices.append(ModelChoice(text, "Knows nothing yet; needs more paint and time.", text, InstancesPlan()))
        names = [name for name, _ in self._listed]
        wanted = self._session.project.plan.base if self._session.project else self.name
        position = names.index(wanted) if wanted in names else 0
        self.choose(position)
        self._panel.set_models(choices, position)

    def choose(self, position: int) -> str:
        """Choose by position, and return the name."""
        inside = 0 <= position < len(self._listed)
        self.name, self.model = self._listed[position] if inside else ("", None)
        return self.name

    def put_round(self, project: Project, number: int) -> Model | None:
        """Put the model of a round on the shelf and return it; None if there is no such round.

        Raises
        ------
        ModelError
            If its file is missing or damaged.
        """
        from napari_mouse_seg.networks import load_model

        entry = next((entry for entry in project.plan.rounds if entry.number == number), None)
        if entry is None:
            return None
        model = load_model(project.round_file(number))
        model = replace(model, card=model.card.replace(name=entry.name))  # It may have been renamed since.
        self._shelf.put(model)
        return model
