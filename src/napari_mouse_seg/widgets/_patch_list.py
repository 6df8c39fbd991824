"""The painted patches: what each looks like, how much of it is painted, and what it is used for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt, Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class
from qtpy.QtGui import QIcon, QImage, QPixmap
from qtpy.QtWidgets import QListWidgetItem, QWidget

from napari_mouse_seg.widgets._short_list import ShortList

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from qtpy.QtGui import QKeyEvent, QMouseEvent

    from napari_mouse_seg.plans import PatchPlan

_THUMBNAIL_PX = 48
_ROLES = {"train": "Train", "validate": "Validate"}
_TIP = (
    "Painted patches. Click one to go to it; Enter goes to it again.\n"
    "The check box (Space) says whether training uses it; Delete removes it."
)


@dataclass(frozen=True, slots=True, eq=False)
class PatchRow:
    """A patch as the list shows it.

    Attributes
    ----------
    plan
        What the user may change.
    thumbnail
        (Y, X, 3) uint8, of any size; None if there is none.
    painted
        Share of the pixels that are painted, from 0 to 1.
    n_objects
        How many objects are painted, or how many classes.
    counts
        Which classes are painted and how much of each, in words; empty for objects.
    """

    plan: PatchPlan
    thumbnail: NDArray[np.uint8] | None
    painted: float
    n_objects: int
    counts: str = ""


class PatchList(ShortList):
    """Patches with thumbnail, name, role and share painted; as high as its rows, up to four.

    Parameters
    ----------
    parent
        As for every widget.
    """

    patchChosen = Signal(str)  # Id; also when the current one is to be gone to again.
    patchChanged = Signal(object)  # A PatchPlan that was included or excluded.
    deleteRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Patches", _TIP, parent)
        self._rows: tuple[PatchRow, ...] = ()
        self._noun, self._is_locked = "object", False
        self._is_answered = False
        self.setIconSize(QSize(_THUMBNAIL_PX, _THUMBNAIL_PX))
        self.currentItemChanged.connect(self._on_current)
        self.itemActivated.connect(self._on_current)
        self.itemClicked.connect(self._on_clicked)
        self.itemChanged.connect(self._on_item)

    def set_rows(self, rows: Sequence[PatchRow]) -> None:
        """Show patches; the current one stays if it is still among them. Emits nothing."""
        current = self.current_id()
        before, self._rows = self._rows, tuple(rows)
        same = [row.plan.id for row in rows] == [row.plan.id for row in before]
        self.blockSignals(True)
        if not same:
            self.clear()
            for _ in rows:
                self.addItem(QListWidgetItem())
        for index, row in enumerate(rows):
            # Scaling takes a while, and this is called after each stroke.
            self._show_row(index, draws=not same or row.thumbnail is not before[index].thumbnail)
        if not same:
            self.setCurrentRow(self._position(current))
        self.blockSignals(False)
        self.fit_height()

    def set_noun(self, noun: str) -> None:
        """Say what is counted in a patch, in the singular."""
        self._noun = noun
        self.set_rows(self._rows)

    def set_locked(self, locked: bool) -> None:
        """Take away or give back the check boxes."""
        self._is_locked = locked
        self.set_rows(self._rows)

    def set_current_id(self, patch_id: str) -> None:
        """Choose a patch, or none; emits nothing."""
        self.blockSignals(True)
        self.setCurrentRow(self._position(patch_id))
        self.blockSignals(False)

    def current_id(self) -> str:
        """Return the id of the chosen patch; empty if there is none."""
        row = self.current()
        return row.plan.id if row is not None else ""

    def current(self) -> PatchRow | None:
        """Return the chosen patch."""
        index = self.currentRow()
        return self._rows[index] if 0 <= index < len(self._rows) else None

    def rows(self) -> tuple[PatchRow, ...]:
        """Return what is shown."""
        return self._rows

    def replace_plan(self, plan: PatchPlan) -> None:
        """Show a patch's new plan; emits nothing."""
        self.set_rows([replace(row, plan=plan) if row.plan.id == plan.id else row for row in self._rows])

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Ask for deletion on Delete."""
        if event is not None and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.current_id():
            self.deleteRequested.emit()
            return
        super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Note that nothing has come of this click yet."""
        self._is_answered = False
        super().mousePressEvent(event)

    def _position(self, patch_id: str) -> int:
        return next((n for n, row in enumerate(self._rows) if row.plan.id == patch_id), -1)

    def _show_row(self, index: int, *, draws: bool) -> None:
        row, item = self._rows[index], self.item(index)
        if item is None:
            return
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        item.setFlags(flags if self._is_locked else flags | Qt.ItemFlag.ItemIsUserCheckable)
        item.setText(f"{name_of(row.plan)}\n{describe(row, self._noun)}")
        if draws:
            item.setIcon(_icon(row.thumbnail))
        item.setCheckState(Qt.CheckState.Checked if row.plan.included else Qt.CheckState.Unchecked)

    def _on_clicked(self) -> None:
        """Go to the current patch again, unless the click has chosen it or ticked its box."""
        if not self._is_answered:
            self._on_current()

    def _on_current(self) -> None:
        self._is_answered = True
        if self.current_id():
            self.patchChosen.emit(self.current_id())

    def _on_item(self, item: QListWidgetItem) -> None:
        index = self.row(item)
        included = item.checkState() == Qt.CheckState.Checked
        if not 0 <= index < len(self._rows) or self._rows[index].plan.included == included:
            return
        self._is_answered = True
        plan = self._rows[index].plan.replace(included=included)
        self.replace_plan(plan)
        self.patchChanged.emit(plan)


def name_of(plan: PatchPlan) -> str:
    """Return what a patch is called: its name, or else its id."""
    return plan.name or plan.id


def describe(row: PatchRow, noun: str) -> str:
    """Return a patch's use and, on a line below, its share painted and count in words."""
    use = _ROLES[row.plan.role] if row.plan.included else "Not used"
    count = f" · {row.n_objects:,} {_plural(noun) if row.n_objects != 1 else noun}" if row.n_objects else ""
    return f"{use}\n{_share(row.painted)}{count}"


def _share(painted: float) -> str:
    if painted <= 0:
        return "Not painted yet"
    return "< 1 % painted" if painted < 0.01 else f"{int(100 * painted)} % painted"


def _plural(noun: str) -> str:
    return noun + ("es" if noun.endswith("s") else "s")


def _icon(thumbnail: NDArray[np.uint8] | None) -> QIcon:
    pixmap = QPixmap(_THUMBNAIL_PX, _THUMBNAIL_PX)
    pixmap.fill(Qt.GlobalColor.darkGray)
    if thumbnail is not None:
        rows, columns = thumbnail.shape[:2]
        image = QImage(thumbnail.tobytes(), columns, rows, 3 * columns, QImage.Format.Format_RGB888)
        ways = (Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
        pixmap = QPixmap.fromImage(image.scaled(_THUMBNAIL_PX, _THUMBNAIL_PX, *ways))
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)  # otherwise some styles tint it
    return icon
