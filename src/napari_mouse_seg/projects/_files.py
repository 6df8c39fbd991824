"""Pixels, paint and the plan, to bytes and back.

Reading bytes and making sense of them are apart: a disk that fails for a moment must not make a good file a damaged
one. zlib carries a checksum, so that altered pixels are noticed too.
"""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from napari_mouse_seg._atomic import patiently, replacing
from napari_mouse_seg.errors import ProjectError
from napari_mouse_seg.plans import PatchPlan, ProjectPlan
from napari_mouse_seg.projects._damage import DamagedFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_mouse_seg.projects._layout import Layout

_PIXEL_DTYPES = ("uint8", "uint16", "float32")
_MAX_CAUSE_LENGTH = 120
_MAX_RATIO = 1100  # no deflate stream unpacks to more than 1032 times its size


def box_shape(patch: PatchPlan) -> tuple[int, int]:
    """Return the rows and columns of a patch."""
    y0, x0, y1, x1 = patch.box
    return y1 - y0, x1 - x0


def check_pixels(pixels: NDArray[Any], patch: PatchPlan) -> None:  # Any: one of three dtypes
    """Refuse pixels that are not (C, Y, X) of the patch's size in a dtype that is stored.

    Raises
    ------
    ProjectError
        With the actual shape and dtype.
    """
    if pixels.ndim != 3 or not pixels.shape[0] or pixels.shape[1:] != box_shape(patch):
        rows, columns = box_shape(patch)
        raise ProjectError(f"The pixels of patch {patch.id} are {pixels.shape}, not (channels, {rows}, {columns}).")
    if pixels.dtype.name not in _PIXEL_DTYPES:
        raise ProjectError(f"The pixels of patch {patch.id} are {pixels.dtype}, not one of {', '.join(_PIXEL_DTYPES)}.")


def compact_paint(paint: NDArray[Any], patch: PatchPlan) -> NDArray[np.uint16 | np.uint32]:  # Any: any integers
    """Copy paint as uint16, or as uint32 if it has labels above 65,535.

    Raises
    ------
    ProjectError
        If it is not integers from 0 of the patch's size.
    """
    if paint.shape != box_shape(patch):
        raise ProjectError(f"The paint of patch {patch.id} is {paint.shape}, not {box_shape(patch)}.")
    if paint.dtype.kind not in "ui" or int(paint.min()) < 0 or int(paint.max()) >= 2**32:
        raise ProjectError(f"The paint of patch {patch.id} is not made of labels from 0 to 4,294,967,295.")
    return paint.astype(np.uint16 if int(paint.max()) < 2**16 else np.uint32)


def encode_tiff(pixels: NDArray[Any], patch: PatchPlan | None = None) -> bytes:  # Any: as above
    """Return an image as TIFF with one strip a channel; a patch's plan goes into its description.

    Parameters
    ----------
    pixels
        (Y, X) or (C, Y, X).
    patch
        So that the pixels still tell where they belong, should the project's list be lost.
    """
    from tifffile import imwrite

    file = BytesIO()
    planes = pixels[0] if pixels.ndim == 3 and len(pixels) == 1 else pixels
    imwrite(
        file,
        np.ascontiguousarray(planes),
        photometric="minisblack",
        planarconfig="separate" if planes.ndim == 3 else None,
        rowsperstrip=planes.shape[-2],
        compression="zlib",
        description=None if patch is None else json.dumps(patch.model_dump(mode="json")),
        metadata=None,
    )
    return file.getvalue()


def write_bytes(path: Path, data: bytes) -> None:
    """Replace a file as a whole; it is on the disk when this returns.

    Raises
    ------
    ProjectError
        If the disk refuses; the old file is untouched.
    """
    with replacing(path, overwrite=True, durable=True, error=ProjectError) as temporary:
        temporary.write_bytes(data)


def write_copy(path: Path, paint: NDArray[Any]) -> None:  # Any: as above
    """Write (Y, X) paint outside of any project, as projects hold it.

    Raises
    ------
    ProjectError
        If the disk refuses.
    """
    write_bytes(path, encode_tiff(paint.astype(np.uint32)))


