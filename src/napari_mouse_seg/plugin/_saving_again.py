"""Another try, now and then, while something could not be saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error
from qtpy.QtCore import QObject

from napari_mouse_seg.widgets import delay

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_mouse_seg.session import TrainSession
    from napari_mouse_seg.widgets import TrainPanel

AGAIN_MS = 10_000


class SavingAgain(QObject):
    """Lets a session try again until everything is saved; then the panel no longer says that it is not.

    Parameters
    ----------
    panel
        Shows failures.
    session
        Saves.
    """

    def __init__(self, panel: TrainPanel, session: TrainSession) -> None:
        super().__init__()
        self._panel = panel
        self._session = session
        self._said = ""
        self._timer = delay(self, AGAIN_MS, self._try_again)

    def links(self) -> list[tuple[Any, Callable[..., None]]]:  # Any: psygnal's instances
        """Return what is listened to, and by what; to connect after what shows failures."""
        session = self._session
        return [
            (session.save_failed, self._on_failed),
            (session.run_failed, self._on_failed),
            (session.caught_up, self._on_caught_up),
            (session.rescued, self._on_rescued),
        ]

    def close(self) -> None:
        """Try no more; the panel is gone, the window may be there to tell where things are."""
        self._timer.stop()
        self._session.rescued.connect(show_error)

    def _on_failed(self, _reason: str) -> None:
        if self._session.is_behind:
            self._said = self._panel.failure_text()
            self._timer.start()

    def _try_again(self) -> None:
        self._session.retry_unsaved()
        if self._session.is_behind:
            self._timer.start()

    def _on_rescued(self, words: str) -> None:
        self._timer.stop()
        self._panel.show_failure(words)
        show_error(words)

    def _on_caught_up(self) -> None:
        self._timer.stop()
        if self._panel.failure_text() == self._said:
            self._panel.show_failure("")
