"""The beginning of the panel *Train*: image, base model, project, and what is painted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from qtpy.QtCore import Signal  # type: ignore[attr-defined]  # qtpy renames the binding's class
from qtpy.QtWidgets import QButtonGroup, QLabel, QPushButton, QRadioButton, QSizePolicy, QVBoxLayout, QWidget

from napari_mouse_seg.widgets import _dialogs
from napari_mouse_seg.widgets._class_table import ClassTable
from napari_mouse_seg.widgets._layout import explain, form_of, row_of
from napari_mouse_seg.widgets._name_box import NameBox
from napari_mouse_seg.widgets._notes import NoteLabel
from napari_mouse_seg.widgets._section import Section

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from qtpy.QtWidgets import QAbstractButton

    from napari_mouse_seg.plans import ClassPlan
    from napari_mouse_seg.widgets._segment_panel import ModelChoice

_NO_IMAGE = "Open an image: File ▸ Open, or File ▸ Open Sample."
_NO_PROJECT = "The first patch starts a project: a folder beside the image that keeps your paint and models."
_KINDS: dict[Literal["objects", "areas"], tuple[str, str]] = {
    "objects": ("Objects", "Things to count and measure one by one, such as nuclei: each gets its own label."),
    "areas": ("Areas", "Regions of a few classes, such as tissue and background: each class has one label."),
}
_LOCKED = (
    "There are painted patches, and a project keeps to one kind of paint; begin another with “New project…” for the "
    "other kind."
)


class SetupBox(QWidget):
    """What is annotated, where that is kept, and what training starts from.

    Parameters
    ----------
    parent
        As for every widget.
    """

    imageChosen = Signal(int)
    channelChosen = Signal(int)
    modelChosen = Signal(int)
    kindChosen = Signal(str)  # "objects" or "areas".
    classesChanged = Signal(object)  # A tuple of ClassPlan.
    classChosen = Signal(int)  # Label of the class to paint.
    projectRequested = Signal(object)  # The Path of a project's folder, or of an empty one to begin a project in.

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models: tuple[ModelChoice, ...] = ()
        self._kind: Literal["objects", "areas"] = "objects"
        self._locked, self._read_only = False, ""
        self._told: tuple[str, ...] = ("",)
        self._make_inputs()
        self._arrange()
        self._connect()
        self.set_images((), -1)
        self.set_channels(())
        self.set_models(())
        self.set_project("", "", ())
        self.set_kind("objects", (), locked=False)

    def has_image(self) -> bool:
        """Return whether an image is chosen."""
        return bool(self._image.currentIndex() >= 0)

    def has_model(self) -> bool:
        """Return whether a base model is chosen."""
        return bool(self._model.currentIndex() >= 0)

    def kind(self) -> Literal["objects", "areas"]:
        """Return what is painted."""
        return self._kind

    def problem(self) -> str:
        """Return what is wrong with the classes; empty if nothing is."""
        if self._kind == "objects":
            return ""
        return self._classes.problem() or ("" if self._classes.value() else "There is no class to paint; add one.")

    def set_images(self, names: Sequence[str], current: int) -> None:
        """List the image layers; emits nothing."""
        self._image.fill(names, current)
        self._image_note.say("" if names else _NO_IMAGE)
        self._show_summary()

    def set_channels(self, names: Sequence[str], current: int = 0) -> None:
        """List the channels; the field is hidden if there is only one. Emits nothing."""
        self._channel.fill(names, current)
        for widget in (self._channel_label, self._channel):
            widget.setVisible(len(names) > 1)

    def set_models(self, models: Sequence[ModelChoice], current: int = 0) -> None:
        """List the models to start from; emits nothing."""
        self._models = tuple(models)
        self._model.fill([model.name for model in models], current)
        self._show_model()

    def set_project(self, text: str, read_only_reason: str, problems: Sequence[str]) -> None:
        """Show which project is open, why it cannot be written, and what is damaged in it."""
        self._project.say(text or _NO_PROJECT)
        self._project_notes.say((read_only_reason, *problems))
        if (read_only_reason, *problems) != self._told:
            self._told = (read_only_reason, *problems)
            self._section.set_open(self._section.is_open or any(self._told))  # What is wrong must be seen.
        self._read_only = read_only_reason
        self._update_inputs()

    def set_kind(self, kind: Literal["objects", "areas"], classes: Sequence[ClassPlan], locked: bool) -> None:
        """Show what is painted; ``locked`` if it can no longer be changed. Emits nothing."""
        self._kind, self._locked = kind, locked
        self._buttons.blockSignals(True)
        self._radios[kind].setChecked(True)
        self._buttons.blockSignals(False)
        self._classes.set_value(classes)
        self._classes.setVisible(kind == "areas")
        self._update_inputs()

    def set_retired(self, labels: Collection[int]) -> None:
        """Keep labels from new classes, as models know other classes by them."""
        self._classes.set_retired(labels)

    def set_class(self, label: int) -> None:
        """Show which class is painted, or none if 0; emits nothing."""
        self._classes.set_chosen(label)

    def _make_inputs(self) -> None:
        self._image = NameBox("Image layer that you paint on.")
        self._channel = NameBox("Channel that the model sees.")
        self._model = NameBox("")
        self._image_note, self._model_line = NoteLabel("hint"), NoteLabel("hint")
        self._project, self._project_notes = NoteLabel("hint"), NoteLabel("warning")
        self._open = QPushButton("Open project…")
        self._open.setToolTip("Go on with a project folder: its patches, paint and rounds come back.")
        self._new = QPushButton("New project…")
        self._new.setToolTip("Begin another project of this image in an empty folder, as for the other kind of paint.")
        for button in (self._open, self._new):
            button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._classes = ClassTable()
        self._buttons = QButtonGroup(self)
        self._radios: dict[str, QAbstractButton] = {}
        for kind, (title, tip) in _KINDS.items():
            self._radios[kind] = QRadioButton(title)
            self._radios[kind].setToolTip(tip)
            self._buttons.addButton(self._radios[kind])

    def _arrange(self) -> None:
        self._channel_label = QLabel("Channel")
        form = form_of(
            (QLabel("Image"), self._image),
            (None, self._image_note),
            (self._channel_label, self._channel),
            (QLabel("Base"), self._model),
            (None, self._model_line),
            (QLabel("Paint"), row_of(*self._radios.values(), QWidget(), stretched=2)),
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        buttons = row_of(self._open, self._new, QWidget(), stretched=2)
        project = (self._project, self._project_notes, buttons)
        self._section = Section("1 · Image and base model", form, self._classes, *project)
        column.addWidget(self._section)

    def _connect(self) -> None:
        self._image.currentIndexChanged.connect(self._on_image)
        self._channel.currentIndexChanged.connect(self.channelChosen)
        self._model.currentIndexChanged.connect(self._on_model)
        self._buttons.buttonToggled.connect(self._on_kind)
        self._classes.valueChanged.connect(self.classesChanged)
        self._classes.classChosen.connect(self.classChosen)
        self._open.clicked.connect(self._on_open)
        self._new.clicked.connect(self._on_new)

    def _update_inputs(self) -> None:
        kind_reason = self._read_only or (_LOCKED if self._locked else "")
        for kind, radio in self._radios.items():
            explain(radio, kind_reason, _KINDS["objects" if kind == "objects" else "areas"][1])
        self._classes.set_reasons(self._read_only)
        self._model.setEnabled(not self._read_only)
        self._show_model()

    def _show_model(self) -> None:
        index = self._model.currentIndex()
        model = self._models[index] if 0 <= index < len(self._models) else None
        self._model_line.say(model.card_line if model is not None else "No model is installed.")
        tip = "Model that training starts from." + (f"\n{model.details}" if model is not None else "")
        self._model.setToolTip(self._read_only or tip)
        self._show_summary()

    def _show_summary(self) -> None:
        """Say what is chosen, for when this box is folded away."""
        self._section.set_summary(" · ".join(filter(None, (self._image.currentText(), self._model.currentText()))))

    def _on_image(self, index: int) -> None:
        self._show_summary()
        self.imageChosen.emit(index)

    def _on_model(self, index: int) -> None:
        self._show_model()
        self.modelChosen.emit(index)

    def _on_kind(self, radio: QAbstractButton, checked: bool) -> None:
        if not checked:
            return
        self._kind = "areas" if radio is self._radios["areas"] else "objects"
        self._classes.setVisible(self._kind == "areas")
        self.kindChosen.emit(self._kind)

    def _on_open(self) -> None:
        self._request("Open a project folder")

    def _on_new(self) -> None:
        self._request("Choose or make an empty folder for the project")

    def _request(self, question: str) -> None:
        folder = _dialogs.ask_folder(self, question)
        if folder is not None:
            self.projectRequested.emit(folder)
