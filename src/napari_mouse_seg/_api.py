"""Segment a file in one call: the pipeline for scripts and notebooks."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mouse_seg.errors import MouseSegError, PlanError
from napari_mouse_seg.events import Event, Finished
from napari_mouse_seg.images import MultiscaleImage, from_arrays, open_image, result_stem
from napari_mouse_seg.networks import Model, find_model
from napari_mouse_seg.pipeline import SegmentResult, labels_of_image, resolve, save_result, usual_model
from napari_mouse_seg.pipeline import segment as run
from napari_mouse_seg.plans import SegmentPlan
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from napari_mouse_seg.areas import AreaShare
    from napari_mouse_seg.export import RunRecord


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Objects found in one image.

    Attributes
    ----------
    result
        Everything the run reported.
    """

    result: SegmentResult

    @property
    def labels(self) -> NDArray[np.uint32]:
        """(Y, X) uint32 at the image's size, 0 is background; of a region, what is in ``box``, on the network's grid.

        Areas have the labels of their classes. Objects that reach out of a region are whole in ``result``.
        """
        import numpy as np

        result, job = self.result, self.result.job
        if job.box != job.bounds:
            return result.labels[job.box.shift(-result.box.y0, -result.box.x0).slices]
        return np.asarray(labels_of_image(result)[0][:, :])

    @property
    def box(self) -> Box:
        """What was segmented, in pixels of the network's grid."""
        return self.result.job.box

    @property
    def n_objects(self) -> int:
        """Number of objects; 0 if the model makes areas."""
        job = self.result.job
        return self.result.n_objects if job.box != job.bounds else labels_of_image(self.result)[1]

    @property
    def areas(self) -> tuple[AreaShare, ...]:
        """Every class and its share, if the model makes areas; empty for objects."""
        return self.result.areas

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the run warned of."""
        return self.result.warnings

    def save(self, folder: str | Path, formats: Sequence[str] = ("tiff",), *, overwrite: bool = False) -> RunRecord:
        """Write labels and run record into a folder, as ``mouse-seg segment`` does.

        Parameters
        ----------
        folder
            Made if it does not exist.
        formats
            Of ``tiff``, ``ome-zarr``, ``csv``, ``overlay`` and ``geojson``.
        overwrite
            Whether earlier results of the image may be replaced, all of them, those in other formats too.

        Raises
        ------
        ExportError
            If a file exists or cannot be written.
        """
        chosen = (formats,) if isinstance(formats, str) else formats
        return save_result(
            self.result, Path(folder).expanduser(), result_stem(self.result.job.image), chosen, overwrite=overwrite
        )


def segment(
    image: str | Path | MultiscaleImage | NDArray[Any],
    model: str | Path | Model | None = None,
    plan: SegmentPlan | None = None,
    *,
    region: Box | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Segmentation:
    """Find the objects of an image.

    Parameters
    ----------
    image
        Path; an image from ``open_image`` or ``from_arrays``; or an array, grey (Y, X) or RGB (Y, X, 3).
    model
        Name of a bundled model, a model file, or a loaded model; default: the bundled one for fluorescence, and that
        for stained sections where an RGB image shows one.
    plan
        Channel, scale, device, thresholds; default: all automatic.
    region
        In image pixels; default: the full image.
    on_event
        Called with every event, for progress and warnings.

    Returns
    -------
    Segmentation
        With ``.labels``, ``.n_objects`` and ``.save(folder)``.

    Raises
    ------
    MouseSegError
        One of its subclasses, which says what is wrong with image, model, plan or device.
    """
    _require("plan", plan, SegmentPlan, "SegmentPlan(scale=0.5)")
    _require("region", region, Box, "Box(y0, x0, y1, x1) of the first and one past the last pixel")
    _require("model", model, (str, os.PathLike, Model), "a name of `mouse-seg models list`, or a file")
    opened = _opened(image, join=plan is None or "channel" not in plan.model_fields_set)
    if model is None:
        model = usual_model(opened)
    chosen = model if isinstance(model, Model) else find_model(model)
    for event in run(resolve(opened, chosen, plan or SegmentPlan(), region)):
        if on_event is not None:
            on_event(event)
        if isinstance(event, Finished) and isinstance(event.result, SegmentResult):
            return Segmentation(event.result)
    raise MouseSegError("The run ended without a result; please report it.")


def _require(name: str, value: object, kind: type | tuple[type, ...], example: str) -> None:
    """Refuse what would fail somewhere within the run.

    Raises
    ------
    PlanError
        If the value is neither None nor of the kind.
    """
    if value is not None and not isinstance(value, kind):
        raise PlanError(f"The {name} is {type(value).__name__}; give {example}.", name)


def _opened(image: str | os.PathLike[str] | MultiscaleImage | NDArray[Any], *, join: bool) -> MultiscaleImage:
    if isinstance(image, MultiscaleImage):
        return image
    if isinstance(image, (str, os.PathLike)):
        return open_image(image, join=join)
    shape = tuple(getattr(image, "shape", ()))
    axes = "YX" if len(shape) == 2 else "YXS" if len(shape) == 3 and shape[-1] == 3 else ""
    if not axes:
        what = f"an array of shape {shape}" if shape else f"{type(image).__name__}"
        raise PlanError(
            f"The image is {what}; give a path, an array (Y, X) or (Y, X, 3), or say what its axes are: "
            "from_arrays(array, axes='CYX').",
            "image",
        )
    return from_arrays(image, axes)
