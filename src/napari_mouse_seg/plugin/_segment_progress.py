"""How a run goes, as the panel *Segment* and napari's activity dock show it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error, show_info, show_warning

from napari_mouse_seg.plugin._activity import ActivityBar
from napari_mouse_seg.session import RunState

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_mouse_seg.session import Progress, SegmentSession, Summary
    from napari_mouse_seg.widgets import SegmentPanel

_INTERVAL_S = 0.5


class SegmentProgress:
    """Tells the user what the session says of the run at work.

    Parameters
    ----------
    panel
        Shows it.
    session
        Runs.
    """

    def __init__(self, panel: SegmentPanel, session: SegmentSession) -> None:
        self._panel = panel
        self._session = session
        self._activity = ActivityBar()
        self._shown_at = 0.0

    def links(self) -> list[tuple[Any, Callable[..., None]]]:  # Any: psygnal's instances
        """Return what is listened to, and by what; to connect and disconnect."""
        session = self._session
        return [
            (session.state_changed, self._on_state),
            (session.progressed, self._on_progress),
            (session.run_finished, self._on_finished),
            (session.run_failed, self._on_failed),
            (session.run_cancelled, self._on_cancelled),
            (session.noted, self._panel.show_message),
        ]

    def close(self) -> None:
        """Take the bar out of the activity dock."""
        self._activity.end()

    def _on_state(self, state: RunState) -> None:
        if state is RunState.RUNNING:
            self._panel.begin_run()
            self._activity.begin("Mouse Seg")
            self._shown_at = time.monotonic()
        elif state is RunState.CANCELLING:
            self._panel.begin_cancel()
        else:
            self._panel.end_run()
            self._activity.end()

    def _on_progress(self, progress: Progress) -> None:
        """Show two steps a second: each one draws the whole window anew, slow where OpenGL runs in software."""
        now = time.monotonic()
        if now - self._shown_at < _INTERVAL_S:
            return
        self._shown_at = now
        self._panel.show_progress(progress.text, progress.fraction, progress.left_s)
        self._activity.show(progress.fraction)

    def _on_finished(self, summary: Summary) -> None:
        self._panel.show_result(summary.found, summary.whole_image, summary.seconds, summary.warnings, summary.remark)
        self._panel.set_device(summary.device)
        if summary.whole_image:
            show_info(f"Segmented the full image: {summary.found} in {summary.seconds:.1f} s.")

    def _on_failed(self, reason: str) -> None:
        self._panel.show_failure(reason)
        show_error(reason)

    def _on_cancelled(self) -> None:
        self._panel.show_message("Cancelled. The labels are as they were; finished tiles are kept for the next run.")
        show_warning("The segmentation was cancelled.")
