"""A result of the panel *Segment* → a file and its run record, beside the main thread."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.errors import ExportError
from napari_mouse_seg.events import Event, Finished, Warned
from napari_mouse_seg.plugin._writer import format_of

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from napari_mouse_seg.export import LabelImage, RunRecord
    from napari_mouse_seg.pipeline import SegmentJob

_BAND_PX = 4_000_000


@dataclass(frozen=True, slots=True)
class SaveJob:
    """What is written where.

    Attributes
    ----------
    path
        Its ending says the format.
    image
        Labels that nobody changes meanwhile.
    job
        What they were found by, with the thresholds that they were found with.
    source
        File of the image; None if it is in none.
    device
        Where the network ran, for people.
    warnings
        For the record.
    is_complete
        Whether the whole image was segmented, and nothing painted in.
    stopped
        Set to give it up; the thread hears of it at the next block.
    """

    path: Path
    image: LabelImage
    job: SegmentJob
    source: Path | None
    device: str
    warnings: tuple[str, ...] = ()
    is_complete: bool = True
    stopped: threading.Event = field(default_factory=threading.Event)


def save(saving: SaveJob) -> Generator[Event, None, None]:
    """Write a file, and beside it the run record ``<name>.json``.

    Results of the same run that stand there under the same name, in other formats, stay in the record. A file of that
    name that is no record is left alone.

    Parameters
    ----------
    saving
        What and where.

    Yields
    ------
    Event
        ``Warned`` if there is no record, then ``Finished`` with the path.

    Raises
    ------
    ExportError
        If there is no such format, the image itself would be replaced, or the disk refuses.
    WritingStopped
        After ``stopped`` was set; an older file is untouched.
    """
    from napari_mouse_seg.export import FORMATS, interruptible

    path, source = saving.path, saving.source
    format_of(path)  # Before the work.
    if source is not None and path.exists() and source.exists() and path.samefile(source):
        raise ExportError(f"{path.name} is the image itself; choose another name.")
    image = interruptible(saving.image, saving.stopped.is_set)
    record = _describe(saving, image)
    began = time.perf_counter()
    FORMATS[format_of(path)].write(path, image, overwrite=True)
    seconds = time.perf_counter() - began
    try:
        _write_record(path, record, seconds)
    except ExportError as error:
        yield Warned(f"There is no run record: {error}")
    yield Finished(path)


def _describe(saving: SaveJob, image: LabelImage) -> RunRecord:
    """Return the record of no file yet; reads all labels, and the image's file for its hash."""
    from napari_mouse_seg.areas import area_shares
    from napari_mouse_seg.pipeline import make_record

    source = saving.source
    if source is not None and not source.exists():
        source = None  # It was moved or renamed since; the labels are worth keeping all the same.
    pixels = _count(image)
    classes = saving.job.model.card.classes
    areas = area_shares(classes, [pixels.get(entry.label, 0) for entry in classes])
    return make_record(
        saving.job,
        source,
        n_objects=0 if areas else len(pixels),
        areas=areas,
        device=saving.device,
        timings={},
        warnings=saving.warnings,
        outputs={},
        is_complete=saving.is_complete,
    )


def _write_record(path: Path, record: RunRecord, seconds: float) -> None:
    """Write the record beside its file; to one of the same labels the file is added."""
    from napari_mouse_seg.export import write_record
    from napari_mouse_seg.images import image_stem

    name = format_of(path)
    target = path.with_name(f"{image_stem(path)}.json")
    earlier = _earlier(target)
    told: dict[str, dict[str, Any]] = {
        "timings_s": {f"write {name}": round(seconds, 3)},
        "outputs": {name: path.name},
        "output_bytes": {name: path.stat().st_size} if path.is_file() else {},
    }
    if earlier is not None and _is_same(earlier, record):
        told = {field: getattr(earlier, field) | value for field, value in told.items()}
    write_record(target, record.model_copy(update=told), overwrite=True)


def _earlier(target: Path) -> RunRecord | None:
    """Return the record that stands there; None if there is none.

    Raises
    ------
    ExportError
        If there is something else.
    """
    from napari_mouse_seg.export import read_record

    return read_record(target) if target.exists() else None


def _is_same(earlier: RunRecord, record: RunRecord) -> bool:
    """Return whether two files hold the same labels, as far as their records tell."""
    told = ("input", "model", "plan", "n_objects", "areas", "warnings", "is_complete")
    return all(getattr(earlier, name) == getattr(record, name) for name in told)


def _count(image: LabelImage) -> dict[int, int]:
    """Return how many pixels each label has, without the background."""
    pixels: dict[int, int] = {}
    rows, columns = image.shape
    step = max(1, _BAND_PX // max(1, columns))
    for top in range(0, rows, step):
        labels, counts = np.unique(image.read(slice(top, min(top + step, rows)), slice(0, columns)), return_counts=True)
        for label, count in zip(labels.tolist(), counts.tolist(), strict=True):
            pixels[label] = pixels.get(label, 0) + count
    pixels.pop(0, None)
    return pixels
