"""Patches in the panel *Train*: add, list, edit, prefill, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from qtpy.QtCore import Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_mouse_seg.plans import BACKGROUND_LABEL
from napari_mouse_seg.widgets import _dialogs
from napari_mouse_seg.widgets._layout import column_of, explain, row_of
from napari_mouse_seg.widgets._notes import NoteLabel
from napari_mouse_seg.widgets._patch_editor import PatchEditor
from napari_mouse_seg.widgets._patch_list import PatchList, name_of
from napari_mouse_seg.widgets._section import Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_mouse_seg.plans import ClassPlan, PatchPlan
    from napari_mouse_seg.widgets._patch_list import PatchRow

_EMPTY = "No patch yet: move to a typical place and press “Add patch here”."
_ADD_TIP = "Cut a patch out of the image where the view is, to paint in."
_DRAW_TIP = "Drag a rectangle over the image; it becomes a patch. Press again to stop drawing."
_PREFILL_TIP = "Let the model paint this patch, so that you correct instead of painting. Undo takes it back."


class PatchBox(QWidget):
    """The patches, and the one that is chosen.

    Parameters
    ----------
    parent
        As for every widget.
    """

    addRequested = Signal()
    rectangleRequested = Signal(bool)  # Whether the user wants to draw.
    prefillRequested = Signal(str)  # Id.
    planeRequested = Signal()  # To be taken to the plane that is painted.
    patchChosen = Signal(str)  # Id.
    patchChanged = Signal(object)  # A PatchPlan.
    patchDeleted = Signal(str)  # Id; the user has agreed.

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._add_reason = self._prefill_reason = self._read_only = ""
        self._add, self._draw = QPushButton("Add patch here"), QPushButton("Draw a rectangle")
        self._draw.setCheckable(True)
        self._prefill, self._delete = QPushButton("Prefill with model"), QPushButton("Delete patch")
        self._add_note, self._empty = NoteLabel("hint"), NoteLabel("hint")
        self._list, self._editor = PatchList(), PatchEditor()
        self._plane = QPushButton("Go to the painted plane")
        self._plane.setToolTip("Move the viewer's sliders to the plane that the patches of this project lie on.")
        self._plane.setVisible(False)
        self._counts, self._prefill_note = NoteLabel("hint"), NoteLabel("hint")
        buttons = row_of(self._prefill, self._delete)
        self._chosen = column_of(self._editor, self._counts, buttons, self._prefill_note)
        adding = row_of(self._add, self._draw)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        notes = (self._add_note, self._plane, self._empty)
        self._section = Section("2 · Patches", adding, *notes, self._list, self._chosen)
        column.addWidget(self._section)
        self._connect()
        self.set_rows(())

    def rows(self) -> tuple[PatchRow, ...]:
        """Return the patches as they are shown."""
        return self._list.rows()

    def set_rows(self, rows: Sequence[PatchRow]) -> None:
        """Show patches; emits nothing."""
        self._list.set_rows(rows)
        self._list.setVisible(bool(rows))
        self._section.set_summary(f"{len(rows)} patch" + ("" if len(rows) == 1 else "es"))
        self._show_chosen()

    def set_current(self, patch_id: str) -> None:
        """Choose a patch, or none if empty; emits nothing."""
        self._list.set_current_id(patch_id)
        self._show_chosen()

    def current_id(self) -> str:
        """Return the id of the chosen patch; empty if there is none."""
        return self._list.current_id()

    def set_kind(self, kind: Literal["objects", "areas"], classes: Sequence[ClassPlan] = ()) -> None:
        """Say what is painted, in which classes; emits nothing."""
        background = next((entry.name for entry in classes if entry.label == BACKGROUND_LABEL), "background")
        self._editor.set_kind(kind, background)
        self._list.set_noun("object" if kind == "objects" else "class")

    def set_add_reason(self, reason: str) -> None:
        """Say why no patch can be added; empty if one can."""
        self._add_reason = reason
        self._update_buttons()

    def set_prefill_reason(self, reason: str) -> None:
        """Say why the model cannot prefill a patch; empty if it can."""
        self._prefill_reason = reason
        self._update_buttons()

    def set_other_plane(self, other: bool) -> None:
        """Offer to go to the painted plane, where the viewer shows another one."""
        self._plane.setVisible(other)

    def set_read_only(self, reason: str) -> None:
        """Say why nothing may be changed; empty if it may."""
        self._read_only = reason
        self._list.set_locked(bool(reason))
        self._update_buttons()

    def set_drawing(self, drawing: bool) -> None:
        """Show whether a rectangle is being drawn; emits nothing."""
        self._draw.blockSignals(True)
        self._draw.setChecked(drawing)
        self._draw.blockSignals(False)
        self._update_buttons()

    def sentence(self) -> str:
        """Return what the paint of the chosen patch means; empty if none is chosen."""
        return self._editor.sentence() if self.current_id() else ""

    def _connect(self) -> None:
        self._add.clicked.connect(self._on_add)
        self._draw.toggled.connect(self._on_draw)
        self._plane.clicked.connect(self._on_plane)
        self._prefill.clicked.connect(self._on_prefill)
        self._delete.clicked.connect(self._on_delete)
        self._list.deleteRequested.connect(self._on_delete)
        self._list.patchChosen.connect(self._on_chosen)
        self._list.patchChanged.connect(self._on_changed)
        self._editor.valueChanged.connect(self._on_changed)

    def _show_chosen(self) -> None:
        row = self._list.current()
        self._chosen.setVisible(row is not None)
        if row is not None:
            self._editor.set_value(row.plan)
        self._counts.say(row.counts if row is not None else "")
        self._update_buttons()

    def _update_buttons(self) -> None:
        reason = self._read_only or self._add_reason
        explain(self._add, reason, _ADD_TIP)
        explain(self._draw, "" if self._draw.isChecked() else reason, _DRAW_TIP)
        self._add_note.say("" if self._read_only else self._add_reason)
        self._empty.say("" if self.rows() or reason else _EMPTY)
        explain(self._prefill, self._read_only or self._prefill_reason, _PREFILL_TIP)
        self._prefill_note.say("" if self._read_only else self._prefill_reason)
        explain(self._delete, self._read_only, "Remove this patch and its paint from the project.")
        self._editor.setEnabled(not self._read_only)
        self._editor.setToolTip(self._read_only)

    def _on_add(self) -> None:
        self.addRequested.emit()

    def _on_draw(self, drawing: bool) -> None:
        self._update_buttons()
        self.rectangleRequested.emit(drawing)

    def _on_plane(self) -> None:
        self.planeRequested.emit()

    def _on_prefill(self) -> None:
        self.prefillRequested.emit(self.current_id())

    def _on_delete(self) -> None:
        row = self._list.current()
        if row is None or self._read_only:
            return
        text = f"Delete the patch “{name_of(row.plan)}”? Its files move to “trash” in the project's folder."
        if _dialogs.confirm(self, text, "Delete"):
            self.patchDeleted.emit(row.plan.id)

    def _on_chosen(self, patch_id: str) -> None:
        self._show_chosen()
        self.patchChosen.emit(patch_id)

    def _on_changed(self, plan: PatchPlan) -> None:
        self._list.replace_plan(plan)
        self._show_chosen()
        self.patchChanged.emit(plan)
