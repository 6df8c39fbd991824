"""What a run that may be killed leaves beside its results, for another one to go on with.

The key of the tiles is made of everything that a score depends on, the device too: half of an image by one device and
half by another would be a result that no single run gives.
"""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_mouse_seg.errors import ExportError
from napari_mouse_seg.images import image_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from napari_mouse_seg.inference import KeptTiles
    from napari_mouse_seg.networks import Device
    from napari_mouse_seg.pipeline._job import SegmentJob

WORTH_KEEPING_PASSES = 32
"""How often a device must be filled for tiles to be kept: 17 megapixels without a GPU, 537 with one."""

_OUTPUTS = "outputs.json"
_NOT_OF_SCORES = ("python", "platform")


@dataclass(frozen=True, slots=True)
class Part:
    """The folder of one image's finished tiles, which is there from the first of them until the results are written.

    For images whose tiles are not kept it is there only while results are written, with the names of those.

    Attributes
    ----------
    folder
        Beside the results.
    """

    folder: Path

    @classmethod
    def beside(cls, folder: Path, stem: str) -> Part:
        """Return the part of the results of that stem in a folder."""
        return cls(folder / f"{stem}.mouse-seg-part")

    @property
    def has_tiles(self) -> bool:
        """Whether there is work that would be lost."""
        return (self.folder / "tiles").exists()

    def check(self, *, resume: bool, overwrite: bool) -> None:
        """Decide, before any work, about what a run that was cut off has left.

        Parameters
        ----------
        resume
            Whether to go on with it; it stays.
        overwrite
            Whether to start again, unless ``resume``; it is removed.

        Raises
        ------
        ExportError
            If it is there and neither was asked for, so that hours of work are not lost to a forgotten option; or if
            that run still goes on.
        """
        from napari_mouse_seg.inference import require_unused

        if not self.folder.exists():
            return
        require_unused(self.folder)
        if resume:
            return
        if self.has_tiles and not overwrite:
            raise ExportError(
                f"An earlier run was cut off, and {self.folder} has the tiles that it finished; add --resume to go on "
                "with them, or --overwrite to start again."
            )
        self.remove()

    def remove(self) -> None:
        """Remove what is there, unless another process goes on with it."""
        from napari_mouse_seg.inference import remove_kept

        with suppress(ExportError):
            remove_kept(self.folder)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write results without another run that writes the same; waits for its end, so that no two are mixed.

        Raises
        ------
        ExportError
            If that takes too long, or the folder cannot be made.
        """
        from napari_mouse_seg.inference import holding

        with holding(self.folder):
            yield
        self.remove()

    def note_outputs(self, paths: Iterable[Path]) -> None:
        """Note, before they are written, which files a run is about to make."""
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / _OUTPUTS).write_text(json.dumps([path.name for path in paths]), encoding="utf-8")

    def began_outputs(self, paths: Iterable[Path]) -> bool:
        """Return whether those of the files that are there were left by a run that was cut off while it wrote them."""
        try:
            noted = json.loads((self.folder / _OUTPUTS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return all(path.name in noted for path in paths if path.exists())


def open_part(folder: Path, job: SegmentJob, device: Device) -> KeptTiles | None:
    """Open the folder of a job's tiles; None if the job is done too soon for a kill to hurt.

    Raises
    ------
    ExportError
        If the image did not come from a file, the folder cannot be written to, or another process works in it.
    """
    from napari_mouse_seg.inference import KeptTiles

    if job.box.area < WORTH_KEEPING_PASSES * device.batch_px:
        return None
    return KeptTiles(folder, _scores_key(job, device))


def _scores_key(job: SegmentJob, device: Device) -> dict[str, Any]:  # Any: JSON values
    """Return all that scores depend on, by names for people."""
    from napari_mouse_seg.export import versions
    from napari_mouse_seg.images import image_fingerprint

    path, plan, source = job.image.path, job.plan, job.source
    if path is None:
        raise ExportError(f"{job.image.name} does not come from a file, so its tiles cannot be kept for later.")
    return {
        "image": [*(image_fingerprint(source) for source in job.image.sources), last_change(*job.image.sources)],
        "series, channel or plane": [job.series, job.image.axes, plan.channel, plan.plane_t, plan.plane_z],
        "model": job.model.sha256,
        "scale": [source.level, source.network_shape],
        "polarity or intensities": source.intensity.model_dump(mode="json"),
        "tile": [job.grid.core_px, job.grid.halo_px, job.grid.blend_px, plan.batch_size],
        "choice of flips": plan.flips,
        "device": _describe(device),
        "version of the software": {name: text for name, text in versions().items() if name not in _NOT_OF_SCORES},
    }


def image_state(*paths: Path) -> tuple[int, int]:
    """Return what tells that an image was changed: when a file of it was last, in ns, and the size of all.

    Of an image that is not there, or that cannot be looked at, both are 0: its opening tells why.
    """
    try:
        files = [file.stat() for path in paths for file in image_files(path)]
    except OSError:
        return 0, 0
    return max((file.st_mtime_ns for file in files), default=0), sum(file.st_size for file in files)


def last_change(*paths: Path) -> int:
    """Return when the one of files, and of those in folders, that was changed last was changed, in ns."""
    return max((file.stat().st_mtime_ns for path in paths for file in image_files(path)), default=0)


def _describe(device: Device) -> list[str]:
    """Return what of a device shows in scores; the number of threads does not."""
    import torch

    kind = torch.backends.cpu.get_cpu_capability() if device.name == "cpu" else device.label
    return [device.name, str(device.half_dtype), kind]
