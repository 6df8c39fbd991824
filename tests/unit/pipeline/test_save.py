from __future__ import annotations

import os
from errno import EACCES
from pathlib import Path

import pytest

from helpers.models import write_random_model
from helpers.pyramids import write_ome_zarr
from helpers.scenes import cell_image
from napari_mouse_seg.errors import ExportError
from napari_mouse_seg.events import Finished
from napari_mouse_seg.export import FORMATS
from napari_mouse_seg.images import MultiscaleImage, from_arrays, open_image, sample_path
from napari_mouse_seg.pipeline import Part, SegmentResult, find_finished, resolve, result_paths, save_result, segment
from napari_mouse_seg.plans import SegmentPlan


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
