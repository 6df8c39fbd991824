"""A model whose scores are background, interior and touching boundary goes through the same engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from helpers.models import write_random_model
from helpers.scenes import cell_image
from napari_mouse_seg.events import Finished
from napari_mouse_seg.images import MultiscaleImage, from_arrays
from napari_mouse_seg.instances import decode_scores
from napari_mouse_seg.pipeline import ScoreCache, SegmentResult, resolve, segment
from napari_mouse_seg.plans import BoundaryTargets, SegmentPlan
from napari_mouse_seg.tiling import SCORE_ONE, Box

if TYPE_CHECKING:
    from napari_mouse_seg.networks import Model

PLAN = SegmentPlan(core_px=64, device="cpu")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return write_random_model(tmp_path_factory.mktemp("model"), targets=BoundaryTargets())


@pytest.fixture(scope="module")
def image() -> MultiscaleImage:
    return from_arrays([cell_image((200, 260))], axes="YX", name="cells")


def run(image: MultiscaleImage, model: Model, region: Box | None = None) -> tuple[SegmentResult, ScoreCache]:
    job = resolve(image, model, PLAN, region)
    cache = ScoreCache(job)
    *_, last = segment(job, cache)
    assert isinstance(last, Finished)
    return last.result, cache


def test_its_classes_exclude_each_other_and_are_decoded_by_its_scheme(image: MultiscaleImage, model: Model) -> None:
    result, cache = run(image, model)
    scores = cache.scorer(result.job).store.read(result.box)
    assert np.abs(scores.sum(0).astype(int) - SCORE_ONE).max() <= 12
    expected = decode_scores(scores, model.card.targets, model.card.instances)
    np.testing.assert_array_equal(result.labels, expected.labels)
    assert result.n_objects > 5


def test_objects_of_a_view_are_those_of_the_full_image(image: MultiscaleImage, model: Model) -> None:
    full, _ = run(image, model)
    view, _ = run(image, model, Box(70, 60, 150, 200))
    crop = full.labels[view.box.slices]
    whole = set(range(1, view.n_objects + 1)) - view.cut
    assert whole
    for label in whole:
        own = view.labels == label
        np.testing.assert_array_equal(crop == crop[own][0], own)
