"""A file that nobody wants any more is not written, whatever its format."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_mouse_seg.export import FORMATS, LabelImage, WritingStopped, interruptible

if TYPE_CHECKING:
    from pathlib import Path

LABELS = np.zeros((700, 600), np.int64)
LABELS[10:40, 20:50] = 7


@pytest.mark.parametrize(("name", "blocks"), [*((name, 0) for name in FORMATS), ("tiff", 3), ("ome-zarr", 1)])
def test_writing_ends_at_the_next_block_and_an_older_file_stays(tmp_path: Path, name: str, blocks: int) -> None:
    path = FORMATS[name].path(tmp_path, "cells")
    FORMATS[name].write(path, LabelImage(np.zeros_like(LABELS)))
    before = contents(tmp_path)
    asked = count(1)
    image = interruptible(LabelImage(LABELS), lambda: next(asked) > blocks)
    with pytest.raises(WritingStopped):
        FORMATS[name].write(path, image, overwrite=True)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["csv", "overlay"])  # The others have an identifier of their own in them.
def test_until_then_files_are_as_they_would_be(tmp_path: Path, name: str) -> None:
    first, second = (FORMATS[name].path(tmp_path, stem) for stem in ("first", "second"))
    image = LabelImage(LABELS, (0.5, 0.5), "cells")
    FORMATS[name].write(first, interruptible(image, lambda: False))
    FORMATS[name].write(second, image)
    assert first.read_bytes() == second.read_bytes()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(entry): entry.read_bytes() for entry in folder.rglob("*") if entry.is_file()}
