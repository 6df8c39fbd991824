"""A round of training on areas: what is checked, and what its model says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from helpers.areas import CLASSES, SHORT, area_project
from helpers.models import write_random_model
from napari_mouse_seg.errors import TrainingError
from napari_mouse_seg.events import Finished, Validated
from napari_mouse_seg.networks import Model, load_model
from napari_mouse_seg.pipeline import Orders, TrainingProcess, new_networks, resolve_retrain, retrain
from napari_mouse_seg.plans import AreaTargets, ClassPlan, PaintPlan, RoundPlan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_mouse_seg.projects import Project

BACKGROUND, DISC, STRIPES = CLASSES


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with area_project(tmp_path) as made:
        yield made


def keep(project: Project, patch_id: str, *labels: int) -> None:
    paint = project.paint(patch_id)
    project.write_paint(patch_id, np.where(np.isin(paint, labels), paint, 0))


def train(project: Project, **plan: object) -> tuple[RoundPlan, Model]:
    for event in retrain(resolve_retrain(project, SHORT.replace(**plan)), Orders(), threads=1):
        if isinstance(event, Finished):
            project.add_round(event.result)
            return event.result, load_model(project.round_file(event.result.number))
    raise AssertionError("There was no model.")


def test_a_round_becomes_a_model_of_the_projects_classes(project: Project) -> None:
    job = resolve_retrain(project)
    assert not job.warnings
    done, model = train(project)
    card = model.card
    assert card.targets == AreaTargets(classes=CLASSES)
    assert card.architecture.outputs == ("Background", "Disc", "Stripes")
    assert card.summary == "Background, Disc, Stripes: trained on 1 painted patch of areas, from new:compact"
    assert (card.stride_px, card.halo_px, card.receptive_field_px, card.global_pooling) == (16, 32, 146, False)
    scores = card.scores["painted validation patches"]
    assert scores["mean_iou"] == pytest.approx(done.score, abs=1e-4)
    assert set(scores) == {"mean_iou", "iou Background", "iou Disc", "iou Stripes"}
    assert model.network() is not None


def test_a_model_of_objects_lends_its_trunk(project: Project, tmp_path: Path) -> None:
    base = write_random_model(tmp_path)
    project.update(base=str(base.path))
    done, model = train(project, steps=1, learning_rate=1e-9)
    assert done.base == "random"
    assert (model.card.stride_px, model.card.halo_px) == (base.card.stride_px, base.card.halo_px)
    old, new = base.network().state_dict(), model.network().state_dict()
    assert new["segmentation_head.0.weight"].shape[0] == 3
    torch.testing.assert_close(new["encoder.conv1.weight"], old["encoder.conv1.weight"], atol=1e-6, rtol=0)
    assert (new["segmentation_head.0.weight"] - old["segmentation_head.0.weight"]).abs().max() > 0.01


def test_the_last_round_goes_on_after_a_class_was_added(project: Project) -> None:
    train(project)
    project.update(classes=(*CLASSES, ClassPlan(label=12, name="Nerve", colour="#0000ff")))
    job = resolve_retrain(project, SHORT.replace(start_from="last"))
    assert job.base == "areas 1"
    assert any("Nothing is painted of Nerve" in warning for warning in job.warnings)
    _, model = train(project, start_from="last")
    assert model.card.architecture.outputs == ("Background", "Disc", "Stripes", "Nerve")


def test_a_process_tells_the_overlap_of_every_class(project: Project) -> None:
    events = list(TrainingProcess(project.folder, SHORT.replace(threads=1)).events())
    parts = [event.parts for event in events if isinstance(event, Validated)]
    assert set(parts[-1]) == {"mean_iou", "iou Background", "iou Disc", "iou Stripes"}
    assert isinstance(events[-1], Finished)


def test_one_painted_class_is_too_few(project: Project) -> None:
    keep(project, "p001", 4)
    with pytest.raises(TrainingError, match="Only Disc is painted; paint some of another class too"):
        resolve_retrain(project)
    project.update_patch(project.plan.patches[0].replace(meaning=PaintPlan(rest_is_background=True)))
    assert resolve_retrain(project).train


def test_no_paint_and_no_classes_are_told(project: Project) -> None:
    for patch_id in ("p001", "p002"):
        keep(project, patch_id)
    with pytest.raises(TrainingError, match=r"Nothing is painted yet .* paint at least two classes"):
        resolve_retrain(project)
    project.update(classes=(DISC,))
    with pytest.raises(TrainingError, match="has 1 class, but areas need at least two"):
        resolve_retrain(project)


def test_paint_that_is_no_class_is_named(project: Project) -> None:
    paint = project.paint("p002")
    paint[:3] = 7
    project.write_paint("p002", paint)
    with pytest.raises(TrainingError, match="p002 is painted with label 7, which is no class"):
        resolve_retrain(project)


def test_a_rest_without_a_class_is_told(project: Project) -> None:
    for patch_id in ("p001", "p002"):
        keep(project, patch_id, 4, 9)
    project.update(classes=(DISC, STRIPES))
    project.update_patch(project.plan.patches[0].replace(meaning=PaintPlan(rest_is_background=True)))
    with pytest.raises(TrainingError, match="no class with label 1; add it, or untick"):
        resolve_retrain(project)


def test_classes_nobody_painted_or_can_measure_are_warned_of(project: Project) -> None:
    keep(project, "p001", 1, 4)
    keep(project, "p002", 1)
    warnings = resolve_retrain(project).warnings
    assert "Nothing is painted of Stripes in a patch to learn from, so the model will never find it." in warnings
    assert any("Nothing is painted of Disc in a validation patch" in warning for warning in warnings)


def test_keeping_in_mind_what_the_base_could_is_not_offered_for_areas(project: Project) -> None:
    job = resolve_retrain(project, SHORT.replace(rehearse=True))
    assert any("the option has no effect" in warning for warning in job.warnings)


def test_unet_plus_plus_can_be_chosen() -> None:
    assert "new:unetplusplus/resnet18" in new_networks()
    assert "new:unetplusplus/resnet18+imagenet" in new_networks()
