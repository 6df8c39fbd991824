"""What is painted, objects or areas of classes: as the project says, or as was chosen for the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_mouse_seg.widgets import first_classes

if TYPE_CHECKING:
    from napari_mouse_seg.plans import ClassPlan
    from napari_mouse_seg.session import TrainSession
    from napari_mouse_seg.widgets import TrainPanel


class PaintKind:
    """Kind, classes, and the class that is painted now.

    Parameters
    ----------
    panel
        Shows and asks.
    session
        Its project decides once there is one.

    Attributes
    ----------
    label
        Of the class that is painted, or was before something else.
    """

    def __init__(self, panel: TrainPanel, session: TrainSession) -> None:
        self._panel = panel
        self._session = session
        self._kind: Literal["objects", "areas"] = "objects"
        self._classes = first_classes()
        self.label = self._classes[-1].label

    @property
    def kind(self) -> Literal["objects", "areas"]:
        """What is painted."""
        project = self._session.project
        return self._kind if project is None else project.plan.kind

    @property
    def classes(self) -> tuple[ClassPlan, ...]:
        """Of areas; empty for objects."""
        project = self._session.project
        if project is not None:
            return project.plan.classes if project.plan.kind == "areas" else ()
        return self._classes if self._kind == "areas" else ()

    def show(self) -> None:
        """Let the panel show it; the kind of a project is fixed."""
        if self.label not in {entry.label for entry in self.classes} and self.classes:
            self.label = self.classes[-1].label
        project = self._session.project
        self._panel.set_kind(self.kind, self.classes, locked=project is not None)
        self._panel.set_retired(() if project is None else project.plan.retired_labels)
        self._panel.set_class(self.label)

    def choose_kind(self, kind: str) -> None:
        """Take another kind for the next project."""
        if self._session.project is None:
            self._kind = "areas" if kind == "areas" else "objects"
        self.show()

    def change_classes(self, classes: tuple[ClassPlan, ...]) -> None:
        """Take other classes.

        Raises
        ------
        PlanError
            If one is gone that a patch of the project is painted with.
        ProjectError
            If the project cannot be written.
        """
        if self._session.project is not None:
            self._session.save_now()  # What is painted counts, also if it is not on the disk yet.
            self._session.update(classes=classes)
        else:
            self._classes = classes
            self.show()

    def note_chosen(self, label: int) -> None:
        """Remember and show which class is painted; 0 if none is."""
        if label:
            self.label = label
        self._panel.set_class(label)
