"""``mouse-seg segment``: images in, label images and run records out."""

from __future__ import annotations

from argparse import ArgumentTypeError
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_mouse_seg._atomic import try_folder
from napari_mouse_seg.cli._inputs import check_stems, find_inputs, is_folder, user_path
from napari_mouse_seg.cli._plan_options import add_plan_options, given_options, option_name
from napari_mouse_seg.errors import ExportError, MouseSegError, PlanError
from napari_mouse_seg.export import LABEL_FORMATS
from napari_mouse_seg.networks import DEFAULT_MODEL, RGB_MODEL
from napari_mouse_seg.plans import InstancesPlan, SegmentPlan

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from pathlib import Path

    from napari_mouse_seg.cli._console import Console
    from napari_mouse_seg.cli._file_run import FileRun

_EXTRAS = {
    "csv": "also write measurements of every object, in µm where the pixel size is known",
    "overlay": "also write a PNG with the outlines over the image",
    "geojson": "also write the outlines as GeoJSON, for QuPath",
}


_ALL = -1


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add arguments and options."""
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="image file, folder of images, OME-Zarr image or plate, or pattern"
    )
    parser.add_argument("--output", required=True, type=user_path, metavar="DIR", help="folder for the results")
    add_model_option(parser)
    parser.add_argument("--format", choices=LABEL_FORMATS, default=LABEL_FORMATS[0], help="of the labels; default tiff")
    for name, text in _EXTRAS.items():
        parser.add_argument(f"--{name}", action="store_true", help=text)
    parser.add_argument("--overwrite", action="store_true", help="replace earlier results of an image, in all formats")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with a run that was cut off: leave out images that the same options have finished, and take up a "
        "large one at the tile where it was",
    )
    parser.add_argument(
        "--measure-objects",
        action="store_true",
        help="measure the diameter of each image's objects first, and bring them to the size that the model knows; "
        "with a warning, an image stays as it is where that cannot be told or the model finds objects no more surely",
    )
    parser.add_argument(
        "--series",
        type=_series,
        metavar="N|all",
        help="which image of a file that holds several (positions, regions), from 0, or each of them; results are "
        "named after it too; not given: the largest, of an OME-Zarr the first",
    )
    add_plan_options(parser, SegmentPlan, "image and network")
    add_plan_options(parser, InstancesPlan, "objects (not given: as the model's card says)", own_defaults=False)


def add_model_option(parser: argparse.ArgumentParser) -> None:
    """Add the choice of a model."""
    parser.add_argument(
        "--model",
        metavar="NAME|FILE",
        help=f"bundled model or file; default {DEFAULT_MODEL}, {RGB_MODEL} for stained RGB",
    )


def check_sizes(arguments: argparse.Namespace) -> None:
    """Refuse more than one way to set the scale: only one of them would count.

    Raises
    ------
    PlanError
        Names the options that were given.
    """
    names = ("scale", "object_diameter_px", "measure_objects")
    given = [option_name(name) for name in names if getattr(arguments, name, None)]
    if len(given) > 1:
        raise PlanError(f"{' and '.join(given)} each set the scale; give only one of them.")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Segment every input; a bad one does not stop the others.

    Returns
    -------
    int
        0, or 1 if any input failed.
    """
    from napari_mouse_seg.cli._file_run import FileRun

    check_sizes(arguments)
    _check_folders(arguments.inputs, arguments.output)
    paths = find_inputs(arguments.inputs)
    check_stems(paths)
    check_output(arguments.output)
    from napari_mouse_seg.images import image_stem
    from napari_mouse_seg.networks import find_model

    file_run = FileRun(
        model=find_model(arguments.model) if arguments.model else None,
        folder=arguments.output,
        formats=(arguments.format, *(name for name in _EXTRAS if getattr(arguments, name))),
        options=given_options(arguments, SegmentPlan),
        instance_options=given_options(arguments, InstancesPlan),
        overwrite=arguments.overwrite,
        resume=arguments.resume,
        measure=arguments.measure_objects,
        inputs=frozenset(path.resolve() for path in paths),
        taken=frozenset(image_stem(path).casefold() for path in paths),
    )
    chosen = ((path, replace(file_run, series=one)) for path in paths for one in _each_series(path, arguments.series))
    tried = [_attempt(path, one_run, console) for path, one_run in chosen]
    done = [is_done for is_done in tried if is_done is not None]
    if len(done) > 1:
        console.out(f"{sum(done)} of {len(done)} images done.")
    return 0 if all(done) else 1


def _attempt(path: Path, file_run: FileRun, console: Console) -> bool | None:
    """Return whether it went well; None where there was nothing to do, because another input is the same image."""
    from napari_mouse_seg.cli._file_run import PartOfAnotherError, run_file

    name = file_run.label(path)
    try:
        record, is_new = run_file(path, file_run, console)
    except PartOfAnotherError as error:
        console.out(str(error))
        return None
    except MouseSegError as error:
        # Most errors of files name them, but not which of several images it is.
        console.error(str(error) if name in str(error) else f"{name}: {error}", error)
        return False
    except Exception as error:  # noqa: BLE001 (run boundary: the other images go on)
        console.error(f"{name}: unexpected {type(error).__name__}: {error}. Run with --debug and report it.", error)
        return False
    if not is_new:
        console.out(f"{name}: {record.found}, done before")
        return True
    seconds = sum(record.timings_s.values())
    labels = file_run.folder / record.outputs[file_run.formats[0]]
    console.out(f"{name}: {record.found} in {seconds:.1f} s, {labels}")
    return True


def _series(text: str) -> int | None:
    """Return the number, or -1 for each of them."""
    if text == "all":
        return _ALL
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is neither a number from 0 nor 'all'")
    return int(text)


def _each_series(path: Path, wanted: int | None) -> Iterable[int | None]:
    """Return what is to be segmented of a file; of one that cannot be opened, its turn tells why."""
    from napari_mouse_seg.images import list_series

    if wanted != _ALL:
        return (wanted,)
    try:
        series = list_series(path)
    except MouseSegError:
        return (None,)
    return (None,) if series is None else range(len(series.names))


def _check_folders(inputs: list[str], output: Path) -> None:
    """Refuse to write among the inputs: the next run would take the results for images."""
    if any(is_folder(user_path(text)) and user_path(text).resolve() == output.resolve() for text in inputs):
        raise PlanError(f"The output folder {output} is also an input folder; choose another.")


def check_output(folder: Path) -> None:
    """Find out before the work, not after it, whether the folder can be made and written to.

    Raises
    ------
    ExportError
        If not.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"The output folder {folder} cannot be made ({error.strerror}); choose another.") from error
    try:
        try_folder(folder)
    except OSError as error:
        raise ExportError(
            f"The output folder {folder} cannot be written to ({error.strerror}); choose another."
        ) from error
