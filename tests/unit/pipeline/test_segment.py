from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from helpers.models import write_random_model
from helpers.scenes import cell_image
from napari_mouse_seg.errors import ImageError, PlanError
from napari_mouse_seg.events import Event, Finished, Started, TileDone, Warned
from napari_mouse_seg.images import MultiscaleImage, from_arrays
from napari_mouse_seg.pipeline import ScoreCache, SegmentJob, SegmentResult, resolve, segment
from napari_mouse_seg.plans import InstancesPlan, SegmentPlan
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from pathlib import Path

    from napari_mouse_seg.networks import Model

PLAN = SegmentPlan(core_px=64, device="cpu", instances=InstancesPlan(min_area_px=1, split_depth=0.1))


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return write_random_model(tmp_path)


@pytest.fixture
def image() -> MultiscaleImage:
    return from_arrays([cell_image((260, 310))], axes="YX", name="cells")


def run(job: SegmentJob, cache: ScoreCache | None = None) -> tuple[SegmentResult, list[Event]]:
    events = list(segment(job, cache))
    assert isinstance(events[-1], Finished)
    return events[-1].result, events


def test_a_run_reports_its_stages_and_its_result(model: Model, image: MultiscaleImage) -> None:
    result, events = run(resolve(image, model, PLAN))
    stages = [event.stage for event in events if isinstance(event, Started)]
    assert stages == ["statistics", "scores", "instances"]
    last = [event for event in events if isinstance(event, TileDone) and event.stage == "scores"][-1]
    assert last.done == last.total == 25
    assert result.labels.shape == image.shape
    assert result.n_objects == result.labels.max() > 10
    assert not result.cut
    assert result.timings.keys() == {"scores", "instances"}


def test_dark_objects_are_found_as_their_negative_is(model: Model) -> None:
    pixels = cell_image((260, 310))
    dark = from_arrays([pixels.max() - pixels], axes="YX", name="dark")
    bright, _ = run(resolve(from_arrays([pixels], axes="YX", name="bright"), model, PLAN.replace(polarity="bright")))
    wrong, events = run(resolve(dark, model, PLAN))
    right, _ = run(resolve(dark, model, PLAN.replace(polarity="dark")))
    assert any("say that objects are dark" in event.message for event in events if isinstance(event, Warned))
    assert not any("objects are" in message for message in right.warnings)
    assert abs(right.n_objects - bright.n_objects) <= 0.05 * bright.n_objects
    assert ((right.labels > 0) == (bright.labels > 0)).mean() > 0.9
    assert ((wrong.labels > 0) == (bright.labels > 0)).mean() < 0.9


@pytest.mark.parametrize("region", [Box(70, 90, 200, 250), Box(0, 0, 65, 65), Box(100, 130, 128, 192)])
def test_a_view_is_the_crop_of_the_full_image(model: Model, image: MultiscaleImage, region: Box) -> None:
    full, _ = run(resolve(image, model, PLAN))
    view, _ = run(resolve(image, model, PLAN, region))
    assert view.box.contains(region)
    crop = full.labels[view.box.slices]
    whole = set(range(1, view.n_objects + 1)) - view.cut
    assert whole
    for label in whole:
        mine = view.labels == label
        assert len(set(crop[mine].tolist())) == 1
        assert mine.sum() == (full.labels == crop[mine][0]).sum()


def test_a_warm_cache_runs_only_the_instance_step(model: Model, image: MultiscaleImage) -> None:
    job = resolve(image, model, PLAN)
    cache = ScoreCache(job)
    first, _ = run(job, cache)
    higher = resolve(image, model, PLAN.replace(instances=PLAN.instances.replace(foreground_threshold=0.6)))
    second, events = run(higher, cache)
    assert [event.stage for event in events if isinstance(event, Started)] == ["instances"]
    assert (second.labels > 0).sum() < (first.labels > 0).sum()


def test_views_leave_their_tiles_to_the_full_image(model: Model, image: MultiscaleImage) -> None:
    job = resolve(image, model, PLAN)
    cache = ScoreCache(job)
    run(resolve(image, model, PLAN, Box(0, 0, 100, 100)), cache)
    after_view, events = run(job, cache)
    assert next(event for event in events if isinstance(event, Started)).total < 25
    np.testing.assert_array_equal(after_view.labels, run(job)[0].labels)


def test_a_cache_of_another_channel_or_scale_does_not_fit(model: Model) -> None:
    image = from_arrays([np.stack([cell_image((80, 90), 1), cell_image((80, 90), 2)])], axes="CYX", name="two")
    job = resolve(image, model, PLAN)
    cache = ScoreCache(job)
    assert cache.fits(resolve(image, model, PLAN, Box(0, 0, 10, 10)))
    assert not cache.fits(resolve(image, model, PLAN.replace(channel=1)))
    assert not cache.fits(resolve(image, model, PLAN.replace(scale=0.5)))


def test_the_pixel_sizes_choose_level_and_grid(tmp_path: Path) -> None:
    model = write_random_model(tmp_path, pixel_size_um=0.5)
    fine = cell_image((400, 600))
    levels = [fine, fine[::2, ::2], fine[::4, ::4]]
    image = from_arrays(levels, axes="YX", name="fine", pixel_size_um=(0.2, 0.2))
    job = resolve(image, model, PLAN)
    assert job.network_shape == (160, 240)
    assert job.source.level == 1
    assert job.pixel_scale == (2.5, 2.5)
    result, _ = run(job)
    assert result.labels.shape == (160, 240)
    assert resolve(image, model, PLAN.replace(scale=1.0)).network_shape == (400, 600)


