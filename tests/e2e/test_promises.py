"""What the documentation promises, on the bundled model and a real field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

from napari_mouse_seg import (
    Box,
    ScoreCache,
    SegmentPlan,
    find_model,
    from_arrays,
    instance_scores,
    open_image,
    resolve,
    sample_path,
    segment,
)
from napari_mouse_seg.errors import ExportError, PlanError
from napari_mouse_seg.instances import decode
from napari_mouse_seg.pipeline import segment as run

if TYPE_CHECKING:
    from pathlib import Path

    from napari_mouse_seg import Segmentation

PLAN = SegmentPlan(device="cpu")


@pytest.fixture(scope="module")
def full() -> Segmentation:
    return segment(sample_path(), plan=PLAN)


def test_the_sample_has_its_nuclei(full: Segmentation) -> None:
    # 152 are annotated, specks included.
    assert 140 <= full.n_objects <= 160
    assert full.labels.shape == (520, 696)


def test_an_array_is_segmented_as_its_file_is(full: Segmentation) -> None:
    pixels = np.asarray(open_image(sample_path()).levels[0][...])
    found = segment(pixels, plan=PLAN.replace(scale=full.result.job.network_shape[0] / pixels.shape[0]))
    np.testing.assert_array_equal(found.labels, full.labels)
    for strange in (np.zeros((4, 9, 9)), 3):
        with pytest.raises(PlanError, match=r"from_arrays\(array, axes='CYX'\)"):
            segment(strange)


def test_a_channel_that_is_asked_for_is_not_taken_for_a_colour(tmp_path: Path) -> None:
    pixels = (
        np.random.default_rng(0).integers(200, 250, (64, 64), np.uint8) - np.array([0, 9, 5], np.uint8)[:, None, None]
    )
    pixels[:, 20:40, 20:40] -= 120
    path = tmp_path / "plane.ome.tif"
    tifffile.imwrite(path, pixels, ome=True, photometric="minisblack", metadata={"axes": "CYX"})
    assert open_image(path).is_rgb
    assert not segment(path, "otsu-watershed", PLAN.replace(channel=1)).result.job.image.is_rgb


def test_from_the_same_real_scores_every_block_size_gives_the_same_instances() -> None:
    job = resolve(open_image(sample_path()), find_model("nuclei-fluorescence"), PLAN)
    cache = ScoreCache(job)
    for _ in run(job, cache):
        pass
    scores = np.array(cache.scorer(job).store.read(job.bounds))
    whole = decode(scores, job.instances, block_px=4096)
    for block_px in (33, 100, 256):
        blocks = decode(scores, job.instances, block_px=block_px, order=lambda boxes: boxes[::-1])
        np.testing.assert_array_equal(blocks.labels, whole.labels)


@pytest.mark.parametrize("region", [Box(100, 150, 330, 480), Box(0, 0, 200, 256), Box(300, 400, 520, 696)])
def test_a_real_view_is_the_crop_of_the_full_image(full: Segmentation, region: Box) -> None:
    view = segment(sample_path(), plan=PLAN, region=region).result
    crop = full.labels[view.box.slices]
    whole = set(range(1, view.n_objects + 1)) - view.cut
    assert len(whole) > 10
    for label in whole:
        mine = view.labels == label
        (twin,) = np.unique(crop[mine])
        assert mine.sum() == (full.labels == twin).sum()


def test_tile_sizes_agree_on_a_real_mosaic() -> None:
    field = open_image(sample_path()).plane().read(0, Box(0, 0, 520, 696))
    mosaic = np.block([[field, field[:, ::-1]], [field[::-1], field[::-1, ::-1]]])
    image = from_arrays([mosaic], axes="YX", name="mosaic")
    small, large = (segment(image, plan=PLAN.replace(core_px=core, scale=1.0)).labels for core in (256, 512))
    assert instance_scores(small, large, thresholds=(0.9,)).f1[0] >= 0.995


def test_a_view_cannot_be_saved_as_the_whole_image(tmp_path: Path) -> None:
    view = segment(sample_path(), plan=PLAN, region=Box(0, 0, 100, 100))
    with pytest.raises(ExportError, match="Only a region of the image was segmented"):
        view.save(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_labels_of_a_region_are_of_nothing_else(full: Segmentation) -> None:
    region = Box(200, 300, 260, 380)
    view = segment(sample_path(), plan=PLAN, region=region)
    assert view.labels.shape == view.box.shape
    inside = full.result.labels[view.box.slices]
    assert ((view.labels > 0) == (inside > 0)).all()


@pytest.mark.parametrize(("name", "stem"), [("../evil/na me", "_evil_na me"), ("", "image"), ("a/b", "a_b")])
def test_the_name_of_an_array_stays_in_the_folder(tmp_path: Path, name: str, stem: str) -> None:
    found = segment(from_arrays([np.eye(64, dtype=np.uint8)], axes="YX", name=name), "otsu-watershed")
    found.save(tmp_path / "out", "tiff")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"{stem}.tif", f"{stem}.json"}
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def test_five_lines_save_labels_and_a_record(full: Segmentation, tmp_path: Path) -> None:
    record = full.save(tmp_path, ["tiff", "csv"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "u2os_nuclei.csv",
        "u2os_nuclei.json",
        "u2os_nuclei.tif",
    ]
    assert record.n_objects == full.n_objects
