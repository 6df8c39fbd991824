"""One file from image to results; shared by ``segment`` and ``demo``."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_mouse_seg.cli._interrupt import heed
from napari_mouse_seg.cli._plan_options import option_parts
from napari_mouse_seg.errors import ExportError, ImageError, MouseSegError, PlanError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_mouse_seg.cli._console import Console
    from napari_mouse_seg.events import Event
    from napari_mouse_seg.export import RunRecord
    from napari_mouse_seg.images import MultiscaleImage
    from napari_mouse_seg.networks import Model
    from napari_mouse_seg.pipeline import Part, SegmentJob, SegmentResult


class PartOfAnotherError(ImageError):
    """A file whose image is that of another input."""


@dataclass(frozen=True, slots=True)
class FileRun:
    """What is done to every input of one call.

    Attributes
    ----------
    model
        Which model; None takes the bundled one that suits each image.
    folder
        Where results go.
    formats
        Names of export formats; the first is the label image.
    options, instance_options
        Plan fields that the user gave; others keep the plan's or the model's value.
    overwrite
        Whether older results may be replaced.
    resume
        Whether inputs whose results are complete are left out, and others go on where they were cut off.
    measure
        Whether the size of the objects is measured first.
    series
        Which image of a file that holds several; results are then named after it too. None takes what ``open_image``
        does.
    inputs
        All inputs of the call, links resolved.
    taken
        Stems of their results, in lower case.
    """

    model: Model | None
    folder: Path
    formats: tuple[str, ...]
    options: dict[str, Any]  # Any: values of plan fields
    instance_options: dict[str, Any]  # Any: as above
    overwrite: bool = False
    resume: bool = False
    measure: bool = False
    series: int | None = None
    inputs: frozenset[Path] = frozenset()
    taken: frozenset[str] = frozenset()

    def label(self, source: Path) -> str:
        """Return what an input is called in messages."""
        from napari_mouse_seg.images import image_name

        name = image_name(source)
        return name if self.series is None else f"{name}, series {self.series}"

    def command(self, source: Path, model: Model) -> tuple[str, ...]:
        """Return the arguments that do the same again."""
        fields = {**self.options, **self.instance_options}
        values = [part for name, value in fields.items() for part in option_parts(name, value)]
        extras = [f"--{name}" for name in self.formats[1:]]
        extras += [] if self.series is None else option_parts("series", self.series)
        return (
            *("mouse-seg", "segment", str(source.absolute()), "--output", str(self.folder.absolute())),
            *("--model", str(model.path), "--format", self.formats[0], *values, *extras, "--overwrite"),
        )


def run_file(source: Path, run: FileRun, console: Console) -> tuple[RunRecord, bool]:
    """Segment one file and write its results; the run record comes last.

    Returns
    -------
    tuple of RunRecord and bool
        And whether it was made now, not by an earlier run.

    Raises
    ------
    PartOfAnotherError
        If the file is a part of an image that another input stands for.
    MouseSegError
        In words: what is wrong with the image, plan, model, device or folder.
    """
    from napari_mouse_seg.images import image_stem, open_image, result_stem
    from napari_mouse_seg.pipeline import (
        Part,
        check_free,
        image_state,
        resolve,
        result_paths,
        save_result,
        why_unfinished,
    )
    from napari_mouse_seg.plans import SegmentPlan

    result_paths(run.folder, image_stem(source), run.formats)  # So that a name is refused before its file is opened.
    started = time.perf_counter()
    image = open_image(source, series=run.series, join="channel" not in run.options)
    _check_is_its_own(image, source, run)
    state = image_state(*image.sources)
    stem = result_stem(image)
    if stem != image_stem(source) and stem.casefold() in run.taken:
        raise PlanError(f"Its results would be called {stem}, as those of another input; segment them separately.")
    paths = result_paths(run.folder, stem, run.formats)
    part = Part.beside(run.folder, stem)
    model = _model_for(image, run, console, run.label(source))
    instances = model.card.instances.replace(**run.instance_options)
    job = resolve(image, model, SegmentPlan.build(**run.options, instances=instances))
    if run.measure and (diameter := _measure(job, run.label(source), console)) is not None:
        run = replace(run, options=run.options | {"object_diameter_px": diameter})
        job = resolve(image, model, SegmentPlan.build(**run.options, instances=instances))
    if run.resume:
        finished = _find_finished(job, paths, overwrite=run.overwrite)
        if finished is not None:
            part.remove()
            return finished, False
        run = replace(run, overwrite=run.overwrite or part.began_outputs(paths.values()))
        if not run.overwrite and (why := why_unfinished(job, paths)):
            raise ExportError(f"{source.name} cannot be resumed: {why}. --overwrite replaces its results.")
    check_free(paths, source, overwrite=run.overwrite)
    part.check(resume=run.resume, overwrite=run.overwrite)
    opening = {"open": time.perf_counter() - started}
    name = run.label(source)
    with _telling_what_is_kept(part, name, console):
        result = _finish(job, part, name, console)
        if image_state(*image.sources) != state:
            raise ImageError(
                f"{source} changed while it was segmented; nothing is written. Run it when it is complete."
            )
        with part.writing():
            check_free(paths, source, overwrite=run.overwrite)  # Another run may have written them meanwhile.
            part.note_outputs(paths.values())
            record = save_result(
                result,
                run.folder,
                stem,
                run.formats,
                overwrite=run.overwrite,
                timings=opening,
                command=run.command(source, model),
            )
    return record, True


def _check_is_its_own(image: MultiscaleImage, source: Path, run: FileRun) -> None:
    """Refuse all files of an image in several but that of its first plane, or its objects would be counted twice."""
    first = image.files[0].resolve() if image.files else source
    if first in run.inputs and first != source.resolve():
        raise PartOfAnotherError(f"{run.label(source)}: a part of the image {first.name}, which stands for it")


def _model_for(image: MultiscaleImage, run: FileRun, console: Console, name: str) -> Model:
    """Return the model that was named, otherwise the usual one; that it is not the default is said."""
    from napari_mouse_seg.networks import DEFAULT_MODEL
    from napari_mouse_seg.pipeline import usual_model

    if run.model is not None:
        return run.model
    model = usual_model(image)
    if model.card.name != DEFAULT_MODEL:
        console.out(f"{name}: a stained section, so the model is {model.card.name}; choose another with --model")
    return model


def _find_finished(job: SegmentJob, paths: dict[str, Path], *, overwrite: bool) -> RunRecord | None:
    """Return the record of an earlier run that did the same; a damaged one is none if it may be replaced."""
    from napari_mouse_seg.pipeline import find_finished

    try:
        return find_finished(job, paths)
    except ExportError as error:
        if overwrite:
            return None
        raise ExportError(f"{error} Remove it, or allow overwriting (--overwrite).") from error


@contextmanager
def _telling_what_is_kept(part: Part, name: str, console: Console) -> Iterator[None]:
    """After a failure or an interrupt, say that not everything is lost."""
    try:
        yield
    except (Exception, KeyboardInterrupt):
        if part.has_tiles:
            console.warn(f"{name}: the tiles that are done are in {part.folder}; --resume goes on with them.")
        raise


def _measure(job: SegmentJob, name: str, console: Console) -> float | None:
    """Return the diameter of an image's objects; None, with a warning, where it cannot be told."""
    from napari_mouse_seg.events import Finished
    from napari_mouse_seg.pipeline import measure_diameter

    try:
        for event in heed(measure_diameter(job)):
            if isinstance(event, Finished):
                diameter = round(float(event.result), 1)
                console.out(f"{name}: objects are about {diameter:g} px across")
                return diameter
    except ImageError as error:
        console.warn(str(error))
    return None


def _finish(job: SegmentJob, part: Part, name: str, console: Console) -> SegmentResult:
    """Run to the end, showing events; an interrupt closes the run on its way out."""
    from napari_mouse_seg.pipeline import ScoreCache, segment

    with closing(ScoreCache(job, part.folder)) as cache, closing(segment(job, cache)) as events:
        return _listen(heed(events), name, console)


def _listen(events: Iterator[Event], name: str, console: Console) -> SegmentResult:
    from napari_mouse_seg.events import Finished, Started, Warned
    from napari_mouse_seg.pipeline import SegmentResult

    resumed = False
    for event in events:
        if isinstance(event, Started) and event.stage == "kept":
            resumed = True
            console.out(f"{name}: going on where an earlier run was cut off")
        if resumed and isinstance(event, Started) and event.stage == "scores":
            console.out(f"{name}: {event.total} tiles are left")
        console.progress(name, event)
        if isinstance(event, Warned):
            console.warn(f"{name}: {event.message}")
        if isinstance(event, Finished) and isinstance(event.result, SegmentResult):
            return event.result
    raise MouseSegError(f"The run of {name} ended without a result; run it again with --debug and report it.")
