"""What a training can start from: the models of the shelf, and networks that know nothing yet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.events import Event, Finished
from napari_mouse_seg.plans import InstancesPlan
from napari_mouse_seg.plugin._model_choice import choice_of, fitting
from napari_mouse_seg.widgets import ModelChoice

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from napari_mouse_seg.images import MultiscaleImage
    from napari_mouse_seg.networks import Model
    from napari_mouse_seg.plugin._model_shelf import ModelShelf
    from napari_mouse_seg.plugin._paint_kind import PaintKind
    from napari_mouse_seg.plugin._runner import ThreadRunner
    from napari_mouse_seg.plugin._stain_look import StainLook
    from napari_mouse_seg.session import TrainSession
    from napari_mouse_seg.widgets import TrainPanel

_SUFFIX = ".safetensors"
_NEW_OUTPUTS = "It finds something else: its layers are kept, its outputs are new."
_KNOWS_NOTHING = "Knows nothing yet; needs more paint and time."
_MISSING = "It is not here any more, so training cannot start from it; choose another one."


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
    kind
        What is painted, which the model must learn.
    runner
        Reads a model file that is not on the shelf.
    look
        Tells which images are stained sections.

    Attributes
    ----------
    name
        Value for ``ProjectPlan.base`` of the chosen one.
    model
        The chosen one; None if it is a new network, or missing.
    fetched
        The project's base has been looked for.
    """

    fetched = Signal()

    def __init__(
        self,
        panel: TrainPanel,
        shelf: ModelShelf,
        session: TrainSession,
        kind: PaintKind,
        runner: ThreadRunner,
        look: StainLook,
    ) -> None:
        from napari_mouse_seg.networks import list_models

        self._panel = panel
        self._shelf = shelf
        self._session = session
        self._kind = kind
        self._runner = runner
        self._look = look
        self._listed: list[tuple[str, Model | None]] = []
        self._bundled = {model.path for model in list_models()}
        self._sought, self._is_reading = "", False
        self._image: MultiscaleImage | None = None
        self._is_wanted = False
        self.name = ""
        self.model: Model | None = None

    @property
    def problem(self) -> str:
        """Why training cannot start from the project's base, in words; empty if it can."""
        project = self._session.project
        if project is None or self._is_reading or self._is_there(project.plan.base):
            return ""
        return f"The project's base model “{_short(project.plan.base)}” is not here any more; choose another one."

    def show(self) -> None:
        """List what there is; the project's base, or what was chosen, is chosen."""
        from napari_mouse_seg.pipeline import new_networks

        models = [model for model in self._shelf.models if model.card.is_trainable]
        self._listed = [(self._name_of(model), model) for model in models]
        choices = [self._choice(model) for model in models]
        for name, text in new_networks().items():
            self._listed.append((name, None))
            choices.append(ModelChoice(text, _KNOWS_NOTHING, text, InstancesPlan()))
        project = self._session.project
        wanted = self._wanted(models) if project is None else project.plan.base
        if project is not None and not self._is_there(wanted):
            self._seek(wanted)
            self._listed.append((wanted, None))
            mark, line = ("", "It is being read…") if self._is_reading else (" (missing)", _MISSING)
            choices.append(ModelChoice(f"{_short(wanted)}{mark}", line, wanted, InstancesPlan()))
        names = [name for name, _ in self._listed]
        position = names.index(wanted) if wanted in names else 0
        self.choose(position)
        self._panel.set_models(choices, position)

    def suit(self, image: MultiscaleImage | None) -> None:
        """Prefer a base that sees an image as it is, as long as nobody has chosen one."""
        self._image = image

    def choose_by_hand(self, position: int) -> str:
        """Choose by position for good, and return the name."""
        self._is_wanted = True
        return self.choose(position)

    def choose(self, position: int) -> str:
        """Choose by position, and return the name."""
        inside = 0 <= position < len(self._listed)
        self.name, self.model = self._listed[position] if inside else ("", None)
        return self.name

    def _wanted(self, models: Sequence[Model]) -> str:
        """Return the name of what was chosen, otherwise of what fits the image."""
        if self._is_wanted or self._image is None or not models:
            return self.name
        return self._name_of(models[fitting(models, 0, coloured=self._look.is_stained(self._image))])

    def _seek(self, name: str) -> None:
        """Read the project's base, once, if it is a file that lies elsewhere; its model then goes on the shelf."""
        if name.endswith(_SUFFIX) and name != self._sought:
            self._sought, self._is_reading = name, True
            self._runner.start(_read(Path(name)), self._on_read, self._on_end)

    def _choice(self, model: Model) -> ModelChoice:
        choice = choice_of(model)
        if self._kind.kind == "areas":
            is_new = model.card.targets.outputs != tuple(entry.name for entry in self._kind.classes)
        else:
            is_new = model.card.makes_areas
        return replace(choice, card_line=f"{choice.card_line}. {_NEW_OUTPUTS}") if is_new else choice

    def _is_there(self, name: str) -> bool:
        from napari_mouse_seg.pipeline import new_networks

        return name in new_networks() or name in {self._name_of(model) for model in self._shelf.models}

    def _name_of(self, model: Model) -> str:
        """Return the value for ``ProjectPlan.base``: bundled models have names, others files."""
        return model.card.name if model.path in self._bundled else str(model.path)

    def _on_read(self, event: Event) -> None:
        if isinstance(event, Finished):
            self._shelf.put(event.result)

    def _on_end(self, _error: Exception | None) -> None:
        self._is_reading = False
        self.fetched.emit()


def _short(name: str) -> str:
    return Path(name).stem if name.endswith(_SUFFIX) else name


def _read(file: Path) -> Generator[Event, None, None]:
    from napari_mouse_seg.networks import load_model

    try:
        yield Finished(load_model(file))
    except MouseSegError:
        return  # It is shown as missing.
