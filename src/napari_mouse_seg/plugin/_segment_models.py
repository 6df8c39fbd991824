"""The model that the panel *Segment* uses: suggested, chosen by hand, or handed over by another panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal

from napari_mouse_seg.events import Event, Finished
from napari_mouse_seg.plugin._model_choice import choice_of, fitting
from napari_mouse_seg.session import in_words

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from napari_mouse_seg.images import MultiscaleImage
    from napari_mouse_seg.networks import Model
    from napari_mouse_seg.plugin._model_shelf import ModelShelf
    from napari_mouse_seg.plugin._runner import ThreadRunner
    from napari_mouse_seg.plugin._stain_look import StainLook
    from napari_mouse_seg.session import SegmentSession
    from napari_mouse_seg.widgets import SegmentPanel


class SegmentModels:
    """Lists the shelf in the panel and gives the session the chosen model, until ``close``.

    Parameters
    ----------
    panel
        Shows and asks.
    shelf
        Models that are offered.
    session
        Uses the chosen one.
    look
        Tells which images are stained sections.
    runner
        Reads model files.

    Attributes
    ----------
    chosen
        The session has another model, and the panel perhaps other thresholds.
    """

    chosen = Signal()

    def __init__(
        self, panel: SegmentPanel, shelf: ModelShelf, session: SegmentSession, look: StainLook, runner: ThreadRunner
    ) -> None:
        self._panel = panel
        self._shelf = shelf
        self._session = session
        self._look = look
        self._runner = runner
        self._current: Model | None = None

    def start(self) -> None:
        """List the models, choose the shelf's, and follow both shelf and panel."""
        self._shelf.changed.connect(self._list)
        self._shelf.chosen.connect(self._on_wanted)
        self._panel.modelChosen.connect(self._on_choice)
        self._panel.modelFileChosen.connect(self._on_file)
        self._list()
        self._choose(self._shelf.position)

    def close(self) -> None:
        """Stop following the shelf; the panel may be gone already."""
        self._shelf.changed.disconnect(self._list)
        self._shelf.chosen.disconnect(self._on_wanted)

    def suggest(self, image: MultiscaleImage | None) -> None:
        """Choose a model that fits an image, as long as nobody has chosen one."""
        if image is None or self._shelf.is_wanted:
            return
        models = self._shelf.models
        position = fitting(models, self._shelf.position, coloured=self._look.is_stained(image))
        if 0 <= position < len(models) and models[position] is not self._current:
            self._show(position)
            self._choose(position)

    def _choose(self, position: int) -> None:
        models = self._shelf.models
        self._current = models[position] if 0 <= position < len(models) else None
        self._session.set_model(self._current)
        self._shelf.note_used(self._current)
        self.chosen.emit()

    def _show(self, position: int, *, keep_thresholds: bool = False) -> None:
        choices = [choice_of(model) for model in self._shelf.models]
        self._panel.set_models(choices, position, keep_thresholds=keep_thresholds)

    def _on_choice(self, position: int) -> None:
        self._choose(position)
        self._shelf.choose(position)

    def _on_file(self, file: Path) -> None:
        self._panel.show_failure("")
        self._runner.start(_read(file), self._on_read, self._on_read_end)

    def _on_read(self, event: Event) -> None:
        if isinstance(event, Finished):
            self._shelf.choose(self._shelf.put(event.result))

    def _on_read_end(self, error: Exception | None) -> None:
        if error is not None:
            self._panel.show_failure(in_words(error, "Opening the model"))

    def _on_wanted(self, position: int) -> None:
        """Choose a model that another panel has made or chosen."""
        if 0 <= position < len(self._shelf.models) and self._shelf.models[position] is self._current:
            return  # It is shown already, with the thresholds that the user has set for it.
        self._show(position)
        self._choose(position)

    def _list(self) -> None:
        """List the shelf; the chosen model stays chosen, with the thresholds that the user has set for it."""
        models, current = self._shelf.models, self._current
        same = [place for place, model in enumerate(models) if current and model.path == current.path]
        position = same[0] if same else self._shelf.position
        self._show(position, keep_thresholds=bool(same))
        if current is not None and current not in models:
            self._choose(position)


def _read(file: Path) -> Generator[Event, None, None]:
    from napari_mouse_seg.networks import load_model

    yield Finished(load_model(file))
