"""A finished run → files and the record of how they came about."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from napari_mouse_seg._atomic import exists_already, explain, remove, remove_unfinished
from napari_mouse_seg.errors import ExportError
from napari_mouse_seg.pipeline._part import last_change

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_mouse_seg.areas import AreaShare
    from napari_mouse_seg.export import InputRecord, LabelArray, RunRecord
    from napari_mouse_seg.pipeline._job import SegmentJob
    from napari_mouse_seg.pipeline._segment import SegmentResult

RECORD = "record"

_MAX_STEM_BYTES = 220  # Of the 255 that file systems take; the rest is for endings, also of what is not finished yet.


def result_paths(folder: Path, stem: str, formats: Sequence[str]) -> dict[str, Path]:
    """Return where each format's file and the run record (key ``"record"``) of an image go.

    Raises
    ------
    ExportError
        If the disk, or the record, could not take names made of this stem, or there is no such format.
    """
    from napari_mouse_seg.export import FORMATS

    _check_stem(stem)
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise ExportError(f"There is no format {unknown[0]!r}; choose from {', '.join(FORMATS)}.")
    return {name: FORMATS[name].path(folder, stem) for name in formats} | {RECORD: folder / f"{stem}.json"}


def _check_stem(stem: str) -> None:
    try:
        length = len(stem.encode())
    except UnicodeEncodeError:
        raise ExportError("The file's name is not UTF-8, which results cannot have; rename it.") from None
    if length > _MAX_STEM_BYTES:
        raise ExportError(
            f"The file's name is too long to name results after it ({length} bytes, {_MAX_STEM_BYTES} at most, without "
            "the suffix); rename it."
        )


def check_free(paths: dict[str, Path], source: Path | None, *, overwrite: bool) -> None:
    """Check, before any work, that nothing would be replaced that should not be.

    Raises
    ------
    ExportError
        If a file exists and may not be replaced, or is the input itself, or a folder is where a file is to be.
    """
    for path in paths.values():
        if not path.exists():
            continue
        if path.is_dir() is not (path.suffix == ".zarr"):
            raise ExportError(f"{path}, where a result is to be written, is of another kind; move it or rename it.")
        if source is not None and source.exists() and path.samefile(source):
            raise ExportError(f"The result would replace its own input {source}; choose another output folder.")
        if not overwrite:
            raise ExportError(exists_already(path))


def find_finished(job: SegmentJob, paths: dict[str, Path]) -> RunRecord | None:
    """Return the record of an earlier run that did exactly this job; None if there is none or something differs.

    The record is written last, so results with a record are complete.

    Parameters
    ----------
    job
        Over the full image of a file.
    paths
        From ``result_paths``.

    Returns
    -------
    RunRecord or None
        Of the same plan, model and pixels, with every format asked for.

    Raises
    ------
    ExportError
        If there is a record that cannot be read.
    """
    from napari_mouse_seg.export import read_record

    source = job.image.path
    if source is None or not all(path.exists() for path in paths.values()):
        return None
    record = read_record(paths[RECORD])
    sizes = {name: path.stat().st_size for name, path in paths.items() if path.is_file()}
    if not all(sizes.values()) or any(sizes.get(name, size) != size for name, size in record.output_bytes.items()):
        return None
    is_same = (
        record.is_complete
        and not _settings_that_differ(record, job, paths)
        and record.input is not None
        and record.input.sha256 == _describe(source, job).sha256
        and not _changed_since(source, paths[RECORD])
    )
    return record if is_same else None


def why_unfinished(job: SegmentJob, paths: dict[str, Path]) -> str:
    """Return in what an earlier run differs from this job, in words; empty if there is none that can be read."""
    from napari_mouse_seg.export import read_record

    try:
        record = read_record(paths[RECORD])
    except ExportError:
        return ""
    if not record.is_complete:
        return "the labels there are of a part of the image, or were painted in"
    names = _settings_that_differ(record, job, paths)
    return f"an earlier run differs in {', '.join(names)}" if names else "the image, or its results, changed since"


def _settings_that_differ(record: RunRecord, job: SegmentJob, paths: dict[str, Path]) -> list[str]:
    before, now = _flat(record.plan), _flat(_plan(job))
    names = [name for name in now.keys() | before.keys() if before.get(name) != now.get(name)]
    names += ["model"] * (record.model.sha256 != job.model.sha256)
    if record.input is not None:
        # Records of before do not say which image it was, nor how it was read.
        names += ["series"] * (record.input.series not in (None, job.series))
        names += ["channels read as colours"] * (record.input.is_rgb not in (None, job.image.is_rgb))
    names += [name for name, path in paths.items() if name != RECORD and record.outputs.get(name) != path.name]
    return sorted(names)


def _flat(plan: dict[str, Any]) -> dict[str, Any]:  # Any: JSON values
    """Return a plan's fields, those of the objects among them."""
    return {name: value for name, value in plan.items() if name != "instances"} | dict(plan.get("instances") or {})


def _describe(source: Path, job: SegmentJob) -> InputRecord:
    from napari_mouse_seg.export import describe_input

    image, plane = job.image, job.plane
    size = plane.pixel_size_um
    return describe_input(source, plane.shape, size, job.series, is_rgb=image.is_rgb, sources=image.sources)


def _changed_since(source: Path, record: Path) -> bool:
    """Return whether a folder changed after its record was written; a hash is blind to chunks that keep their size."""
    return source.is_dir() and last_change(source) > record.stat().st_mtime_ns