def read_pixels(path: Path, patch: PatchPlan) -> NDArray[Any]:  # Any: one of three dtypes
    """Return the (C, Y, X) pixels of a patch.

    Raises
    ------
    DamagedFileError
        If the file is not what was written.
    ProjectError
        If it is absent or the system refuses to read it.
    """
    pixels = _decode(path)
    with _sensible(path):
        pixels = pixels[None] if pixels.ndim == 2 else pixels
        check_pixels(pixels, patch)
    return pixels


def read_paint(path: Path, patch: PatchPlan) -> NDArray[np.uint32]:
    """Return the (Y, X) paint of a patch; errors as in :func:`read_pixels`."""
    paint = _decode(path)
    with _sensible(path):
        return compact_paint(paint, patch).astype(np.uint32)


def read_patch_plan(path: Path) -> PatchPlan:
    """Return the plan in the description of a patch's pixels; errors as in :func:`read_pixels`."""
    from tifffile import TiffFile

    data = read_bytes(path)
    with _sensible(path), TiffFile(BytesIO(data)) as file:
        return PatchPlan.model_validate_json(file.pages.first.description)


def read_plan(path: Path) -> ProjectPlan:
    """Return the plan of a project; errors as in :func:`read_pixels`, and for formats of later versions."""
    data = read_bytes(path)
    with _sensible(path):
        content = json.loads(data)
        version = content.get("format_version")
    if isinstance(version, int) and version > 1:
        raise ProjectError(
            f"{path} is of format {version}, and this version of the program knows format 1; update the program."
        )
    with _sensible(path):
        return ProjectPlan.model_validate_json(data)


def write_plan(layout: Layout, plan: ProjectPlan) -> None:
    """Write the plan, and once more as a backup.

    One after the other, so that at every moment one of the two is whole. That the backup could not be written
    is no failure: it then is the plan before.

    Raises
    ------
    ProjectError
        If the plan could not be written, or could not be read again; the old one is untouched.
    """
    data = json.dumps(plan.model_dump(), indent=1).encode()  # pydantic would turn the loss of a failed step to null
    try:
        ProjectPlan.model_validate_json(data)
    except ValidationError as error:
        raise ProjectError(f"{layout.plan_file.name} could not be read again ({_first_fault(error)}).") from error
    write_bytes(layout.plan_file, data)
    with suppress(ProjectError):
        write_bytes(layout.backup_file, data)


def read_bytes(path: Path) -> bytes:
    """Return the content of a file.

    Raises
    ------
    ProjectError
        In words, if the system refuses.
    """
    try:
        return patiently(path.read_bytes)
    except FileNotFoundError as error:
        raise ProjectError(f"{path} is no longer there; put it back.") from error
    except OSError as error:
        raise ProjectError(
            f"{path} could not be read ({error.strerror or error}); check the disk and the file's permissions."
        ) from error


def _decode(path: Path) -> NDArray[Any]:  # Any: whatever the file holds
    from tifffile import TiffFile

    data = read_bytes(path)
    with _sensible(path), TiffFile(BytesIO(data)) as file:
        n_bytes = file.series[0].nbytes
        if n_bytes > _MAX_RATIO * len(data):  # a damaged size must not ask for all memory
            raise ValueError(f"{n_bytes:,} bytes of pixels in a file of {len(data):,} bytes")
        return file.asarray()


@contextmanager
def _sensible(path: Path) -> Iterator[None]:
    """Turn what parsers and checks raise over nonsense into one error that names the file."""
    try:
        yield
    except (MemoryError, ImportError):
        raise
    except Exception as error:
        cause = " ".join(_first_fault(error).split())[:_MAX_CAUSE_LENGTH]
        raise DamagedFileError(f"{path.name} is damaged ({cause})") from error


def _first_fault(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return f"{type(error).__name__}: {error}"
