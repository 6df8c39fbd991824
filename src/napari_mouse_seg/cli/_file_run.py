"""One file from image to results; shared by ``segment`` and ``demo``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from napari_mouse_seg.cli._inputs import image_stem
from napari_mouse_seg.cli._plan_options import option_name
from napari_mouse_seg.errors import ExportError, MouseSegError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from napari_mouse_seg.cli._console import Console
    from napari_mouse_seg.events import Event
    from napari_mouse_seg.export import LabelImage, RunRecord
    from napari_mouse_seg.networks import Model
    from napari_mouse_seg.pipeline import SegmentJob, SegmentResult


@dataclass(frozen=True, slots=True)
class FileRun:
    """What is done to every input of one call.

    Attributes
    ----------
    model
        Which model.
    folder
        Where results go.
    formats
        Names of export formats; the first is the label image.
    options, instance_options
        Plan fields that the user gave; others keep the plan's or the model's value.
    overwrite
        Whether older results may be replaced.
    """

    model: Model
    folder: Path
    formats: tuple[str, ...]
    options: dict[str, Any]  # Any: values of plan fields
    instance_options: dict[str, Any]  # Any: as above
    overwrite: bool = False

    def targets(self, source: Path) -> dict[str, Path]:
        """Return the files that will be written, by format; ``record`` is the run record.

        Raises
        ------
        ExportError
            If one exists and may not be replaced, or is the input itself.
        """
        from napari_mouse_seg.export import FORMATS

        stem = image_stem(source)
        found = {name: FORMATS[name].path(self.folder, stem) for name in self.formats}
        found["record"] = self.folder / f"{stem}.json"
        for path in found.values():
            if path.exists() and source.exists() and path.samefile(source):
                raise ExportError(f"The result would replace its own input {source}; choose another output folder.")
            if path.exists() and not self.overwrite:
                raise ExportError(f"{path} exists already; choose another folder or allow overwriting (--overwrite).")
        return found

    def command(self, source: Path) -> tuple[str, ...]:
        """Return the arguments that do the same again."""
        fields = {**self.options, **self.instance_options}
        values = [part for name, value in fields.items() for part in (option_name(name), str(value))]
        extras = [f"--{name}" for name in self.formats[1:]]
        return (
            *("mouse-seg", "segment", str(source.absolute()), "--output", str(self.folder.absolute())),
            *("--model", str(self.model.path), "--format", self.formats[0], *values, *extras, "--overwrite"),
        )


def run_file(source: Path, run: FileRun, console: Console) -> RunRecord:
    """Segment one file and write its results; the run record comes last.

    Raises
    ------
    MouseSegError
        In words: what is wrong with the image, plan, model, device or folder.
    """
    from napari_mouse_seg.export import LabelImage, at_image_size, write_record
    from napari_mouse_seg.images import open_image
    from napari_mouse_seg.pipeline import resolve
    from napari_mouse_seg.plans import SegmentPlan

    targets = run.targets(source)
    started = time.perf_counter()
    image = open_image(source)
    instances = run.model.card.instances.replace(**run.instance_options)
    job = resolve(image, run.model, SegmentPlan.build(**run.options, instances=instances))
    timings = {"open": time.perf_counter() - started}
    result = _finish(job, source.name, console)
    timings |= result.timings
    labels = at_image_size(result.labels, result.pixel_scale, job.plane.shape)
    exported = LabelImage(labels, job.plane.pixel_size_um, image_stem(source), job.plane)
    _write(exported, {name: targets[name] for name in run.formats}, timings, run.overwrite)
    record = _record(source, run, targets, result, timings)
    write_record(targets["record"], record, overwrite=run.overwrite)
    return record


def _finish(job: SegmentJob, name: str, console: Console) -> SegmentResult:
    """Run to the end, showing events; an interrupt closes the run on its way out."""
    from contextlib import closing

    from napari_mouse_seg.events import Finished, Warned
    from napari_mouse_seg.pipeline import ScoreCache, SegmentResult, segment

    with (
        closing(ScoreCache(job)) as cache,
        closing(cast("Generator[Event, None, None]", segment(job, cache))) as events,
    ):
        for event in events:
            console.progress(name, event)
            if isinstance(event, Warned):
                console.warn(f"{name}: {event.message}")
            if isinstance(event, Finished) and isinstance(event.result, SegmentResult):
                return event.result
    raise MouseSegError(f"The run of {name} ended without a result; run it again with --debug and report it.")


def _write(image: LabelImage, targets: dict[str, Path], timings: dict[str, float], overwrite: bool) -> None:
    from napari_mouse_seg.export import FORMATS

    for name, path in targets.items():
        started = time.perf_counter()
        FORMATS[name].write(path, image, overwrite=overwrite)
        timings[f"write {name}"] = time.perf_counter() - started


def _record(
    source: Path, run: FileRun, targets: dict[str, Path], result: SegmentResult, timings: dict[str, float]
) -> RunRecord:
    from napari_mouse_seg.export import ModelRecord, RunRecord, describe_input, versions

    job = result.job
    return RunRecord(
        input=describe_input(source, job.plane.shape, job.plane.pixel_size_um),
        model=ModelRecord(name=run.model.card.name, sha256=run.model.sha256, path=str(run.model.path.absolute())),
        plan=job.plan.model_dump(mode="json"),
        device=result.device,
        network_shape_px=job.network_shape,
        pixel_scale=job.pixel_scale,
        n_objects=result.n_objects,
        timings_s={stage: round(seconds, 3) for stage, seconds in timings.items()},
        warnings=result.warnings,
        outputs={name: path.name for name, path in targets.items() if name != "record"},
        versions=versions(),
        command=run.command(source),
    )
