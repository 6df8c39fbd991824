"""One file from image to results; shared by ``segment`` and ``demo``."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_mouse_seg.cli._plan_options import option_name
from napari_mouse_seg.errors import MouseSegError

if TYPE_CHECKING:
    from pathlib import Path

    from napari_mouse_seg.cli._console import Console
    from napari_mouse_seg.export import RunRecord
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
    resume
        Whether inputs whose results are complete are left out.
    measure
        Whether the size of the objects is measured first.
    """

    model: Model
    folder: Path
    formats: tuple[str, ...]
    options: dict[str, Any]  # Any: values of plan fields
    instance_options: dict[str, Any]  # Any: as above
    overwrite: bool = False
    resume: bool = False
    measure: bool = False

    def command(self, source: Path) -> tuple[str, ...]:
        """Return the arguments that do the same again."""
        fields = {**self.options, **self.instance_options}
        values = [part for name, value in fields.items() for part in (option_name(name), str(value))]
        extras = [f"--{name}" for name in self.formats[1:]]
        return (
            *("mouse-seg", "segment", str(source.absolute()), "--output", str(self.folder.absolute())),
            *("--model", str(self.model.path), "--format", self.formats[0], *values, *extras, "--overwrite"),
        )


def run_file(source: Path, run: FileRun, console: Console) -> tuple[RunRecord, bool]:
    """Segment one file and write its results; the run record comes last.

    Returns
    -------
    tuple of RunRecord and bool
        And whether it was made now, not by an earlier run.

    Raises
    ------
    MouseSegError
        In words: what is wrong with the image, plan, model, device or folder.
    """
    from napari_mouse_seg.images import image_stem, open_image
    from napari_mouse_seg.pipeline import check_free, find_finished, resolve, result_paths, save_result
    from napari_mouse_seg.plans import SegmentPlan

    stem = image_stem(source)
    paths = result_paths(run.folder, stem, run.formats)
    started = time.perf_counter()
    image = open_image(source)
    instances = run.model.card.instances.replace(**run.instance_options)
    job = resolve(image, run.model, SegmentPlan.build(**run.options, instances=instances))
    if run.measure and (diameter := _measure(job, console)) is not None:
        run = replace(run, options=run.options | {"object_diameter_px": diameter})
        job = resolve(image, run.model, SegmentPlan.build(**run.options, instances=instances))
    if run.resume:
        finished = find_finished(job, paths)
        if finished is not None:
            return finished, False
    check_free(paths, source, overwrite=run.overwrite)
    opening = {"open": time.perf_counter() - started}
    result = _finish(job, source.name, console)
    record = save_result(
        result,
        run.folder,
        stem,
        run.formats,
        overwrite=run.overwrite,
        timings=opening,
        command=run.command(source),
    )
    return record, True


def _measure(job: SegmentJob, console: Console) -> float | None:
    """Return the diameter of an image's objects; None, with a warning, where it cannot be told."""
    from napari_mouse_seg.errors import ImageError
    from napari_mouse_seg.events import Finished
    from napari_mouse_seg.pipeline import measure_diameter

    try:
        for event in measure_diameter(job):
            if isinstance(event, Finished):
                diameter = round(float(event.result), 1)
                console.out(f"{job.plane.name}: objects are about {diameter:g} px across")
                return diameter
    except ImageError as error:
        console.warn(str(error))
    return None


def _finish(job: SegmentJob, name: str, console: Console) -> SegmentResult:
    """Run to the end, showing events; an interrupt closes the run on its way out."""
    from contextlib import closing

    from napari_mouse_seg.events import Finished, Warned
    from napari_mouse_seg.pipeline import ScoreCache, SegmentResult, segment

    with closing(ScoreCache(job)) as cache, closing(segment(job, cache)) as events:
        for event in events:
            console.progress(name, event)
            if isinstance(event, Warned):
                console.warn(f"{name}: {event.message}")
            if isinstance(event, Finished) and isinstance(event.result, SegmentResult):
                return event.result
    raise MouseSegError(f"The run of {name} ended without a result; run it again with --debug and report it.")
