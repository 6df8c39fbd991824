"""The rounds of a project: their models on the shelf, in the view, and side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.notifications import show_info
from psygnal import Signal

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.events import Event
from napari_mouse_seg.plugin._warm_up import keep_triton_out

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from napari_mouse_seg.events import CheckpointReady
    from napari_mouse_seg.networks import Model
    from napari_mouse_seg.plans import RoundPlan
    from napari_mouse_seg.plugin._model_shelf import ModelShelf
    from napari_mouse_seg.plugin._paint_kind import PaintKind
    from napari_mouse_seg.plugin._preview import Previews
    from napari_mouse_seg.plugin._runner import ThreadRunner
    from napari_mouse_seg.plugin._stage import Stage
    from napari_mouse_seg.projects import Project
    from napari_mouse_seg.session import TrainSession

PREVIEW = "Preview of training"


@dataclass(frozen=True, slots=True)
class RoundRead(Event):
    """The model of a round, or why there is none."""

    number: int
    model: Model | None
    problem: str = ""


class Rounds:
    """What is done with finished rounds, and with the one at work.

    Parameters
    ----------
    session
        Whose project has the rounds.
    shelf
        Where their models are put, for *Segment* to use.
    stage, previews
        Where they are looked through.
    kind
        What is painted: the names and colours of classes.
    runner
        Reads model files.

    Attributes
    ----------
    changed
        Another round is used, or a model has come.
    failed
        Carries words.
    """

    changed = Signal()
    failed = Signal(str)

    def __init__(
        self,
        session: TrainSession,
        shelf: ModelShelf,
        stage: Stage,
        previews: Previews,
        kind: PaintKind,
        runner: ThreadRunner,
    ) -> None:
        self._session = session
        self._shelf = shelf
        self._stage = stage
        self._previews = previews
        self._kind = kind
        self._runner = runner
        self._models: dict[int, Model] = {}
        self._compared: tuple[str, ...] = ()  # Keys of previews.
        self._to_compare: tuple[int, int] | None = None  # Whose models are being read.
        shelf.used_changed.connect(self._on_used)
        for over in (session.run_cancelled, session.run_failed):
            over.connect(self._on_nothing_learnt)

    @property
    def used(self) -> int | None:
        """Number of the round that *Segment* shows; None if it shows another model."""
        project, model = self._session.project, self._shelf.used
        if project is None or model is None:
            return None
        numbers = (entry.number for entry in project.plan.rounds)
        return next((number for number in numbers if project.round_file(number) == model.path), None)

    def forget(self) -> None:
        """Let go of another project's; their models stay on the shelf, and what was compared in the viewer."""
        self._compared, self._to_compare = (), None
        self._previews.release(PREVIEW)
        self._models.clear()

    def read_all(self) -> None:
        """Put the models of all rounds on the shelf, beside the main thread."""
        project = self._session.project
        if project is not None and project.plan.rounds:
            read = _read_rounds(project, project.plan.rounds)
            self._runner.start(read, partial(self._on_read, project), _ignore)

    def newest(self) -> Model | None:
        """Return the round's model that *Segment* shows, or that of the last round; None if there is none."""
        number = self.used if self.used in self._models else max(self._models, default=None)
        return None if number is None else self._models[number]

    def choose(self, number: int) -> None:
        """Use a round because the user asks for it, who has done with comparing then."""
        self.end_comparison()
        self.use(number)

    def use(self, number: int) -> None:
        """Let *Segment* use the model of a round, and show what it finds; it is read beside the main thread first."""
        project, entry = self._session.project, self._entry(number)
        if number in self._models:
            self._use(self._models[number])
        elif project is not None and entry is not None:
            read = _read_rounds(project, (entry,))
            self._runner.start(read, partial(self._on_read_to_use, project, entry), _ignore)

    def compare(self, first: int, second: int) -> None:
        """Show what two rounds find in the view, and nothing else of training until ``end_comparison``."""
        if self._stage.place(self._session.project) is None:
            view = self._stage.view()
            self.failed.emit(f"Rounds are compared in the view. {view.box_reason if view else 'There is no image.'}")
            return
        project = self._session.project
        missing = tuple(filter(None, (self._entry(number) for number in {first, second} - self._models.keys())))
        if project is not None and missing:
            self._to_compare = (first, second)
            on_end = partial(self._on_read_to_compare, project, self._to_compare)
            self._runner.start(_read_rounds(project, missing), partial(self._on_read, project), on_end)
        else:
            self._compare((first, second))

    def end_comparison(self) -> None:
        """Take away what was compared, or was to be; the preview of training is seen again."""
        self._to_compare = None
        for key in self._compared:
            self._previews.remove(key)
        self._compared = ()
        self._previews.release(PREVIEW)

    def rename(self, number: int, name: str) -> None:
        """Give the model of a round another name.

        Raises
        ------
        ProjectError
            If it cannot be written.
        """
        self._session.rename_round(number, name)
        self._take(number, self._models.get(number))

    def delete(self, number: int) -> None:
        """Take a round out of the project, and its model off the shelf.

        Raises
        ------
        ProjectError
            If it cannot be moved away.
        """
        project = self._session.project
        self._session.delete_round(number)
        self._models.pop(number, None)
        for model in self._shelf.models:
            if project is not None and model.path == project.round_file(number):
                self._shelf.take_out(model)
        self.changed.emit()

    def expect_training(self) -> None:
        """Get ready to show what a model in training finds."""
        place = self._stage.place(self._session.project)
        if place is not None:
            self._previews.prepare(PREVIEW, place, self._kind.classes)

    def show_checkpoint(self, event: CheckpointReady) -> None:
        """Show what the model in training finds."""
        self._preview_training(Path(event.path))

    def _on_read_to_compare(self, project: Project, numbers: tuple[int, int], _error: Exception | None) -> None:
        """Compare what could be read; what could not has been told of."""
        if project is self._session.project and numbers is self._to_compare:
            self._compare(numbers)

    def _compare(self, numbers: tuple[int, int]) -> None:
        self.end_comparison()
        models = {number: self._models[number] for number in numbers if number in self._models}
        names = _distinct_names(models)
        self._compared = tuple(str(model.path) for model in models.values())
        self._previews.hold(PREVIEW)
        for key, model, name in zip(self._compared, models.values(), names, strict=True):
            self._preview(key, model, name)
        if len(models) == 2 and self._kind.kind == "areas":
            show_info(
                f"{' and '.join(names)} lie over each other; click the eye of the upper layer to see the lower one."
            )

    def _entry(self, number: int) -> RoundPlan | None:
        """Return what the project knows of a round; None if it is not one of its rounds."""
        project = self._session.project
        return next((entry for entry in project.plan.rounds if entry.number == number), None) if project else None

    def _take(self, number: int, model: Model | None) -> None:
        """Put a model on the shelf under its present name; it may have been renamed since it was made."""
        project = self._session.project
        if model is None or project is None:
            return
        name = next((entry.name for entry in project.plan.rounds if entry.number == number), model.card.name)
        self._models[number] = replace(model, card=model.card.replace(name=name))
        self._shelf.put(self._models[number])

    def _on_read(self, project: Project, event: Event) -> None:
        if not isinstance(event, RoundRead) or project is not self._session.project:
            return
        if event.problem:
            self.failed.emit(event.problem)
        if event.number in {entry.number for entry in project.plan.rounds}:  # It may have been deleted meanwhile.
            self._take(event.number, event.model)
        self.changed.emit()

    def _on_read_to_use(self, project: Project, entry: RoundPlan, event: Event) -> None:
        """Use a model once it is there; *Segment* does so also if its project has been left meanwhile."""
        self._on_read(project, event)
        if not isinstance(event, RoundRead) or event.model is None:
            return
        if project is not self._session.project:
            named = replace(event.model, card=event.model.card.replace(name=entry.name))
            self._shelf.choose(self._shelf.put(named))
        elif entry.number in self._models:
            self._use(self._models[entry.number])

    def _use(self, model: Model) -> None:
        self._shelf.choose(self._shelf.put(model))  # Its file may have been opened in *Segment*, under an older name.
        self._preview_training(model)
        self.changed.emit()

    def _on_nothing_learnt(self, _reason: str = "") -> None:
        """Forget a training that has shown nothing."""
        self._previews.drop_empty()

    def _on_used(self) -> None:
        self.changed.emit()

    def _preview_training(self, model: Model | Path) -> None:
        """Show what the latest model finds, hidden while rounds are compared."""
        if not any(self._previews.is_seen(key) for key in self._compared):
            self.end_comparison()  # The user has put it away.
        self._preview(PREVIEW, model)

    def _preview(self, key: str, model: Model | Path, name: str = "") -> None:
        """Show what a model finds in the view."""
        place = self._stage.place(self._session.project)
        if place is not None:
            keep_triton_out()
            self._previews.show(key, model, place, self._kind.classes, name=name)


def _distinct_names(models: Mapping[int, Model]) -> list[str]:
    """Return the models' names, with the numbers of their rounds where they are the same."""
    names = [model.card.name for model in models.values()]
    is_one = len(set(names)) < len(names)
    return [f"{name} (round {number})" if is_one else name for number, name in zip(models, names, strict=True)]


def _read_rounds(project: Project, rounds: tuple[RoundPlan, ...]) -> Generator[Event, None, None]:
    for entry in rounds:
        yield _read_round(project.round_file(entry.number), entry)


def _read_round(file: Path, entry: RoundPlan) -> RoundRead:
    from napari_mouse_seg.networks import load_model

    try:
        return RoundRead(entry.number, load_model(file))
    except MouseSegError as error:
        return RoundRead(entry.number, None, str(error))


def _ignore(_error: Exception | None) -> None:
    """Go on: each model that could not be read has been told of."""
