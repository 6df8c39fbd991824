"""The panel *Train*: paint patches, train on them, keep rounds; it shows and asks, and does nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from qtpy.QtCore import Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_mouse_seg.widgets._layout import column_of, explain, scrolled
from napari_mouse_seg.widgets._notes import NoteLabel
from napari_mouse_seg.widgets._patch_box import PatchBox
from napari_mouse_seg.widgets._round_list import RoundList
from napari_mouse_seg.widgets._section import Section
from napari_mouse_seg.widgets._setup_box import SetupBox
from napari_mouse_seg.widgets._train_status import TrainStatus
from napari_mouse_seg.widgets._training_box import TrainingBox

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from qtpy.QtGui import QResizeEvent

    from napari_mouse_seg.plans import ClassPlan, RetrainPlan, RoundPlan
    from napari_mouse_seg.widgets._patch_list import PatchRow
    from napari_mouse_seg.widgets._segment_panel import ModelChoice

_READ_ONLY = "The project cannot be written; the note at the top says why."
_LOW_PX = 780  # Below it, a curve would leave no room for the patches.
_TRAIN_TIP = "Teach the base model your patches. You can go on painting meanwhile."


class TrainPanel(QWidget):
    """From an image to a model of one's own, in the order of the work.

    Layers, channels and models are told apart by position, patches by id, rounds by number. Setters emit nothing.

    Parameters
    ----------
    parent
        As for every widget.
    """

    imageChosen = Signal(int)  # Position in the list of images; -1 for none.
    channelChosen = Signal(int)
    modelChosen = Signal(int)  # Position in the list of models; -1 for none.
    planChanged = Signal(object)  # A RetrainPlan.
    kindChosen = Signal(str)  # "objects" or "areas".
    classesChanged = Signal(object)  # A tuple of ClassPlan.
    classChosen = Signal(int)  # Label of the class to paint.
    projectRequested = Signal(object)  # The Path of a folder to open.
    addPatchRequested = Signal()
    addRectangleRequested = Signal(bool)  # Whether the user wants to draw.
    planeRequested = Signal()  # To be taken to the plane that is painted.
    prefillRequested = Signal(str)  # Id of the patch.
    patchChosen = Signal(str)  # Id of the patch to go to.
    patchChanged = Signal(object)  # A PatchPlan.
    patchDeleted = Signal(str)  # Id of the patch; the user has agreed.
    trainRequested = Signal()
    pauseRequested = Signal(bool)  # False to go on.
    stopRequested = Signal()  # And keep the best.
    cancelRequested = Signal()
    roundUsed = Signal(int)
    roundsCompared = Signal(int, int)  # The older first.
    roundRenamed = Signal(int, str)
    roundDeleted = Signal(int)  # The user has agreed.

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._add_reason = self._train_reason = self._read_only = ""
        self._running = False
        self._setup, self._patches = SetupBox(), PatchBox()
        self._training, self._rounds, self._status = TrainingBox(), RoundList(), TrainStatus()
        self._reason = NoteLabel("hint")
        self._train = QPushButton("Train")
        self._arrange()
        self._connect()
        self._update_train()

    def value(self) -> RetrainPlan:
        """Return how training is to be done."""
        return self._training.value()

    def set_plan(self, plan: RetrainPlan) -> None:
        """Show how training is to be done; emits nothing."""
        self._training.set_value(plan)
        self._update_train()

    def set_images(self, names: Sequence[str], current: int) -> None:
        """List the image layers."""
        self._setup.set_images(names, current)
        self._update_train()

    def set_channels(self, names: Sequence[str], current: int = 0) -> None:
        """List the channels of the image; the field is hidden if there is only one."""
        self._setup.set_channels(names, current)

    def set_models(self, choices: Sequence[ModelChoice], current: int = 0) -> None:
        """List the models to start from."""
        self._setup.set_models(choices, current)
        self._update_train()

    def set_project(self, text: str, read_only_reason: str, problems: Sequence[str]) -> None:
        """Show which project is open.

        Parameters
        ----------
        text
            Where it is; empty if there is none yet.
        read_only_reason
            Why nothing may be changed, in words; empty if it may.
        problems
            What was found damaged.
        """
        self._read_only = read_only_reason
        self._setup.set_project(text, read_only_reason, problems)
        self._patches.set_read_only(read_only_reason)
        self._rounds.set_read_only(read_only_reason)
        self._training.set_read_only(read_only_reason)
        self._update_train()

    def set_kind(self, kind: Literal["objects", "areas"], classes: Sequence[ClassPlan], locked: bool) -> None:
        """Show what is painted; ``locked`` once that can no longer be changed."""
        self._setup.set_kind(kind, classes, locked)
        self._patches.set_kind(kind, classes)
        self._update_train()

    def set_retired(self, labels: Collection[int]) -> None:
        """Keep labels from new classes."""
        self._setup.set_retired(labels)

    def set_class(self, label: int) -> None:
        """Show which class is painted, or none if 0."""
        self._setup.set_class(label)

    def set_patches(self, rows: Sequence[PatchRow]) -> None:
        """Show the patches; the chosen one stays if it is still among them."""
        self._patches.set_rows(rows)
        self._update_train()

    def set_current_patch(self, patch_id: str) -> None:
        """Choose a patch, or none if empty."""
        self._patches.set_current(patch_id)

    def current_patch(self) -> str:
        """Return the id of the chosen patch; empty if there is none."""
        return self._patches.current_id()

    def set_drawing(self, drawing: bool) -> None:
        """Show whether a rectangle is being drawn."""
        self._patches.set_drawing(drawing)

    def set_rounds(self, rounds: Sequence[RoundPlan], used: int | None) -> None:
        """Show the finished rounds and the number of the one that Segment shows."""
        self._rounds.set_rounds(rounds, used)
        self._past.set_summary(f"{len(rounds)} round" + ("" if len(rounds) == 1 else "s"))

    def set_reasons(self, add: str, train: str, prefill: str = "", *, other_plane: bool = False) -> None:
        """Say why no patch can be added or prefilled and why training cannot start; empty if they can.

        ``other_plane`` if no patch can be added because the viewer shows another plane than the one that is painted.
        """
        self._add_reason, self._train_reason = add, train
        self._patches.set_prefill_reason(prefill)
        self._patches.set_other_plane(other_plane)
        self._update_train()

    def set_note(self, text: str) -> None:
        """Say what should be known before training, such as that there is no validation."""
        self._training.set_note(text)

    def begin_training(self) -> None:
        """Show that training has started; painting goes on."""
        self._running = True
        self._status.begin()
        self._update_train()

    def show_stage(self, text: str) -> None:
        """Say what training is doing."""
        self._status.show_stage(text)

    def show_progress(self, step: int, total: int, left_s: float | None) -> None:
        """Show how far training is; ``left_s`` is None while there is no telling."""
        self._status.show_progress(step, total, left_s)

    def add_point(self, step: int, loss: float, score: float | None) -> None:
        """Go on with the curve; ``score`` is None where it was not measured."""
        self._status.add_point(step, loss, score)

    def set_score_name(self, name: str) -> None:
        """Say what the validation score of this training measures."""
        self._status.set_score_name(name)

    def mark_best(self, step: int) -> None:
        """Mark the step whose model would be kept."""
        self._status.mark_best(step)

    def set_paused(self, paused: bool) -> None:
        """Show whether training is held."""
        self._status.set_paused(paused)

    def end_training(self) -> None:
        """Show that no training is at work."""
        self._running = False
        self._status.end()
        self._update_train()

    def show_message(self, text: str) -> None:
        """Show what came of the training."""
        self._status.show_message(text)

    def show_failure(self, text: str) -> None:
        """Show why it failed."""
        self._status.show_failure(text)

    def result_text(self) -> str:
        """Return the remark of the last training; empty if there is none."""
        return self._status.result_text()

    def failure_text(self) -> str:
        """Return why the last training failed; empty if it did not."""
        return self._status.failure_text()

    def curve_text(self) -> str:
        """Return the last values of the curve in words."""
        return self._status.curve_text()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Leave the height to the patches where there is little of it."""
        super().resizeEvent(event)
        self._status.set_low(self.height() < _LOW_PX)

    def _arrange(self) -> None:
        """Put the choices in a scroll area and training below it, so that its buttons are always in sight."""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(scrolled(self._make_choices()), 1)
        footer = column_of(self._train, self._reason, self._status, spacing=6)
        margins = footer.layout()
        if margins is not None:
            margins.setContentsMargins(8, 6, 8, 8)
        column.addWidget(footer)

    def _make_choices(self) -> QWidget:
        self._past = Section("4 · Rounds", self._rounds)
        choices = column_of(self._setup, self._patches, self._training, self._past, spacing=8)
        column = choices.layout()
        if isinstance(column, QVBoxLayout):
            column.setContentsMargins(8, 8, 8, 2)
            column.addStretch(1)
        return choices

    def _connect(self) -> None:
        for name in ("imageChosen", "channelChosen", "modelChosen", "kindChosen", "projectRequested"):
            getattr(self._setup, name).connect(getattr(self, name))
        for name in ("classesChanged", "classChosen"):
            getattr(self._setup, name).connect(getattr(self, name))
        for name in ("prefillRequested", "planeRequested", "patchChosen", "patchChanged", "patchDeleted"):
            getattr(self._patches, name).connect(getattr(self, name))
        for name in ("roundUsed", "roundsCompared", "roundRenamed", "roundDeleted"):
            getattr(self._rounds, name).connect(getattr(self, name))
        for name in ("pauseRequested", "stopRequested", "cancelRequested"):
            getattr(self._status, name).connect(getattr(self, name))
        self._patches.addRequested.connect(self.addPatchRequested)
        self._patches.rectangleRequested.connect(self.addRectangleRequested)
        self._setup.kindChosen.connect(self._update_train)
        for changed in (self._setup.imageChosen, self._setup.classesChanged, self._patches.patchChanged):
            changed.connect(self._update_train)
        self._training.valueChanged.connect(self.planChanged)
        self._training.problemChanged.connect(self._update_train)
        self._train.clicked.connect(self._on_train)

    def _on_train(self) -> None:
        self.trainRequested.emit()

    def _update_train(self) -> None:
        self._patches.set_add_reason(self._add_reason if self._setup.has_image() else "There is no image; open one.")
        reason = self._why_not()
        explain(self._train, reason, _TRAIN_TIP)
        self._train.setVisible(not self._running)
        self._reason.say("" if self._running else _READ_ONLY if self._read_only else reason)

    def _why_not(self) -> str:
        if self._running:
            return "Training is at work; wait for it, stop it or cancel it."
        if self._read_only:
            return self._read_only
        if not self._setup.has_image():
            return "There is no image."
        if not self._setup.has_model():
            return "There is no model to start from."
        rows = self._patches.rows()
        if not rows:
            return "There is no patch to learn from; add one and paint in it."
        if not any(row.plan.included and row.plan.role == "train" for row in rows):
            return "No patch is used for training; tick one in the list, or set “Used for” of one to “train”."
        return self._setup.problem() or self._training.problem() or self._train_reason
