"""What was done to which file, so that a result can be told apart and made again."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_mouse_seg._atomic import replacing
from napari_mouse_seg.areas import AreaShare, describe_found
from napari_mouse_seg.errors import ExportError
from napari_mouse_seg.images import image_files, image_hash

if TYPE_CHECKING:
    from pathlib import Path

_PACKAGES = ("napari-mouse-seg", "torch", "numpy", "scipy", "scikit-image", "segmentation-models-pytorch")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InputRecord(_Part):
    """The file or folder that was read."""

    path: str
    sha256: str
    size_bytes: int
    series: int | None = Field(None, description="Which image of a file that holds several, from 0.")
    is_rgb: bool | None = Field(None, description="Whether it was read as colours and not as channels.")
    shape_px: tuple[int, int] | None = None
    pixel_size_um: tuple[float, float] | None = None


class ModelRecord(_Part):
    """The model that was used."""

    name: str
    sha256: str
    path: str


class RunRecord(_Part):
    """Everything that decided one result; stands beside it as ``<stem>.json``."""

    format_version: Literal[1] = 1
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    input: InputRecord | None = Field(None, description="None for an image that came from memory.")
    model: ModelRecord
    plan: dict[str, Any]  # Any: a plan's fields as JSON values
    device: str
    network_shape_px: tuple[int, int]
    pixel_scale: tuple[float, float] = Field(description="Image pixels per network pixel, rows and columns.")
    n_objects: int
    areas: tuple[AreaShare, ...] = Field((), description="Every class and its share; empty for objects.")
    timings_s: dict[str, float]
    warnings: tuple[str, ...] = ()
    is_complete: bool = Field(
        True, description="Whether the labels are all that was found in the whole image, and nothing else."
    )
    outputs: dict[str, str]
    output_bytes: dict[str, int] = Field({}, description="Sizes of those outputs that are files, as they were written.")
    versions: dict[str, str]
    command: tuple[str, ...] = Field(description="Arguments that make the same result again.")

    @property
    def found(self) -> str:
        """What was found, for people."""
        return describe_found(self.n_objects, self.areas)


def describe_input(
    path: Path,
    shape_px: tuple[int, int] | None = None,
    pixel_size_um: tuple[float, float] | None = None,
    series: int | None = None,
    *,
    is_rgb: bool | None = None,
    sources: tuple[Path, ...] = (),
) -> InputRecord:
    """Describe a file, or a folder of files, with the hash of ``images.image_hash``; a file is read once.

    ``sources`` are all files of an image that lies in several.
    """
    sources = sources or (path,)
    return InputRecord(
        path=str(path.absolute()),
        sha256=image_hash(*sources),
        size_bytes=sum(file.stat().st_size for source in sources for file in image_files(source)),
        series=series,
        is_rgb=is_rgb,
        shape_px=shape_px,
        pixel_size_um=pixel_size_um,
    )


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a result depends on."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def write_record(path: Path, record: RunRecord, *, overwrite: bool = False) -> None:
    """Write a record as JSON.

    Raises
    ------
    ExportError
        If the file exists already or cannot be written.
    """
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_record(path: Path) -> RunRecord:
    """Read a record.

    Raises
    ------
    ExportError
        If the file is no run record, or one of another format version.
    """
    try:
        return RunRecord.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ExportError(
            f"{path} cannot be read as a run record of format version 1 ({type(error).__name__}); "
            "it may be damaged or come from a newer version of napari-mouse-seg."
        ) from error