def save_result(
    result: SegmentResult,
    folder: Path,
    stem: str,
    formats: Sequence[str] = ("tiff",),
    *,
    overwrite: bool = False,
    timings: dict[str, float] | None = None,
    command: Sequence[str] = (),
) -> RunRecord:
    """Write labels at the image's size in the given formats; the run record comes last.

    Parameters
    ----------
    result
        Of a run over the full image.
    folder, stem
        Files are called ``<stem>`` with each format's ending.
    formats
        Names in ``export.FORMATS``.
    overwrite
        Whether existing files may be replaced; each is replaced in one step.
    timings
        Seconds of stages before the run, for the record.
    command
        Arguments that make the same result again, for the record.

    Returns
    -------
    RunRecord
        As written to ``<stem>.json``.

    Raises
    ------
    ExportError
        If a file exists or cannot be written, or the result is of a region only.
    """
    from napari_mouse_seg.export import FORMATS, LabelImage, write_record

    job = result.job
    if job.box != job.bounds:
        raise ExportError("Only a region of the image was segmented; segment the full image to save it as a file.")
    paths = result_paths(folder, stem, formats)
    check_free(paths, job.image.path, overwrite=overwrite)
    labels, n_objects = labels_of_image(result)
    exported = LabelImage(labels, job.plane.pixel_size_um, stem, job.plane, tuple(share.plan for share in result.areas))
    seconds = dict(timings or {}) | result.timings
    _remove_older(paths, folder, stem)
    for name in formats:
        started = time.perf_counter()
        FORMATS[name].write(paths[name], exported, overwrite=overwrite)
        seconds[f"write {name}"] = time.perf_counter() - started
    record = _record(result, n_objects, paths, seconds, tuple(command))
    sizes = {name: path.stat().st_size for name, path in paths.items() if name != RECORD and path.is_file()}
    record = record.model_copy(update={"output_bytes": sizes})
    write_record(paths[RECORD], record, overwrite=overwrite)
    return record


def labels_of_image(result: SegmentResult) -> tuple[LabelArray, int]:
    """Return the labels of a full image at its size, and how many objects they are.

    Where the network saw the image enlarged, an object may be smaller than an image pixel; those that none of its
    pixels falls into are left out, and the others numbered anew.
    """
    from napari_mouse_seg.export import at_image_size, number_anew

    labels = at_image_size(result.labels, result.pixel_scale, result.job.plane.shape)
    if result.areas or min(result.pixel_scale) >= 1:
        return labels, result.n_objects
    return number_anew(labels, result.n_objects)


def _remove_older(paths: dict[str, Path], folder: Path, stem: str) -> None:
    """Remove an older record, and what it lists in other formats: while results are replaced, none would be true.

    What a killed run left half written goes too. It fails before anything is written.
    """
    from napari_mouse_seg.export import FORMATS, read_record

    path = paths[RECORD]
    stale: list[Path] = []
    with suppress(ExportError):  # There is none, or it cannot be read.
        outputs = read_record(path).outputs
        others = {name: FORMATS[name].path(folder, stem) for name in outputs.keys() & FORMATS.keys() - paths.keys()}
        stale = [other for name, other in others.items() if outputs[name] == other.name]
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ExportError(explain(path, error, "replaced")) from error
    for other in stale:
        remove(other)
        if os.path.lexists(other):
            raise ExportError(f"{other}, a result of an earlier run, cannot be removed; remove it by hand.")
    remove_unfinished(folder, {path.name for path in paths.values()})


def _plan(job: SegmentJob) -> dict[str, Any]:  # Any: fields as JSON values
    return job.plan.replace(instances=job.instances).model_dump(mode="json")


def _record(
    result: SegmentResult, n_objects: int, paths: dict[str, Path], seconds: dict[str, float], command: tuple[str, ...]
) -> RunRecord:
    return make_record(
        result.job,
        result.job.image.path,
        n_objects=n_objects,
        areas=result.areas,
        device=result.device,
        timings=seconds,
        warnings=result.warnings,
        outputs={name: path.name for name, path in paths.items() if name != RECORD},
        command=command,
    )


def make_record(
    job: SegmentJob,
    source: Path | None,
    *,
    n_objects: int,
    areas: Sequence[AreaShare] = (),
    device: str,
    timings: dict[str, float],
    warnings: Sequence[str] = (),
    outputs: dict[str, str],
    command: Sequence[str] = (),
    is_complete: bool = True,
) -> RunRecord:
    """Return the record of files that hold what a job found; a file's image is read once, for its hash.

    Parameters
    ----------
    job
        What was run.
    source
        File or folder of the image; None if it is unknown.
    n_objects, areas
        What was found.
    device
        Where the network ran, for people.
    timings
        Seconds by stage.
    warnings
        In words.
    outputs
        Names of files by format.
    command
        Arguments that make the same result again; empty if there are none.
    is_complete
        Whether the labels are all that was found in the whole image, and nothing else.
    """
    from napari_mouse_seg.export import ModelRecord, RunRecord, versions

    model = job.model
    return RunRecord(
        input=_describe(source, job) if source else None,
        model=ModelRecord(name=model.card.name, sha256=model.sha256, path=str(model.path.absolute())),
        plan=_plan(job),
        device=device,
        network_shape_px=job.network_shape,
        pixel_scale=job.pixel_scale,
        n_objects=n_objects,
        areas=tuple(areas),
        timings_s={stage: round(value, 3) for stage, value in timings.items()},
        warnings=tuple(warnings),
        outputs=outputs,
        versions=versions(),
        command=tuple(command),
        is_complete=is_complete,
    )
