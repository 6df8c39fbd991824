"""The thresholds of the instance step in two forms: those that are moved often, and the finer ones."""

from __future__ import annotations

from qtpy.QtCore import QObject, Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class

from napari_mouse_seg.plans import InstancesPlan
from napari_mouse_seg.widgets._delay import delay
from napari_mouse_seg.widgets._plan_editor import PlanEditor

_OFTEN = ("foreground_threshold", "split_depth", "min_area_px")
_FINE = ("min_certainty", "boundary_weight", "max_hole_px")
_SETTLE_MS = 100


class ThresholdEditors(QObject):
    """Two editors of one plan, which a panel may put where it likes.

    Parameters
    ----------
    parent
        Its life is the editors' signals'.

    Attributes
    ----------
    often, fine
        The two editors.
    """

    valueChanged = Signal(object)  # An InstancesPlan.
    settled = Signal()  # No threshold has moved for a moment.

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.often, self.fine = PlanEditor(InstancesPlan(), _OFTEN), PlanEditor(InstancesPlan(), _FINE)
        self._is_set = False
        self._settle = delay(self, _SETTLE_MS, self.settled.emit)
        for editor in (self.often, self.fine):
            editor.valueChanged.connect(self._on_value)

    def value(self) -> InstancesPlan:
        """Return the plan as chosen in both."""
        fine = self.fine.value()
        return self.often.value().replace(**{name: getattr(fine, name) for name in _FINE})

    def set_value(self, plan: InstancesPlan) -> None:
        """Show a plan in both; emits ``valueChanged`` once if it differs."""
        before = self.value()
        self._is_set = True
        self.often.set_value(plan)
        self.fine.set_value(plan)
        self._is_set = False
        if self.value() != before:
            self._on_value()

    def hush(self) -> None:
        """Say nothing of the last move: what it asks for is done anyway."""
        self._settle.stop()

    def _on_value(self) -> None:
        if not self._is_set:
            self._settle.start()
            self.valueChanged.emit(self.value())
