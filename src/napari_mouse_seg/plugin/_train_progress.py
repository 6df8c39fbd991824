"""How a round of training goes, as the panel shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_info

from napari_mouse_seg.plugin._patch_rows import note_on
from napari_mouse_seg.session import TrainState

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_mouse_seg.events import StepsDone, Validated
    from napari_mouse_seg.plans import RoundPlan
    from napari_mouse_seg.session import TrainSession
    from napari_mouse_seg.widgets import TrainPanel

_STAGES = {TrainState.CANCELLING: "Cancelling…", TrainState.STOPPING: "Stopping; the best is kept…"}


class TrainProgress:
    """Tells the panel what the session says of the round at work.

    Parameters
    ----------
    panel
        Shows it.
    session
        Trains.
    """

    def __init__(self, panel: TrainPanel, session: TrainSession) -> None:
        self._panel = panel
        self._session = session
        self._loss = 0.0
        self._is_shown = False
        self._warnings: list[str] = []
        self._uses: tuple[object, ...] = ()

    def links(self) -> list[tuple[Any, Callable[..., None]]]:  # Any: psygnal's instances
        """Return what is listened to, and by what; to connect and disconnect."""
        session = self._session
        return [
            (session.state_changed, self._on_state),
            (session.stepped, self._on_step),
            (session.validated, self._on_validated),
            (session.warned, self.warn),
            (session.leaving, self._on_leaving),
            (session.run_finished, self._on_finished),
            (session.run_cancelled, self._on_cancelled),
        ]

    def warn(self, words: str) -> None:
        """Show a warning, with the others since the round began; each once."""
        if not self._warnings:
            self._uses = self._patch_uses()
        if words not in self._warnings:
            self._warnings.append(words)
        self.show_warnings()

    def show_warnings(self) -> None:
        """Show what was warned of, in place of what is known before training; that stays if it was of nothing.

        What was said of other patches, or of other uses of them, holds no more.
        """
        if self._uses != self._patch_uses():
            self._warnings.clear()
        if self._warnings:
            self._panel.set_note("\n".join(self._warnings))

    def _patch_uses(self) -> tuple[object, ...]:
        """Return what warnings depend on, but for the paint."""
        project = self._session.project
        patches = () if project is None else project.plan.patches
        return tuple((patch.id, patch.included, patch.role, patch.meaning) for patch in patches)

    def _on_leaving(self) -> None:
        self._warnings.clear()
        self._panel.set_note("")

    def _on_state(self, state: TrainState) -> None:
        panel = self._panel
        if state is TrainState.IDLE:
            self._is_shown = False
            panel.end_training()
        elif state is TrainState.RUNNING and not self._is_shown:
            self._is_shown = True
            self._warnings.clear()
            project = self._session.project
            panel.set_note("" if project is None else note_on(project.plan.patches))
            panel.begin_training()
        elif state in _STAGES:
            panel.show_stage(_STAGES[state])
        panel.set_paused(state is TrainState.PAUSED)

    def _on_step(self, event: StepsDone) -> None:
        self._panel.show_progress(event.steps, event.total, event.left_s)
        self._loss = event.loss
        self._panel.add_point(event.steps, event.loss, None)

    def _on_validated(self, event: Validated) -> None:
        if event.score is not None:
            self._panel.set_score_name(event.name)
            self._panel.add_point(event.steps, self._loss, event.score)
            if event.best:
                self._panel.mark_best(event.steps)

    def _on_finished(self, done: RoundPlan) -> None:
        score = "not validated" if done.score is None else f"validation {done.score_name} {done.score:.2f}"
        self._panel.show_message(f"{done.name} is ready ({score}) and can be used in Segment.")
        show_info(f"Training has ended: {done.name} is ready.")

    def _on_cancelled(self) -> None:
        self._panel.show_message("Cancelled; the project is as it was.")