def test_a_grid_that_is_given_counts_whatever_the_sizes_say(tmp_path: Path) -> None:
    model = write_random_model(tmp_path, pixel_size_um=0.5)
    image = from_arrays([cell_image((400, 600))], axes="YX", name="fine", pixel_size_um=(0.2267, 0.2272))
    job = resolve(image, model, PLAN.replace(scale=1.0), Box(100, 300, 200, 400), network_shape=(181, 273))
    assert job.network_shape == (181, 273)
    assert job.box == Box(45, 136, 91, 182)
    unknown = from_arrays([cell_image((400, 600))], axes="YX", name="unknown")
    assert resolve(unknown, model, PLAN).warnings
    assert not resolve(unknown, model, PLAN, network_shape=(400, 600)).warnings


def test_a_batch_size_counts_for_scores_that_are_kept(model: Model, image: MultiscaleImage) -> None:
    first = resolve(image, model, PLAN.replace(batch_size=8))
    cache = ScoreCache(first)
    assert cache.scorer(first).batch_size == 8
    assert cache.scorer(resolve(image, model, PLAN.replace(batch_size=1))).batch_size == 1


def test_a_pixel_size_that_is_no_microscopes_is_refused(tmp_path: Path) -> None:
    model = write_random_model(tmp_path, pixel_size_um=0.5)
    image = from_arrays([cell_image((40, 60))], axes="YX", name="in_mm", pixel_size_um=(650.0, 650.0))
    with pytest.raises(
        PlanError, match=r"says 650 µm per pixel .* enlarge the image 1300 times .* set the scale"
    ) as found:
        resolve(image, model, PLAN)
    assert found.value.field == "scale"
    assert resolve(image, model, PLAN.replace(scale=1.0)).network_shape == (40, 60)
    coarse = from_arrays([cell_image((40, 60))], axes="YX", name="coarse", pixel_size_um=(8.0, 8.0))
    assert resolve(coarse, model, PLAN).network_shape == (640, 960)


def test_a_region_in_image_pixels_is_mapped_outwards(tmp_path: Path) -> None:
    model = write_random_model(tmp_path, pixel_size_um=0.5)
    image = from_arrays([cell_image((100, 100))], axes="YX", name="fine", pixel_size_um=(0.25, 0.25))
    assert resolve(image, model, PLAN, Box(11, 20, 31, 40)).box == Box(5, 10, 16, 20)


def test_what_does_not_fit_is_said_before_the_run(tmp_path: Path) -> None:
    model = write_random_model(tmp_path, modality="fluorescence", pixel_size_um=0.5)
    rgb = from_arrays([np.zeros((50, 60, 3), np.uint8)], axes="YXS", name="stain")
    warnings = resolve(rgb, model, PLAN).warnings
    assert any("is for fluorescence images of one channel; this image is RGB" in text for text in warnings)
    assert any("take nuclei-histology" in text for text in warnings)
    assert any("pixel size of the image is unknown" in text for text in warnings)


def test_what_is_left_out_of_a_stack_is_said_where_nobody_has_chosen(model: Model) -> None:
    stack = from_arrays([np.zeros((3, 2, 50, 60), np.uint8)], axes="TZYX", name="stack")
    said = resolve(stack, model, SegmentPlan(core_px=64, plane_z=1)).warnings
    assert [text for text in said if "only the first" in text] == [
        "The image has 3 time points; only the first is segmented. "
        "Choose another with plane_t, on the command line --plane-t."
    ]
    assert not any(
        "only the first" in text for text in resolve(stack, model, SegmentPlan(plane_t=0, plane_z=0)).warnings
    )


def test_a_mostly_bright_image_is_warned_of(model: Model) -> None:
    inverted = 60000 - cell_image((100, 100))
    image = from_arrays([inverted], axes="YX", name="inverted")
    _, events = run(resolve(image, model, PLAN))
    assert any(isinstance(event, Warned) and "most of the image is bright" in event.message for event in events)


def test_an_empty_result_names_the_intensities(tmp_path: Path, image: MultiscaleImage) -> None:
    plan = PLAN.replace(instances=InstancesPlan(min_area_px=100_000))
    result, events = run(resolve(image, write_random_model(tmp_path), plan))
    assert result.n_objects == 0
    assert any(
        isinstance(event, Warned) and "No objects were found. Intensities from" in event.message for event in events
    )


@pytest.mark.parametrize("fill", [np.nan, 3.0])
def test_an_image_with_nothing_in_it_is_an_error_in_words(model: Model, fill: float) -> None:
    image = from_arrays([np.full((70, 70), fill, np.float32)], axes="YX", name="empty")
    with pytest.raises(ImageError, match="nothing to segment"):
        list(segment(resolve(image, model, PLAN)))


def test_a_region_beside_the_image_and_a_wrong_tile_are_refused(model: Model, image: MultiscaleImage) -> None:
    with pytest.raises(PlanError, match="lies outside the image"):
        resolve(image, model, PLAN, Box(500, 500, 600, 600))
    with pytest.raises(PlanError, match="vanishes"):
        resolve(from_arrays([cell_image((20, 30))], axes="YX", name="x"), model, PLAN.replace(scale=0.02))
    with pytest.raises(PlanError, match="no channel 3"):
        resolve(image, model, PLAN.replace(channel=3))


def test_images_smaller_than_a_tile_and_single_pixels_rows_work(model: Model) -> None:
    for shape in ((5, 7), (1, 40), (65, 3)):
        image = from_arrays([cell_image(shape)], axes="YX", name="small")
        result, _ = run(resolve(image, model, PLAN))
        assert result.labels.shape == shape
