from __future__ import annotations

import os
from errno import EACCES
from pathlib import Path

import numpy as np
import pytest
import tifffile

from helpers.models import write_random_model
from helpers.pyramids import write_ome_zarr
from helpers.scenes import cell_image
from napari_mouse_seg.errors import ExportError
from napari_mouse_seg.events import Finished
from napari_mouse_seg.export import FORMATS
from napari_mouse_seg.images import MultiscaleImage, from_arrays, open_image, sample_path
from napari_mouse_seg.networks import find_model
from napari_mouse_seg.pipeline import (
    Part,
    SegmentResult,
    check_free,
    find_finished,
    resolve,
    result_paths,
    save_result,
    segment,
    why_unfinished,
)
from napari_mouse_seg.plans import InstancesPlan, SegmentPlan


def run(image: MultiscaleImage, folder: Path) -> SegmentResult:
    job = resolve(image, write_random_model(folder), SegmentPlan(core_px=64, device="cpu"))
    return next(event.result for event in segment(job) if isinstance(event, Finished))


@pytest.fixture
def result(tmp_path: Path) -> SegmentResult:
    return run(from_arrays([cell_image((64, 64))], axes="YX", name="cells"), tmp_path)


def test_an_old_record_that_cannot_be_removed_is_told_in_words(
    result: SegmentResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(EACCES, "Permission denied")

    save_result(result, tmp_path, "cells")
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(ExportError, match=r"cells\.json could not be replaced: no permission to write into .*; choose"):
        save_result(result, tmp_path, "cells", overwrite=True)


def test_an_ome_zarr_whose_chunks_were_rewritten_is_not_finished(tmp_path: Path) -> None:
    source = write_ome_zarr(tmp_path / "cells.ome.zarr", [cell_image((64, 64))], axes="yx")
    result = run(open_image(source), tmp_path)
    save_result(result, tmp_path / "out", "cells")
    paths = result_paths(tmp_path / "out", "cells", ["tiff"])
    assert find_finished(result.job, paths) is not None
    chunk = max((path for path in source.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    later = paths["record"].stat().st_mtime_ns + 10**9
    os.utime(chunk, ns=(later, later))
    assert find_finished(result.job, paths) is None


def test_labels_of_a_part_or_painted_in_are_not_taken_for_finished(tmp_path: Path) -> None:
    source = tmp_path / "cells.tif"
    tifffile.imwrite(source, cell_image((64, 64)))
    result = run(open_image(source), tmp_path)
    record = save_result(result, tmp_path / "out", "cells")
    paths = result_paths(tmp_path / "out", "cells", ["tiff"])
    assert find_finished(result.job, paths) is not None
    paths["record"].write_text(record.model_copy(update={"is_complete": False}).model_dump_json())
    assert find_finished(result.job, paths) is None
    assert "a part of the image" in why_unfinished(result.job, paths)


def test_the_longest_name_is_written_in_every_format(tmp_path: Path) -> None:
    result, stem, formats = run(open_image(sample_path()), tmp_path), "a" * 220, tuple(FORMATS)
    save_result(result, tmp_path / "out", stem, formats=formats)
    paths = result_paths(tmp_path / "out", stem, formats)
    assert all(path.exists() for path in paths.values())
    part = Part.beside(tmp_path / "out", stem)
    part.folder.mkdir()
    part.note_outputs(paths.values())
    assert part.began_outputs(paths.values())


@pytest.mark.parametrize(
    ("stem", "words"), [("a" * 221, "after it .221 bytes"), ("é" * 111, "222 bytes"), ("\udce9", "UTF-8")]
)
def test_a_name_that_results_cannot_have_is_told(tmp_path: Path, stem: str, words: str) -> None:
    with pytest.raises(ExportError, match=words):
        result_paths(tmp_path, stem, ("tiff",))


def test_what_an_older_run_wrote_beside_the_labels_goes_with_its_record(result: SegmentResult, tmp_path: Path) -> None:
    out = tmp_path / "out"
    save_result(result, out, "cells", formats=("tiff", "csv", "geojson", "ome-zarr"))
    (out / "cells.txt").touch()
    save_result(result, out, "cells", formats=("tiff",), overwrite=True)
    assert {path.name for path in out.iterdir()} == {"cells.tif", "cells.json", "cells.txt"}


def test_objects_that_no_pixel_of_the_image_falls_into_are_not_counted(tmp_path: Path) -> None:
    image = from_arrays([np.random.default_rng(0).integers(0, 255, (80, 80)).astype(np.uint8)], axes="YX", name="noise")
    plan = SegmentPlan(scale=4.0, device="cpu", instances=InstancesPlan(min_area_px=1))
    job = resolve(image, find_model("otsu-watershed"), plan)
    found = next(event.result for event in segment(job) if isinstance(event, Finished))
    record = save_result(found, tmp_path, "noise", formats=("tiff", "csv"))
    labels = tifffile.imread(tmp_path / "noise.tif")
    assert record.n_objects < found.n_objects
    assert np.unique(labels).tolist() == list(range(record.n_objects + 1))
    assert len((tmp_path / "noise.csv").read_text().splitlines()) == record.n_objects + 1


def test_a_folder_where_a_file_is_to_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "cells.tif").mkdir()
    with pytest.raises(ExportError, match=r"cells\.tif, where a result is to be written, is of another kind"):
        check_free(result_paths(tmp_path, "cells", ("tiff",)), None, overwrite=True)


def test_an_unknown_format_is_told(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"no format 'nope'; choose from tiff"):
        result_paths(tmp_path, "cells", ("nope",))


def test_what_a_killed_run_left_half_written_goes_with_the_next(result: SegmentResult, tmp_path: Path) -> None:
    half = tmp_path / "out" / ".00ff00ff.part.cells.tif"
    other = tmp_path / "out" / ".00ff00ff.part.others.tif"
    half.parent.mkdir()
    for path in (half, other):
        path.touch()
    save_result(result, tmp_path / "out", "cells")
    assert not half.exists()
    assert other.exists()


def test_an_older_result_that_cannot_be_removed_is_told_before_anything_is_replaced(
    result: SegmentResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_result(result, tmp_path, "cells", ("tiff", "csv"))
    before = (tmp_path / "cells.tif").stat().st_mtime_ns
    monkeypatch.setattr("napari_mouse_seg.pipeline._save.remove", lambda _: None)
    with pytest.raises(ExportError, match=r"cells\.csv, a result of an earlier run, cannot be removed"):
        save_result(result, tmp_path, "cells", overwrite=True)
    assert (tmp_path / "cells.tif").stat().st_mtime_ns == before
