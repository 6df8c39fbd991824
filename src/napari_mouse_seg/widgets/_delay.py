"""Waiting before something is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtCore import QObject


def delay(parent: QObject, interval_ms: int, action: Callable[[], object]) -> QTimer:
    """Return a timer that runs an action once, ``interval_ms`` milliseconds after its last ``start``."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(interval_ms)
    timer.timeout.connect(action)
    return timer
