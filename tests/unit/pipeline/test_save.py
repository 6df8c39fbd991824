from __future__ import annotations

from errno import EACCES
from pathlib import Path

import pytest

from helpers.models import write_random_model
from helpers.scenes import cell_image
from napari_mouse_seg.errors import ExportError
from napari_mouse_seg.events import Finished
from napari_mouse_seg.images import from_arrays
from napari_mouse_seg.pipeline import SegmentResult, resolve, save_result, segment
from napari_mouse_seg.plans import SegmentPlan


@pytest.fixture
def result(tmp_path: Path) -> SegmentResult:
    image = from_arrays([cell_image((64, 64))], axes="YX", name="cells")
    job = resolve(image, write_random_model(tmp_path), SegmentPlan(core_px=64, device="cpu"))
    return next(event.result for event in segment(job) if isinstance(event, Finished))


def test_an_old_record_that_cannot_be_removed_is_told_in_words(
    result: SegmentResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(EACCES, "Permission denied")

    save_result(result, tmp_path, "cells")
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(ExportError, match=r"cells\.json could not be replaced: no permission to write into .*; choose"):
        save_result(result, tmp_path, "cells", overwrite=True)
