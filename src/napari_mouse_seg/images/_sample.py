"""The image that comes with the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def sample_path() -> Path:
    """Return the bundled field of U2OS nuclei (BBBC039, CC0), a pyramidal OME-TIFF; see ``samples/README.md``."""
    return Path(str(files("napari_mouse_seg"))) / "samples" / "u2os_nuclei.ome.tif"
