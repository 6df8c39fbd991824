"""Classes of a project: what may be changed while patches are painted with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from helpers.areas import CLASSES, area_project
from napari_mouse_seg.errors import PlanError
from napari_mouse_seg.plans import ClassPlan, PaintPlan, RoundPlan
from napari_mouse_seg.projects import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BACKGROUND, DISC, STRIPES = CLASSES


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with area_project(tmp_path) as made:
        yield made


def labels_of(project: Project) -> list[int]:
    return [entry.label for entry in project.plan.classes]


def test_classes_are_found_again(project: Project) -> None:
    project.close()
    with Project.open(project.folder) as again:
        assert again.plan.kind == "areas"
        assert again.plan.classes == CLASSES


def test_a_class_is_added_renamed_and_recoloured_while_it_is_painted(project: Project) -> None:
    other = ClassPlan(label=2, name="Nerve", colour="#0000ff")
    project.update(classes=(BACKGROUND, DISC.replace(name="Round"), STRIPES.replace(colour="#123456"), other))
    assert [entry.name for entry in project.plan.classes] == ["Background", "Round", "Stripes", "Nerve"]
    assert project.plan.classes[2].colour == "#123456"


def test_a_painted_class_stays(project: Project) -> None:
    with pytest.raises(PlanError, match="Disc cannot be removed: p001 is painted with it; paint over it") as caught:
        project.update(classes=(BACKGROUND, STRIPES))
    assert caught.value.field == "classes"
    with pytest.raises(PlanError, match="Disc cannot be removed"):
        project.update(classes=(BACKGROUND, DISC.replace(label=5), STRIPES))  # another label is another class
    assert labels_of(project) == [1, 4, 9]


def test_a_class_goes_once_no_patch_is_painted_with_it(project: Project) -> None:
    for patch in project.plan.patches:
        paint = project.paint(patch.id)
        project.write_paint(patch.id, np.where(paint == 4, 0, paint))
    project.update(classes=(BACKGROUND, STRIPES))
    assert labels_of(project) == [1, 9]


def test_the_label_of_a_class_that_models_know_is_retired(project: Project) -> None:
    def remove(label: int) -> None:
        for patch in project.plan.patches:
            paint = project.paint(patch.id)
            project.write_paint(patch.id, np.where(paint == label, 0, paint))
        project.update(classes=tuple(entry for entry in project.plan.classes if entry.label != label))

    project.update(classes=(*CLASSES, ClassPlan(label=2, name="Nerve", colour="#0000ff")))
    remove(2)
    assert project.plan.retired_labels == ()  # No model has learnt it.
    file = project.round_file(1)
    file.parent.mkdir()
    file.touch()
    project.add_round(RoundPlan(number=1, name="one", base="new:compact"))
    remove(4)
    assert project.plan.retired_labels == (4,)
    project.update(classes=(BACKGROUND, STRIPES, DISC))
    assert project.plan.retired_labels == (4,)


def test_what_the_rest_is_cannot_be_removed(project: Project) -> None:
    for patch in project.plan.patches:
        paint = project.paint(patch.id)
        project.write_paint(patch.id, np.where(paint == 1, 0, paint))
    project.update_patch(project.plan.patches[0].replace(meaning=PaintPlan(rest_is_background=True)))
    with pytest.raises(PlanError, match="Background cannot be removed: p001"):
        project.update(classes=(DISC, STRIPES))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": 4, "name": "Other"}, "Disc share the label 4"),
        ({"label": 5, "name": "Disc"}, "two classes named Disc"),
    ],
)
def test_classes_that_cannot_be_told_apart_are_refused(
    project: Project, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    classes = (*CLASSES, STRIPES.replace(**change))
    with pytest.raises(PlanError, match=words):
        project.update(classes=classes)
    assert project.plan.classes == CLASSES
    with pytest.raises(PlanError, match=words):
        Project.create(tmp_path / "new", project.plan.replace(classes=classes))
    assert not (tmp_path / "new").exists()


def test_painted_areas_do_not_become_objects(project: Project) -> None:
    with pytest.raises(PlanError, match="p001 is painted with areas, which cannot become objects; start another"):
        project.update(kind="objects")
    for patch in project.plan.patches:
        project.write_paint(patch.id, np.zeros_like(project.paint(patch.id)))
    project.update(kind="objects")
    assert project.plan.kind == "objects"
