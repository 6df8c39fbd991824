from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from helpers.models import write_random_model
from helpers.scenes import cell_image
from napari_mouse_seg.events import Finished, Started
from napari_mouse_seg.images import MultiscaleImage, from_arrays
from napari_mouse_seg.pipeline import AreaCanvas, ScoreCache, SegmentResult, resolve, save_result, segment
from napari_mouse_seg.plans import AreaTargets, ClassPlan, InstancesPlan, SegmentPlan
from napari_mouse_seg.tiling import SCORE_ONE, Box

if TYPE_CHECKING:
    from pathlib import Path

    from napari_mouse_seg.networks import Model

CLASSES = (
    ClassPlan(label=1, name="Background", colour="#808080"),
    ClassPlan(label=4, name="Muscle", colour="#ff0000"),
    ClassPlan(label=9, name="Scar", colour="#0000ff"),
)
PLAN = SegmentPlan(core_px=64, device="cpu")
VIEW = Box(40, 60, 150, 200)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return write_random_model(tmp_path_factory.mktemp("model"), targets=AreaTargets(classes=CLASSES))


@pytest.fixture(scope="module")
def image() -> MultiscaleImage:
    return from_arrays([cell_image((260, 310))], axes="YX", name="cells")


def run(
    image: MultiscaleImage, model: Model, region: Box | None = None, plan: SegmentPlan = PLAN
) -> tuple[SegmentResult, ScoreCache]:
    job = resolve(image, model, plan, region)
    cache = ScoreCache(job)
    *_, last = segment(job, cache)
    assert isinstance(last, Finished)
    return last.result, cache


def test_every_pixel_gets_the_label_of_its_likeliest_class(image: MultiscaleImage, model: Model) -> None:
    result, cache = run(image, model)
    scores = cache.scorer(result.job).store.read(result.box)
    np.testing.assert_array_equal(result.labels, np.array([1, 4, 9])[scores.argmax(0)])
    assert len(np.unique(result.labels)) > 1
    assert np.abs(scores.sum(0).astype(int) - SCORE_ONE).max() <= 12  # Probabilities, but for rounding.
    assert result.n_objects == 0
    assert sum(share.n_pixels for share in result.areas) == result.labels.size
    assert [share.n_pixels for share in result.areas] == [(result.labels == entry.label).sum() for entry in CLASSES]
    found = result.found.replace("\N{NO-BREAK SPACE}", " ")
    assert all(f"{share.plan.name} {100 * share.share:.1f} %" in found for share in result.areas)


def test_a_view_is_exactly_the_crop_of_the_full_image(image: MultiscaleImage, model: Model) -> None:
    full, _ = run(image, model)
    view, _ = run(image, model, VIEW)
    assert view.box == VIEW
    np.testing.assert_array_equal(view.labels, full.labels[VIEW.slices])


def test_thresholds_for_objects_change_nothing(image: MultiscaleImage, model: Model) -> None:
    job = resolve(image, model, PLAN.replace(instances=InstancesPlan(foreground_threshold=0.9)))
    assert job.instances == resolve(image, model, PLAN).instances


def test_the_stages_are_named_for_areas(image: MultiscaleImage, model: Model) -> None:
    stages = [event.stage for event in segment(resolve(image, model, PLAN)) if isinstance(event, Started)]
    assert stages == ["statistics", "scores", "areas"]


def test_files_and_record_hold_the_classes(image: MultiscaleImage, model: Model, tmp_path: Path) -> None:
    result, _ = run(image, model)
    record = save_result(result, tmp_path, "cells", ("tiff", "csv", "geojson", "overlay"))
    assert record.areas == result.areas
    assert record.found == result.found
    assert "Scar" in (tmp_path / "cells.csv").read_text()


def test_views_grow_together_and_leave_the_rest_open(image: MultiscaleImage, model: Model) -> None:
    canvas = AreaCanvas(image.shape, CLASSES)
    left, _ = run(image, model, Box(0, 0, 100, 120))
    right, _ = run(image, model, Box(0, 80, 100, 200))
    assert canvas.add(left) == left.box
    assert canvas.add(right) == right.box
    assert canvas.add(right) is None
    full, _ = run(image, model)
    np.testing.assert_array_equal(canvas.array[:100, :200], full.labels[:100, :200])
    assert not canvas.array[100:].any()
    assert canvas.paint_label == 4


def test_what_was_painted_stays_also_where_it_was_erased(image: MultiscaleImage, model: Model) -> None:
    canvas = AreaCanvas(image.shape, CLASSES)
    view, _ = run(image, model, VIEW)
    canvas.add(view)
    canvas.array[50:60, 70:80] = 9
    canvas.array[100:110, 70:80] = 0
    painted = canvas.array.copy()
    full, _ = run(image, model)
    canvas.add(full)
    np.testing.assert_array_equal(canvas.array[VIEW.slices], painted[VIEW.slices])
    assert canvas.array.min(where=painted > 0, initial=9) > 0
